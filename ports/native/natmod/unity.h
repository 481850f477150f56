// Everything that a .mpy is made of, in one translation unit: the linker for .mpy files keeps whole object files, the
// compiler drops what nobody calls.
#include "py/dynruntime.h"

#include <string.h>

// A .mpy has no C library: these are the interpreter's, which the compiler also calls by itself.
__attribute__((used, externally_visible)) void *memset(void *s, int c, size_t n) {
    return mp_fun_table.memset_(s, c, n);
}

__attribute__((used, externally_visible)) void *memmove(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

__attribute__((used, externally_visible)) void *memcpy(void *to, const void *from, size_t n) {
    return mp_fun_table.memmove_(to, from, n);
}

__attribute__((used, externally_visible)) int memcmp(const void *a, const void *b, size_t n) {
    const uint8_t *p = a, *q = b;
    for (; n; n--, p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}

#include "mbedtls/platform_util.h"

// The next two do what Mbed TLS's do, without the platform code around them.
void mbedtls_platform_zeroize(void *buffer, size_t n) {
    volatile uint8_t *p = buffer;
    while (n--) {
        *p++ = 0;
    }
}

void mbedtls_zeroize_and_free(void *buffer, size_t n) {
    if (buffer != NULL) {
        mbedtls_platform_zeroize(buffer, n);
    }
    ipcert_free(buffer);
}

#include "arena.c"
#include "sha256.c"
#include "md.c"
#include "hmac_drbg.c"
#include "p256-m.c"
#include "curve_p256m.c"
#undef zeroize
#include "sign.c"
#include "jws.c"
