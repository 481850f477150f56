// Registers and interrupt numbers of the mps2-an385 (ARM DAI0385D; CMSDK DDI0479D) that this port uses.
#ifndef IPCERT_MPS2_H
#define IPCERT_MPS2_H

#include <stdint.h>

#define MPS2_REG(addr)      (*(volatile uint32_t *)(addr))

// CMSDK timers: 32 bits, counting down at the 25 MHz system clock, reloading at zero.
#define MPS2_CLOCK_HZ       (25000000u)
#define TIMER0_BASE         (0x40000000u)
#define TIMER1_BASE         (0x40001000u)
#define TIMER_CTRL(base)    MPS2_REG((base) + 0x00)
#define TIMER_VALUE(base)   MPS2_REG((base) + 0x04)
#define TIMER_RELOAD(base)  MPS2_REG((base) + 0x08)
#define TIMER_INTCLR(base)  MPS2_REG((base) + 0x0c)
#define TIMER_CTRL_EN       (1u << 0)
#define TIMER_CTRL_IRQ      (1u << 3)

// CMSDK UART 0, the console.
#define UART0_BASE          (0x40004000u)
#define UART_DATA           MPS2_REG(UART0_BASE + 0x00)
#define UART_STATE          MPS2_REG(UART0_BASE + 0x04)
#define UART_CTRL           MPS2_REG(UART0_BASE + 0x08)
#define UART_INTCLR         MPS2_REG(UART0_BASE + 0x0c)
#define UART_BAUDDIV        MPS2_REG(UART0_BASE + 0x10)
#define UART_STATE_TXFULL   (1u << 0)
#define UART_STATE_RXFULL   (1u << 1)
#define UART_CTRL_TX        (1u << 0)
#define UART_CTRL_RX        (1u << 1)
#define UART_CTRL_RXIRQ     (1u << 3)
#define UART_INT_RX         (1u << 1)

#define LAN9118_BASE        (0x40200000u)

#define PSRAM_BASE          (0x21000000u)
#define PSRAM_SIZE          (16u << 20)

// Interrupt numbers, counted from the first external one.
#define IRQ_UART0_RX        (0)
#define IRQ_TIMER1          (9)
#define IRQ_ETHERNET        (13)

#define NVIC_ISER0          MPS2_REG(0xe000e100u)

static inline void mps2_irq_enable(unsigned irq) {
    NVIC_ISER0 = 1u << irq;
}

static inline uint32_t mps2_irq_mask(void) {
    uint32_t state;
    __asm volatile ("mrs %0, primask\n\tcpsid i" : "=r" (state) : : "memory");
    return state;
}

static inline void mps2_irq_restore(uint32_t state) {
    __asm volatile ("msr primask, %0" : : "r" (state) : "memory");
}

// From the linker script.
extern uint32_t _sidata, _sdata, _edata, _sbss, _ebss, _sstack, _estack, _sheap, _eheap;

#define STACK_PATTERN       (0x5aa55aa5u)

#endif // IPCERT_MPS2_H
