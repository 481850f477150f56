// Reset, the vector table, and faults that say what they are instead of hanging.
#include "mps2.h"
#include "mphalport.h"
#include "semihost.h"
#include "py/mpprint.h"

int main(void);

__attribute__((noreturn)) void Reset_Handler(void) {
    for (uint32_t *src = &_sidata, *dst = &_sdata; dst < &_edata;) {
        *dst++ = *src++;
    }
    for (uint32_t *dst = &_sbss; dst < &_ebss;) {
        *dst++ = 0;
    }
    // The part of the stack that is never used keeps this pattern; mps2.stack() looks how far it goes.
    uint32_t *sp;
    __asm volatile ("mov %0, sp" : "=r" (sp));
    for (uint32_t *dst = &_sstack; dst < sp - 8;) {
        *dst++ = STACK_PATTERN;
    }
    main();
    semihost_exit(true);
}

__attribute__((noreturn, used)) void fault_report(uint32_t *frame) {
    uint32_t vector;
    __asm volatile ("mrs %0, ipsr" : "=r" (vector));
    mp_printf(&mp_plat_print, "\nFAULT vector=%u pc=%08x lr=%08x r0=%08x r1=%08x cfsr=%08x bfar=%08x sp=%08x\n",
        (unsigned)vector, (unsigned)frame[6], (unsigned)frame[5], (unsigned)frame[0], (unsigned)frame[1],
        (unsigned)MPS2_REG(0xe000ed28), (unsigned)MPS2_REG(0xe000ed38), (unsigned)frame);
    semihost_exit(false);
}

__attribute__((naked)) static void Fault_Handler(void) {
    __asm volatile ("mrs r0, msp\n\tb fault_report");
}

static void (*const vectors[])(void) __attribute__((section(".isr_vector"), used)) = {
    (void (*)(void))&_estack,
    (void (*)(void))Reset_Handler,
    [2 ... 15] = Fault_Handler,
    [16 ... 47] = Fault_Handler,
    [16 + IRQ_UART0_RX] = UART0_RX_Handler,
    [16 + IRQ_TIMER1] = TIMER1_Handler,
    [16 + IRQ_ETHERNET] = ETHERNET_Handler,
};
