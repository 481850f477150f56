#include "py/runtime.h"
#include "py/mphal.h"
#include "py/ringbuf.h"
#include "py/stream.h"
#include "lan9118.h"
#include "network_lan.h"

// QEMU's main loop (and with it slirp, the user-mode network) runs when the guest sleeps or a timer expires. A guest that
// only polls stalls its own network for half a second a step; a 1 ms interrupt from timer 1 and WFI keep both moving.
#define TICK_HZ (1000)

static uint8_t console_buf[260];
static ringbuf_t console = { console_buf, sizeof(console_buf), 0, 0 };
volatile bool board_events;

static uint32_t ticks_low;
static uint64_t ticks_total;

void board_hal_init(void) {
    TIMER_CTRL(TIMER0_BASE) = 0;
    TIMER_RELOAD(TIMER0_BASE) = UINT32_MAX;
    TIMER_VALUE(TIMER0_BASE) = UINT32_MAX;
    TIMER_CTRL(TIMER0_BASE) = TIMER_CTRL_EN;

    TIMER_RELOAD(TIMER1_BASE) = MPS2_CLOCK_HZ / TICK_HZ - 1;
    TIMER_VALUE(TIMER1_BASE) = MPS2_CLOCK_HZ / TICK_HZ - 1;
    TIMER_CTRL(TIMER1_BASE) = TIMER_CTRL_EN | TIMER_CTRL_IRQ;
    mps2_irq_enable(IRQ_TIMER1);

    UART_BAUDDIV = 16;
    UART_CTRL = UART_CTRL_TX | UART_CTRL_RX | UART_CTRL_RXIRQ;
    mps2_irq_enable(IRQ_UART0_RX);
}

// Timer 0 wraps after 171 s; the tick interrupt calls this far more often than that.
uint64_t board_ticks(void) {
    uint32_t state = mps2_irq_mask();
    uint32_t now = UINT32_MAX - TIMER_VALUE(TIMER0_BASE);
    ticks_total += (uint32_t)(now - ticks_low);
    ticks_low = now;
    uint64_t total = ticks_total;
    mps2_irq_restore(state);
    return total;
}

// A byte that does not fit stays in the UART, and QEMU sends no more until it is taken.
static void console_drain(void) {
    while ((UART_STATE & UART_STATE_RXFULL) && ringbuf_free(&console) > 0) {
        uint8_t c = UART_DATA;
        if (c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else {
            ringbuf_put(&console, c);
        }
    }
    UART_INTCLR = UART_INT_RX;
}

void UART0_RX_Handler(void) {
    console_drain();
}

void TIMER1_Handler(void) {
    TIMER_INTCLR(TIMER1_BASE) = 1;
    board_ticks();
    console_drain();
    board_events = true;
}

void ETHERNET_Handler(void) {
    lan9118_irq_mask();
    board_events = true;
}

void board_poll(void) {
    static bool running;
    if (running || !board_events) {
        return;
    }
    running = true;
    board_events = false;
    network_lan_poll();
    running = false;
}

void board_wait(void) {
    // An interrupt between the test and WFI must not be slept through: WFI also wakes for a masked one.
    uint32_t state = mps2_irq_mask();
    if (!board_events && ringbuf_avail(&console) == 0) {
        __asm volatile ("dsb\n\twfi" : : : "memory");
    }
    mps2_irq_restore(state);
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(board_ticks() / (MPS2_CLOCK_HZ / 1000));
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)(board_ticks() / (MPS2_CLOCK_HZ / 1000000));
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return (mp_uint_t)board_ticks();
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_uint_t start = mp_hal_ticks_ms();
    mp_event_handle_nowait();
    while (mp_hal_ticks_ms() - start < ms) {
        mp_event_wait_ms(1);
    }
}

void mp_hal_delay_us(mp_uint_t us) {
    mp_uint_t start = mp_hal_ticks_us();
    while (mp_hal_ticks_us() - start < us) {
    }
}

uintptr_t mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ready = poll_flags & MP_STREAM_POLL_WR;
    if ((poll_flags & MP_STREAM_POLL_RD) && ringbuf_avail(&console) > 0) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        uint32_t state = mps2_irq_mask();
        int c = ringbuf_get(&console);
        mps2_irq_restore(state);
        if (c >= 0) {
            return c;
        }
        mp_event_wait_indefinite();
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    for (size_t i = 0; i < len; i++) {
        while (UART_STATE & UART_STATE_TXFULL) {
        }
        UART_DATA = (uint8_t)str[i];
    }
    return len;
}
