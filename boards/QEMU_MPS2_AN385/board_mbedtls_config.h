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

#include "extmod/mbedtls/mbedtls_config_common.h"

// Chains arrive as PEM, and a server needs all of them, not the leaf alone.
#define MBEDTLS_PEM_PARSE_C
#define MBEDTLS_BASE64_C
// Choosing a certificate by ALPN and SNI.
#define MBEDTLS_SSL_ALPN
#define MBEDTLS_SSL_EXTENDED_MASTER_SECRET
// Five times faster P-256 for 0.8 KB.
#define MBEDTLS_ECP_NIST_OPTIM
// RFC 6979 nonces for ports/native.
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_HMAC_DRBG_C
// cryptolib's CTR mode, for sealed keys.
#define MBEDTLS_CIPHER_MODE_CTR

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
