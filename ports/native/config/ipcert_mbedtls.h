// Mbed TLS for a firmware with ipcert: MicroPython's common configuration and what it lacks.
// Give it to MicroPython's build as MBEDTLS_CONFIG_FILE='\"ipcert_mbedtls.h\"', or include it from a board's own.
#ifndef IPCERT_MBEDTLS_H
#define IPCERT_MBEDTLS_H

#define MBEDTLS_CIPHER_MODE_CTR // cryptolib's CTR, which sealed keys need
#define MBEDTLS_PEM_PARSE_C     // chains come as PEM; DER alone would carry the leaf without its intermediate
#define MBEDTLS_BASE64_C
#define MBEDTLS_ECP_NIST_OPTIM  // 0.8 KB for a P-256 that is five times faster
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_HMAC_DRBG_C     // RFC 6979 nonces in _ipcert

#if defined(__unix__)
#define MBEDTLS_TIMING_C
#endif

#include "extmod/mbedtls/mbedtls_config_common.h"

// All of Mbed TLS's memory goes through _ipcert, which serves it from a static arena while it signs (arena.c)
// and hands everything else to what the port had.
#include <stddef.h>
#ifndef IPCERT_ARENA
#define IPCERT_ARENA 2048 // bytes; a signature has 1.3 KB in use at most (tests/cpython/native/test_native_c.py)
#endif
void *ipcert_calloc(size_t count, size_t size);
void ipcert_free(void *p);
#undef MBEDTLS_PLATFORM_STD_CALLOC
#undef MBEDTLS_PLATFORM_STD_FREE
#undef MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO ipcert_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO ipcert_free

#endif
