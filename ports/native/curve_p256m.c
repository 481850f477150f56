// P-256 of p256-m, for a .mpy that brings its own. It asks for randomness through a function without a context, hence
// the static pointer: set for the length of one call.

#include "ipcert_native.h"

#include "p256-m.h"

IPCERT_STATE mbedtls_hmac_drbg_context *source;

// What p256-m, as Mbed TLS carries it, calls for its random candidates.
int psa_generate_random(uint8_t *out, size_t n) {
    return mbedtls_hmac_drbg_random(source, out, n);
}

static int status(int result) {
    return result == P256_SUCCESS ? IPCERT_OK : result == P256_INVALID_PRIVKEY ? IPCERT_BAD_KEY : IPCERT_FAILED;
}

int ipcert_curve_check(const uint8_t *d) {
    return status(p256_validate_privkey(d));
}

int ipcert_curve_public(const uint8_t *d, uint8_t *xy, mbedtls_hmac_drbg_context *blind) {
    (void)blind; // p256-m is constant time without it
    return status(p256_public_from_private(xy, d));
}

int ipcert_curve_generate(mbedtls_hmac_drbg_context *rng, uint8_t *d, uint8_t *xy) {
    source = rng;
    int result = p256_gen_keypair(d, xy);
    source = NULL;
    return status(result);
}

int ipcert_curve_sign(mbedtls_hmac_drbg_context *rng, const uint8_t *d, const uint8_t *digest, uint8_t *signature) {
    source = rng;
    int result = p256_ecdsa_sign(signature, d, digest, 32);
    source = NULL;
    return status(result);
}
