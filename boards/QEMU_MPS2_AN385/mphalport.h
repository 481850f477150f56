// Time, console and waiting.
#ifndef IPCERT_MPHALPORT_H
#define IPCERT_MPHALPORT_H

#include <stdbool.h>
#include <stddef.h>
#include "py/mpconfig.h"
#include "shared/runtime/interrupt_char.h"
#include "mps2.h"

// Set by interrupts when there is something for board_poll() to do.
extern volatile bool board_events;

// Starts the timers, the console and their interrupts.
void board_hal_init(void);

// Takes in console bytes and network frames and runs lwIP's timers. Called in thread mode only; does nothing when it
// is already running further up the stack.
void board_poll(void);

// Sleeps (WFI) until an interrupt: at most a millisecond, since timer 1 ticks.
void board_wait(void);

// Counts of the 25 MHz clock since boot. Under -icount shift=0 one count is 40 instructions.
uint64_t board_ticks(void);

void UART0_RX_Handler(void);
void TIMER1_Handler(void);
void ETHERNET_Handler(void);

mp_uint_t mp_hal_ticks_ms(void);
mp_uint_t mp_hal_ticks_us(void);
mp_uint_t mp_hal_ticks_cpu(void);
uint64_t mp_hal_time_ns(void);
void mp_hal_delay_ms(mp_uint_t ms);
void mp_hal_delay_us(mp_uint_t us);

#endif // IPCERT_MPHALPORT_H
