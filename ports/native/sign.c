// Keys and ECDSA signatures with nonces after RFC 6979, over the library's HMAC-DRBG.

#include <string.h>

#include "ipcert_native.h"

#include "mbedtls/platform_util.h"
#include "mbedtls/sha256.h"

static const uint8_t order[IPCERT_SCALAR] = { // n of P-256
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

// bits2octets (RFC 6979 2.3.4): the digest modulo n. A digest is not secret, so it may branch on it.
static void reduce(uint8_t *out, const uint8_t *digest) {
    int borrow = 0;
    if (memcmp(digest, order, IPCERT_SCALAR) < 0) {
        memcpy(out, digest, IPCERT_SCALAR);
        return;
    }
    for (int i = IPCERT_SCALAR - 1; i >= 0; i--) {
        int difference = digest[i] - order[i] - borrow;
        out[i] = (uint8_t)difference;
        borrow = difference < 0;
    }
}

// The library wipes its variables, but not what the compiler spilled of them. This lies where its frames lay.
static void __attribute__((noinline)) wipe_stack(void) {
    uint8_t below[IPCERT_STACK];
    mbedtls_platform_zeroize(below, sizeof(below));
}

static int start(mbedtls_hmac_drbg_context *rng, const uint8_t *seed, size_t n) {
    mbedtls_hmac_drbg_init(rng);
    return mbedtls_hmac_drbg_seed_buf(rng, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), seed, n)
        ? IPCERT_FAILED : IPCERT_OK;
}

void ipcert_sha256(ipcert_span_t in, uint8_t *digest) {
    mbedtls_sha256(in.p, in.n, digest, 0);
}

int ipcert_generate(uint8_t *key, ipcert_span_t seed) {
    mbedtls_hmac_drbg_context rng;
    ipcert_enter();
    int status = start(&rng, seed.p, seed.n);
    if (status == IPCERT_OK) {
        status = ipcert_curve_generate(&rng, key, key + IPCERT_SCALAR + 1);
        key[IPCERT_SCALAR] = 4;
    }
    mbedtls_hmac_drbg_free(&rng);
    if (status != IPCERT_OK) {
        mbedtls_platform_zeroize(key, IPCERT_KEY);
    }
    ipcert_leave();
    wipe_stack();
    return status;
}

int ipcert_public(uint8_t *key) {
    mbedtls_hmac_drbg_context blind;
    uint8_t xy[IPCERT_KEY - IPCERT_SCALAR - 1];
    ipcert_enter();
    int status = start(&blind, key, IPCERT_SCALAR);
    if (status == IPCERT_OK) {
        status = ipcert_curve_public(key, xy, &blind);
    }
    if (status == IPCERT_OK) {
        key[IPCERT_SCALAR] = 4;
        memcpy(key + IPCERT_SCALAR + 1, xy, sizeof(xy));
    }
    mbedtls_hmac_drbg_free(&blind);
    ipcert_leave();
    wipe_stack();
    return status;
}

int ipcert_check(const uint8_t *key) {
    ipcert_enter();
    int status = ipcert_curve_check(key);
    ipcert_leave();
    wipe_stack();
    return status;
}

// The generator is seeded with int2octets(d) || bits2octets(digest) || extra: RFC 6979 3.2 d-g, and 3.6 for the
// additional data. What it gives out first is k, and so on until one is in range (3.2 h).
int ipcert_sign(const uint8_t *key, ipcert_span_t extra, const uint8_t *digest, uint8_t *signature) {
    mbedtls_hmac_drbg_context rng;
    uint8_t seed[3 * IPCERT_SCALAR];
    memcpy(seed, key, IPCERT_SCALAR);
    reduce(seed + IPCERT_SCALAR, digest);
    if (extra.n) {
        memcpy(seed + 2 * IPCERT_SCALAR, extra.p, extra.n);
    }
    ipcert_enter();
    int status = start(&rng, seed, 2 * IPCERT_SCALAR + extra.n);
    if (status == IPCERT_OK) {
        status = ipcert_curve_sign(&rng, key, digest, signature);
    }
    mbedtls_hmac_drbg_free(&rng);
    mbedtls_platform_zeroize(seed, sizeof(seed));
    ipcert_leave();
    wipe_stack();
    return status;
}
