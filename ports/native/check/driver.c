// Runs the C part of _ipcert on the host, under the sanitizers and with either library.
//   driver vectors       lines "d digest extra" (hex, extra may be -) on stdin; r||s in hex, or "bad", on stdout
//   driver soak ROUNDS   every size of JWS in buffers of exactly that size, keys and signatures in exact buffers;
//                        prints the arena's peak in bytes
//   driver traces ROUNDS every call on a stack of its own, which is searched afterwards for parts of the key and of the
//                        nonce; prints how many of what was found, and bytes of stack used
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "ipcert_native.h"

static uint32_t state = 1;

static uint32_t draw(uint32_t n) { // not for keys: the same on every run
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % n;
}

static uint8_t *filled(size_t n) {
    uint8_t *p = malloc(n);
    if (p == NULL && n) {
        exit(2);
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)draw(256);
    }
    return p;
}

static void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

static size_t unhex(const char *text, uint8_t *out, size_t room) {
    size_t n = 0;
    unsigned byte;
    while (n < room && sscanf(text + 2 * n, "%2x", &byte) == 1) {
        out[n++] = (uint8_t)byte;
    }
    return n;
}

static int vectors(void) {
    char d[80], digest[80], extra[80];
    while (scanf("%79s %79s %79s", d, digest, extra) == 3) {
        uint8_t key[IPCERT_KEY], hash[32], more[32], signature[IPCERT_SIGNATURE];
        ipcert_span_t span = { more, extra[0] == '-' ? 0 : unhex(extra, more, sizeof(more)) };
        unhex(d, key, IPCERT_SCALAR);
        unhex(digest, hash, sizeof(hash));
        if (ipcert_sign(key, span, hash, signature) != IPCERT_OK) {
            puts("bad");
            continue;
        }
        for (size_t i = 0; i < sizeof(signature); i++) {
            printf("%02x", signature[i]);
        }
        puts("");
    }
    return 0;
}

static void one_jws(const uint8_t *key, size_t header, size_t body) {
    ipcert_span_t parts[IPCERT_PARTS], payload = { filled(body), body }, extra = { NULL, 0 };
    size_t n = 0, left = header;
    while (left && n < IPCERT_PARTS - 1) {
        parts[n].n = draw((uint32_t)left + 1);
        left -= parts[n].n;
        parts[n].p = filled(parts[n].n);
        n++;
    }
    parts[n].p = filled(left);
    parts[n++].n = left;
    size_t size = ipcert_jws_size(header, body);
    uint8_t *out = malloc(size);
    require(out != NULL, "memory");
    require(ipcert_jws(key, extra, parts, n, payload, out) == IPCERT_OK, "jws");
    require(memcmp(out, "{\"protected\":\"", 14) == 0 && memcmp(out + size - 2, "\"}", 2) == 0, "jws text");
    free(out);
    free((void *)payload.p);
    while (n--) {
        free((void *)parts[n].p);
    }
}

static int soak(long rounds) {
    for (long i = 0; i < rounds; i++) {
        size_t seed_n = IPCERT_SEED_MIN + draw(100);
        uint8_t *key = malloc(IPCERT_KEY), *again = malloc(IPCERT_KEY), *a = malloc(64), *b = malloc(64);
        ipcert_span_t seed = { filled(seed_n), seed_n }, extra = { filled(32), draw(2) * 32 };
        uint8_t *digest = filled(32);
        require(key && again && a && b, "memory");
        require(ipcert_generate(key, seed) == IPCERT_OK && key[IPCERT_SCALAR] == 4, "generate");
        memcpy(again, key, IPCERT_SCALAR);
        require(ipcert_public(again) == IPCERT_OK && memcmp(again, key, IPCERT_KEY) == 0, "public");
        require(ipcert_sign(key, extra, digest, a) == IPCERT_OK && ipcert_sign(key, extra, digest, b) == IPCERT_OK
            && memcmp(a, b, 64) == 0, "the same twice");
        one_jws(key, draw(300), draw(300));
        memset(again, i & 1 ? 0xff : 0, IPCERT_SCALAR);
        require(ipcert_public(again) == IPCERT_BAD_KEY && ipcert_check(again) == IPCERT_BAD_KEY
            && ipcert_sign(again, extra, digest, a) == IPCERT_BAD_KEY, "bad key");
        free(key);
        free(again);
        free(a);
        free(b);
        free(digest);
        free((void *)seed.p);
        free((void *)extra.p);
    }
    uint8_t key[IPCERT_KEY] = { 1 };
    for (size_t n = 0; n < 40; n++) {
        one_jws(key, n, 39 - n);
    }
    printf("%zu\n", ipcert_arena_peak());
    return 0;
}

