// The C part of ipcert's signing: no Python in here, no heap, no state between calls but the arena.
// P-256 and SHA-256 come from the library that the build has: Mbed TLS in a firmware, p256-m in a .mpy.
#ifndef IPCERT_NATIVE_H
#define IPCERT_NATIVE_H

#include <stddef.h>
#include <stdint.h>

#include "mbedtls/hmac_drbg.h"

#define IPCERT_SCALAR 32
#define IPCERT_KEY 97 // d (32, big-endian), then the public key as 04 X Y (65)
#define IPCERT_SIGNATURE 64
#define IPCERT_SEED_MIN 48 // SP 800-90A 10.1.2.3: 32 bytes of entropy and a nonce of 16
#define IPCERT_PARTS 16
#ifndef IPCERT_STACK
#define IPCERT_STACK (sizeof(void *) == 8 ? 4096 : 2048) // bytes that the library's frames may have taken (check/driver.c)
#endif
#define IPCERT_LONGEST ((size_t)1 << 24) // of any text in a JWS: keeps every sum of sizes far from wrapping

// The few variables that are not on the stack. The linker for .mpy files reaches them only by name.
#if defined(MICROPY_ENABLE_DYNRUNTIME)
#define IPCERT_STATE __attribute__((externally_visible))
#else
#define IPCERT_STATE static
#endif

enum {
    IPCERT_OK = 0,
    IPCERT_BAD_KEY = 1, // d is not in [1, n-1]
    IPCERT_FAILED = 2,  // the library failed: its arena is too small, or a one in 2^128 event
};

typedef struct {
    const uint8_t *p;
    size_t n;
} ipcert_span_t;

// arena.c: memory for the library while it works. One caller at a time; leave() wipes it.
void ipcert_enter(void);
void ipcert_leave(void);
size_t ipcert_arena_peak(void); // host check only: bytes ever in use at once, headers included
int ipcert_arena_is_clean(void); // host check only: every byte of it is zero

// curve_*.c, each between enter and leave. d: 32 bytes; xy: 64 bytes; digest: 32; signature: 64 (r || s).
int ipcert_curve_check(const uint8_t *d);
int ipcert_curve_public(const uint8_t *d, uint8_t *xy, mbedtls_hmac_drbg_context *blind);
int ipcert_curve_generate(mbedtls_hmac_drbg_context *rng, uint8_t *d, uint8_t *xy);
int ipcert_curve_sign(mbedtls_hmac_drbg_context *rng, const uint8_t *d, const uint8_t *digest, uint8_t *signature);

// sign.c
int ipcert_generate(uint8_t *key, ipcert_span_t seed);
int ipcert_public(uint8_t *key);
int ipcert_check(const uint8_t *key);
int ipcert_sign(const uint8_t *key, ipcert_span_t extra, const uint8_t *digest, uint8_t *signature);
void ipcert_sha256(ipcert_span_t in, uint8_t *digest);

// jws.c
size_t ipcert_b64_size(size_t n);
size_t ipcert_jws_size(size_t protected_n, size_t payload_n);
int ipcert_jws(const uint8_t *key, ipcert_span_t extra, const ipcert_span_t *parts, size_t n_parts,
    ipcert_span_t payload, uint8_t *out);

#endif
