// P-256 of the Mbed TLS that the firmware has for TLS.

#include "ipcert_native.h"

#include "mbedtls/ecdsa.h"

#if !defined(MBEDTLS_HMAC_DRBG_C) || !defined(MBEDTLS_ECDSA_C)
#error "_ipcert needs MBEDTLS_HMAC_DRBG_C and MBEDTLS_ECDSA_C: see ports/native/config/ipcert_mbedtls.h"
#endif

typedef struct {
    mbedtls_ecp_group group;
    mbedtls_ecp_point q;
    mbedtls_mpi d, r, s;
} work_t;

static int begin(work_t *w, const uint8_t *d) {
    mbedtls_ecp_group_init(&w->group);
    mbedtls_ecp_point_init(&w->q);
    mbedtls_mpi_init(&w->d);
    mbedtls_mpi_init(&w->r);
    mbedtls_mpi_init(&w->s);
    if (mbedtls_ecp_group_load(&w->group, MBEDTLS_ECP_DP_SECP256R1) != 0) {
        return IPCERT_FAILED;
    }
    if (d == NULL) {
        return IPCERT_OK;
    }
    if (mbedtls_mpi_read_binary(&w->d, d, IPCERT_SCALAR) != 0) {
        return IPCERT_FAILED;
    }
    return mbedtls_ecp_check_privkey(&w->group, &w->d) == 0 ? IPCERT_OK : IPCERT_BAD_KEY;
}

static int finish(work_t *w, int status) {
    mbedtls_mpi_free(&w->s);
    mbedtls_mpi_free(&w->r);
    mbedtls_mpi_free(&w->d);
    mbedtls_ecp_point_free(&w->q);
    mbedtls_ecp_group_free(&w->group);
    return status;
}

static int multiply(work_t *w, uint8_t *xy, mbedtls_hmac_drbg_context *blind) {
    // Field by field and not by mbedtls_ecp_point_write_binary: that one and what it needs are 300 bytes more.
    if (mbedtls_ecp_mul(&w->group, &w->q, &w->d, &w->group.G, mbedtls_hmac_drbg_random, blind) != 0
        || mbedtls_mpi_write_binary(&w->q.MBEDTLS_PRIVATE(X), xy, IPCERT_SCALAR) != 0
        || mbedtls_mpi_write_binary(&w->q.MBEDTLS_PRIVATE(Y), xy + IPCERT_SCALAR, IPCERT_SCALAR) != 0) {
        return IPCERT_FAILED;
    }
    return IPCERT_OK;
}

int ipcert_curve_check(const uint8_t *d) {
    work_t w;
    return finish(&w, begin(&w, d));
}

int ipcert_curve_public(const uint8_t *d, uint8_t *xy, mbedtls_hmac_drbg_context *blind) {
    work_t w;
    int status = begin(&w, d);
    if (status == IPCERT_OK) {
        status = multiply(&w, xy, blind);
    }
    return finish(&w, status);
}

int ipcert_curve_generate(mbedtls_hmac_drbg_context *rng, uint8_t *d, uint8_t *xy) {
    work_t w;
    int status = begin(&w, NULL);
    if (status == IPCERT_OK) {
        status = mbedtls_ecp_gen_privkey(&w.group, &w.d, mbedtls_hmac_drbg_random, rng) != 0
            || mbedtls_mpi_write_binary(&w.d, d, IPCERT_SCALAR) != 0 ? IPCERT_FAILED : multiply(&w, xy, rng);
    }
    return finish(&w, status);
}

// The same generator gives k and, after it, Mbed TLS's blinding: the first candidate in range is RFC 6979's k.
int ipcert_curve_sign(mbedtls_hmac_drbg_context *rng, const uint8_t *d, const uint8_t *digest, uint8_t *signature) {
    work_t w;
    int status = begin(&w, d);
    if (status == IPCERT_OK
        && (mbedtls_ecdsa_sign(&w.group, &w.r, &w.s, &w.d, digest, 32, mbedtls_hmac_drbg_random, rng) != 0
            || mbedtls_mpi_write_binary(&w.r, signature, IPCERT_SCALAR) != 0
            || mbedtls_mpi_write_binary(&w.s, signature + IPCERT_SCALAR, IPCERT_SCALAR) != 0)) {
        status = IPCERT_FAILED;
    }
    return finish(&w, status);
}
