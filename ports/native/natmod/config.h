// Mbed TLS cut down to SHA-256 and HMAC-DRBG, for the .mpy; p256-m does the curve.
#define MBEDTLS_ALLOW_PRIVATE_ACCESS
#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_MD_C
#define MBEDTLS_HMAC_DRBG_C
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_CALLOC_MACRO ipcert_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO ipcert_free
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PSA_P256M_DRIVER_ENABLED

#define IPCERT_ARENA 256 // the two contexts of HMAC-DRBG's message digest: 112 and 128 bytes
#define IPCERT_ARENA_BUMP

#include <stddef.h>
void *ipcert_calloc(size_t count, size_t size);
void ipcert_free(void *p);
