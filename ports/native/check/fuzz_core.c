// libFuzzer: every function of ipcert_native.h, and the arena, with either library; tools/fuzz native_mbedtls and
// native_p256m. The first byte says which; results are checked by what does not share code with them.
#include "fuzz.h"

#include "mbedtls/sha256.h"

#if defined(FUZZ_P256M)
#include "p256-m.h"
#else
#include "mbedtls/ecdsa.h"
#endif

void *ipcert_port_calloc(size_t count, size_t size);
void ipcert_port_free(void *p);
static int ours; // 0: what is asked for outside the arena is a mistake

void *ipcert_port_calloc(size_t count, size_t size) {
    require(ours, "memory from outside the arena");
    return calloc(count, size);
}

void ipcert_port_free(void *p) {
    require(ours, "memory from outside the arena");
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

// The library's own verification, which signing does not use.
static int verifies(const uint8_t *key, const uint8_t *digest, const uint8_t *signature) {
#if defined(FUZZ_P256M)
    return p256_ecdsa_verify(signature, key + IPCERT_SCALAR + 1, digest, 32) == P256_SUCCESS;
#else
    mbedtls_ecp_group group;
    mbedtls_ecp_point q;
    mbedtls_mpi r, s;
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&q);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    ours = 1; // verifying needs more than the arena
    int bad = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1)
        || mbedtls_ecp_point_read_binary(&group, &q, key + IPCERT_SCALAR, IPCERT_KEY - IPCERT_SCALAR)
        || mbedtls_ecp_check_pubkey(&group, &q) || mbedtls_mpi_read_binary(&r, signature, IPCERT_SCALAR)
        || mbedtls_mpi_read_binary(&s, signature + IPCERT_SCALAR, IPCERT_SCALAR)
        || mbedtls_ecdsa_verify(&group, digest, 32, &q, &r, &s);
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_point_free(&q);
    mbedtls_ecp_group_free(&group);
    ours = 0;
    return !bad;
#endif
}

static void generate(input_t *in) {
    size_t n = next_size(in);
    uint8_t *key = exactly(IPCERT_KEY), *again = exactly(IPCERT_KEY), *bytes = taken(in, n);
    ipcert_span_t seed = { bytes, n };
    if (ipcert_generate(key, seed) == IPCERT_OK) {
        require(key[IPCERT_SCALAR] == 4 && ipcert_check(key) == IPCERT_OK, "a key that was made is good");
        memcpy(again, key, IPCERT_SCALAR);
        require(ipcert_public(again) == IPCERT_OK && !memcmp(again, key, IPCERT_KEY), "its public key");
    } else {
        memset(again, 0, IPCERT_KEY);
        require(!memcmp(again, key, IPCERT_KEY), "nothing is left of a key that was not made");
    }
    free(bytes);
    free(again);
    free(key);
}

static void sign(input_t *in) {
    int verify = next_byte(in) & 1;
    uint8_t *key = taken(in, IPCERT_KEY), *digest = taken(in, 32), *a = exactly(64), *b = exactly(64);
    size_t n = next_byte(in) & 1 ? 32 : 0;
    uint8_t *more = taken(in, n);
    ipcert_span_t extra = { more, n };
    int good = ipcert_check(key);
    memset(a, 0x55, 64);
    int status = ipcert_sign(key, extra, digest, a);
    require(status == good, "signing and checking agree on the key");
    if (status == IPCERT_OK && verify) {
        require(ipcert_public(key) == IPCERT_OK && verifies(key, digest, a), "a signature that verifies");
        digest[31] ^= 1;
        require(!verifies(key, digest, a), "another digest's does not");
        digest[31] ^= 1;
    } else if (status == IPCERT_OK) {
        require(ipcert_sign(key, extra, digest, b) == IPCERT_OK && !memcmp(a, b, 64), "the same twice");
    }
    free(more);
    free(b);
    free(a);
    free(digest);
    free(key);
}

// Reads base64url back (RFC 4648 5); returns where it ended.
static const uint8_t *back(const uint8_t *text, const uint8_t *stop, uint8_t *out, size_t n) {
    uint32_t bits = 0;
    int held = 0;
    size_t at = 0;
    for (; text < stop && *text != '"'; text++) {
        uint8_t c = *text;
        uint32_t six = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26
            : c >= '0' && c <= '9' ? c - '0' + 52 : c == '-' ? 62 : c == '_' ? 63 : 64;
        require(six < 64, "a character that is not base64url");
        bits = bits << 6 | six;
        held += 6;
        if (held >= 8) {
            held -= 8;
            require(at < n, "more than was put in");
            out[at++] = (uint8_t)(bits >> held);
        }
    }
    require(at == n && (bits & ((1u << held) - 1)) == 0, "less than was put in");
    return text;
}

