// What Mbed TLS asks of the board: entropy, time, and zeroing that the compiler may not leave out.
#include <string.h>
#include "py/mphal.h"
#include "shared/timeutils/timeutils.h"
#include "mbedtls/build_info.h"
#include "mbedtls/entropy.h"
#include "mbedtls/platform_time.h"
#include "mbedtls/platform_util.h"
#include "clock.h"
#include "entropy.h"

int mbedtls_hardware_poll(void *data, unsigned char *output, size_t len, size_t *olen) {
    (void)data;
    *olen = 0;
    if (!entropy_fill(output, len)) {
        return MBEDTLS_ERR_ENTROPY_SOURCE_FAILED; // no context is made, so no handshake and no key
    }
    *olen = len;
    return 0;
}

time_t board_mbedtls_time(time_t *out) {
    time_t now = clock_unix();
    if (out != NULL) {
        *out = now;
    }
    return now;
}

mbedtls_ms_time_t mbedtls_ms_time(void) {
    return (mbedtls_ms_time_t)(board_ticks() / (MPS2_CLOCK_HZ / 1000));
}

struct tm *mbedtls_platform_gmtime_r(const mbedtls_time_t *seconds, struct tm *out) {
    timeutils_struct_time_t t;
    timeutils_seconds_since_epoch_to_struct_time((mp_uint_t)(*seconds - TIMEUTILS_SECONDS_1970_TO_2000), &t);
    memset(out, 0, sizeof(*out));
    out->tm_year = t.tm_year - 1900;
    out->tm_mon = t.tm_mon - 1;
    out->tm_mday = t.tm_mday;
    out->tm_hour = t.tm_hour;
    out->tm_min = t.tm_min;
    out->tm_sec = t.tm_sec;
    out->tm_wday = (t.tm_wday + 1) % 7; // MicroPython's week starts on Monday
    out->tm_yday = t.tm_yday - 1;
    return out;
}

void mbedtls_platform_zeroize(void *buf, size_t len) {
    volatile unsigned char *p = buf;
    while (len--) {
        *p++ = 0;
    }
}
