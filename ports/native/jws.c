// Flattened JWS JSON serialization (RFC 7515 7.2.2), written once into the caller's buffer and hashed there.

#include <string.h>

#include "ipcert_native.h"

#include "mbedtls/sha256.h"

static const char head[] = "{\"protected\":\"";
static const char middle[] = "\",\"payload\":\"";
static const char tail[] = "\",\"signature\":\"";
static const char end[] = "\"}";

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"; // RFC 4648 5

typedef struct {
    uint8_t *out;
    uint32_t bits; // not yet written
    int n;         // how many: 0, 2, 4 (and 8 more while a byte is taken in)
} writer_t;

static void b64(writer_t *w, ipcert_span_t in) {
    for (size_t i = 0; i < in.n; i++) {
        w->bits = w->bits << 8 | in.p[i];
        w->n += 8;
        while (w->n >= 6) {
            w->n -= 6;
            *w->out++ = (uint8_t)alphabet[w->bits >> w->n & 63];
        }
    }
}

static void b64_end(writer_t *w) {
    if (w->n) {
        *w->out++ = (uint8_t)alphabet[w->bits << (6 - w->n) & 63];
        w->n = 0;
    }
}

static void text(writer_t *w, const char *s, size_t size) {
    memcpy(w->out, s, size - 1);
    w->out += size - 1;
}

// Characters of `n` bytes in base64url without padding (RFC 7515 2).
size_t ipcert_b64_size(size_t n) {
    return n / 3 * 4 + (n % 3 * 4 + 2) / 3;
}

// Bytes of the whole JWS; both sizes at most IPCERT_LONGEST.
size_t ipcert_jws_size(size_t protected_n, size_t payload_n) {
    return sizeof(head) + sizeof(middle) + sizeof(tail) + sizeof(end) - 4 + ipcert_b64_size(protected_n)
        + ipcert_b64_size(payload_n) + ipcert_b64_size(IPCERT_SIGNATURE);
}

// `out` has ipcert_jws_size() bytes and overlaps no input. The key was checked.
int ipcert_jws(const uint8_t *key, ipcert_span_t extra, const ipcert_span_t *parts, size_t n_parts,
    ipcert_span_t payload, uint8_t *out) {
    uint8_t digest[32];
    uint8_t signature[IPCERT_SIGNATURE];
    mbedtls_sha256_context sha;
    writer_t w = { out, 0, 0 };

    mbedtls_sha256_init(&sha);
    mbedtls_sha256_starts(&sha, 0);
    text(&w, head, sizeof(head));
    const uint8_t *from = w.out;
    for (size_t i = 0; i < n_parts; i++) {
        b64(&w, parts[i]);
    }
    b64_end(&w);
    mbedtls_sha256_update(&sha, from, (size_t)(w.out - from));
    mbedtls_sha256_update(&sha, (const uint8_t *)".", 1); // RFC 7515 5.1 step 8
    text(&w, middle, sizeof(middle));
    from = w.out;
    b64(&w, payload);
    b64_end(&w);
    mbedtls_sha256_update(&sha, from, (size_t)(w.out - from));
    mbedtls_sha256_finish(&sha, digest);
    mbedtls_sha256_free(&sha);

    int status = ipcert_sign(key, extra, digest, signature);
    if (status == IPCERT_OK) {
        ipcert_span_t in = { signature, sizeof(signature) };
        text(&w, tail, sizeof(tail));
        b64(&w, in);
        b64_end(&w);
        text(&w, end, sizeof(end));
    }
    return status;
}
