#include "py/mphal.h"
#include "clock.h"
#include "semihost.h"

int32_t clock_offset;

uint32_t clock_unix(void) {
    return semihost_time() + (uint32_t)clock_offset;
}

uint64_t mp_hal_time_ns(void) {
    return (uint64_t)clock_unix() * 1000000000u;
}