static void jws(input_t *in) {
    uint8_t *key = taken(in, IPCERT_KEY);
    size_t n_parts = next_byte(in) % (IPCERT_PARTS + 1), total = 0, payload_n = next_size(in);
    ipcert_span_t parts[IPCERT_PARTS], extra = { NULL, 0 };
    for (size_t i = 0; i < n_parts; i++) {
        parts[i].n = next_size(in);
        parts[i].p = taken(in, parts[i].n);
        total += parts[i].n;
    }
    uint8_t *body = taken(in, payload_n), *header = exactly(total), *again = exactly(payload_n), signature[64];
    ipcert_span_t payload = { body, payload_n };
    size_t need = ipcert_jws_size(total, payload_n), at = 0;
    uint8_t *out = exactly(need);
    if (ipcert_check(key) == IPCERT_OK) {
        require(ipcert_jws(key, extra, parts, n_parts, payload, out) == IPCERT_OK, "a JWS");
        const uint8_t *stop = out + need, *p = out;
        require(!memcmp(p, "{\"protected\":\"", 14), "its beginning");
        p = back(p + 14, stop, header, total);
        require(stop - p > 13 && !memcmp(p, "\",\"payload\":\"", 13), "its middle");
        p = back(p + 13, stop, again, payload_n);
        require(stop - p > 15 && !memcmp(p, "\",\"signature\":\"", 15), "its tail");
        p = back(p + 15, stop, signature, 64);
        require(stop - p == 2 && !memcmp(p, "\"}", 2), "its end");
        require(!memcmp(again, body, payload_n), "the payload");
        for (size_t i = 0; i < n_parts; i++) {
            require(!memcmp(header + at, parts[i].p, parts[i].n), "the header");
            at += parts[i].n;
        }
    }
    free(out);
    free(again);
    free(header);
    free(body);
    for (size_t i = 0; i < n_parts; i++) {
        free((void *)parts[i].p);
    }
    free(key);
}

static void hash(input_t *in) {
    size_t first = next_size(in), n = next_size(in);
    uint8_t *bytes = taken(in, n), *digest = exactly(32), again[32];
    ipcert_span_t span = { bytes, n };
    mbedtls_sha256_context sha;
    ipcert_sha256(span, digest);
    first = first > n ? n : first;
    mbedtls_sha256_init(&sha);
    mbedtls_sha256_starts(&sha, 0);
    mbedtls_sha256_update(&sha, bytes, first);
    mbedtls_sha256_update(&sha, bytes + first, n - first);
    mbedtls_sha256_finish(&sha, again);
    require(!memcmp(digest, again, 32), "the same in two pieces");
    free(digest);
    free(bytes);
}

// The arena: what is handed out is zero, lies apart, stays as it was written, and is gone afterwards.
static void arena(input_t *in) {
    enum { MOST = 16 };
    struct {
        uint8_t *p;
        size_t n;
    } held[MOST];
    int n_held = 0;
    ipcert_enter();
    while (in->n) {
        uint8_t what = next_byte(in);
        if (what & 1 && n_held < MOST) {
            size_t count = what & 2 ? next_size(in) : 1, each = what & 4 ? (size_t)-1 / (1 + next_byte(in)) : next_size(in);
            uint8_t *p = ipcert_calloc(count, each);
            if (p == NULL) {
                continue;
            }
            require(each == 0 || count <= IPCERT_ARENA / each, "more than there is");
            for (size_t i = 0; i < count * each; i++) {
                require(p[i] == 0, "memory that is not zero");
            }
            memset(p, 1 + n_held, count * each);
            for (int k = 0; k < n_held; k++) {
                require(p >= held[k].p + held[k].n || held[k].p >= p + count * each, "two in one place");
            }
            held[n_held].p = p;
            held[n_held++].n = count * each;
        } else if (n_held) {
            n_held--;
            for (size_t i = 0; i < held[n_held].n; i++) {
                require(held[n_held].p[i] == 1 + n_held, "memory that changed");
            }
            ipcert_free(held[n_held].p);
        }
    }
    ipcert_free(NULL);
    ipcert_leave();
    require(ipcert_arena_is_clean(), "something is left in the arena");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static void (*const all[])(input_t *) = { generate, sign, jws, hash, arena };
    input_t in = { data, n };
    all[next_byte(&in) % 5](&in);
    require(ipcert_arena_is_clean(), "something is left in the arena");
    return 0;
}
