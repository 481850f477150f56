// Mbed TLS for the board: MicroPython's common set, with what a certificate client and server need and without what
// nobody should use any more.
#ifndef IPCERT_MBEDTLS_CONFIG_H
#define IPCERT_MBEDTLS_CONFIG_H

#include <time.h>

#define MICROPY_MBEDTLS_CONFIG_BARE_METAL (1)

// Time: clock.c.
#define MBEDTLS_PLATFORM_MS_TIME_ALT
#define MBEDTLS_PLATFORM_GMTIME_R_ALT
time_t board_mbedtls_time(time_t *out);
#define MBEDTLS_PLATFORM_TIME_MACRO board_mbedtls_time
#define MBEDTLS_PLATFORM_ZEROIZE_ALT // newlib has no explicit_bzero to link with

// MicroPython's common set, with PEM, ALPN, fast P-256, AES-CTR and the signing arena: ports/native/config.
#include "ipcert_mbedtls.h"

#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
#define MBEDTLS_ENTROPY_MAX_SOURCES 2 // there is one; 20 places are 360 bytes of each context

// For comparison only (tools/board budgets): what signing costs with MicroPython's stock options.
#if defined(IPCERT_STOCK_ECP)
#undef MBEDTLS_ECP_NIST_OPTIM
#endif

// No DTLS, no key exchange without forward secrecy, no curve that public CAs do not use.
#undef MBEDTLS_SSL_PROTO_DTLS
#undef MBEDTLS_SSL_PROTO_TLS1
#undef MBEDTLS_SSL_PROTO_TLS1_1
#undef MBEDTLS_KEY_EXCHANGE_RSA_ENABLED
#undef MBEDTLS_ECP_DP_SECP192R1_ENABLED
#undef MBEDTLS_ECP_DP_SECP224R1_ENABLED
#undef MBEDTLS_ECP_DP_SECP521R1_ENABLED
#undef MBEDTLS_ECP_DP_SECP192K1_ENABLED
#undef MBEDTLS_ECP_DP_SECP224K1_ENABLED
#undef MBEDTLS_ECP_DP_SECP256K1_ENABLED
#undef MBEDTLS_MD5_C

#endif // IPCERT_MBEDTLS_CONFIG_H
