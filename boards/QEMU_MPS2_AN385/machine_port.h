// Included by extmod/modmachine.c.
#include "semihost.h"

static void mp_machine_idle(void) {
    mp_event_wait_ms(1);
}

// QEMU ends; whoever started it starts it again with the same flash.
NORETURN static void mp_machine_reset(void) {
    semihost_exit(true);
}

static mp_int_t mp_machine_reset_cause(void) {
    return 0;
}
