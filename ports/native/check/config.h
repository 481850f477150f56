// Mbed TLS for the host check: the parts that a signature uses, as ipcert_mbedtls.h configures them in a firmware.
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_MD_C
#define MBEDTLS_HMAC_DRBG_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_DP_SECP256R1_ENABLED
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ASN1_WRITE_C
#define MBEDTLS_ASN1_PARSE_C
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO ipcert_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO ipcert_free
#define MBEDTLS_PSA_P256M_DRIVER_ENABLED

#define IPCERT_HOST
#ifndef IPCERT_ARENA
#define IPCERT_ARENA 2048
#endif

#include <stddef.h>
void *ipcert_calloc(size_t count, size_t size);
void ipcert_free(void *p);