enum { STACK = 65536, PIECE = 8 };

static uint8_t stack[STACK];
static ucontext_t here, there;
static uint8_t signing[IPCERT_KEY], digest[32], more[32], result[IPCERT_SIGNATURE], made[IPCERT_KEY], seed[48];
static int which;

static void work(void) {
    ipcert_span_t extra = { more, sizeof(more) }, entropy = { seed, sizeof(seed) };
    switch (which) {
        case 0:
            require(ipcert_sign(signing, extra, digest, result) == IPCERT_OK, "sign");
            break;
        case 1:
            require(ipcert_public(signing) == IPCERT_OK, "public");
            break;
        case 2:
            require(ipcert_check(signing) == IPCERT_OK, "check");
            break;
        default:
            require(ipcert_generate(made, entropy) == IPCERT_OK, "generate");
    }
}

// How many pieces of a secret of 32 bytes lie on the stack, as big-endian bytes or as a little-endian number's.
static int pieces(const uint8_t *secret) {
    int found = 0;
    for (int k = 0; k < 32; k += PIECE) {
        uint8_t turned[PIECE];
        for (int i = 0; i < PIECE; i++) {
            turned[i] = secret[k + PIECE - 1 - i];
        }
        for (size_t at = 0; at + PIECE <= STACK; at++) {
            found += memcmp(stack + at, secret + k, PIECE) == 0 || memcmp(stack + at, turned, PIECE) == 0;
        }
    }
    return found;
}

// The nonce of RFC 6979 3.6 for what `work` signs; digests here are below n.
static void nonce(uint8_t *k) {
    uint8_t material[96];
    mbedtls_hmac_drbg_context rng;
    memcpy(material, signing, 32);
    memcpy(material + 32, digest, 32);
    memcpy(material + 64, more, 32);
    ipcert_enter();
    mbedtls_hmac_drbg_init(&rng);
    require(mbedtls_hmac_drbg_seed_buf(&rng, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), material, sizeof(material)) == 0
        && mbedtls_hmac_drbg_random(&rng, k, 32) == 0, "nonce");
    mbedtls_hmac_drbg_free(&rng);
    ipcert_leave();
}

static void on_its_own_stack(void) {
    memset(stack, 0xaa, STACK);
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = STACK;
    there.uc_link = &here;
    makecontext(&there, work, 0);
    swapcontext(&here, &there);
}

static int traces(long rounds) {
    int keys = 0, nonces = 0, dirty = 0;
    size_t used = 0;
    for (long i = 0; i < rounds; i++) {
        uint8_t k[32];
        for (int n = 0; n < 48; n++) {
            seed[n] = (uint8_t)draw(256);
            signing[n % 32] = (uint8_t)draw(256);
            digest[n % 32] = (uint8_t)draw(256);
            more[n % 32] = (uint8_t)draw(256);
        }
        signing[0] &= 0x7f;
        digest[0] &= 0x7f;
        nonce(k);
        for (which = 0; which < 4; which++) {
            on_its_own_stack();
            keys += pieces(which == 3 ? made : signing);
            nonces += which == 0 ? pieces(k) : 0;
            dirty += !ipcert_arena_is_clean();
            size_t low = 0;
            while (low < STACK && stack[low] == 0xaa) {
                low++;
            }
            used = STACK - low > used ? STACK - low : used;
        }
    }
    printf("%d %d %d %zu\n", keys, nonces, dirty, used);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "traces") == 0) {
        return traces(atol(argv[2]));
    }
    return argc == 3 && strcmp(argv[1], "soak") == 0 ? soak(atol(argv[2])) : vectors();
}
