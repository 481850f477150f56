// Runs the C part of _ipcert on the host, under the sanitizers and with either library.
//   driver vectors       lines "d digest extra" (hex, extra may be -) on stdin; r||s in hex, or "bad", on stdout
//   driver soak ROUNDS   every size of JWS in buffers of exactly that size, keys and signatures in exact buffers;
//                        prints the arena's peak in bytes
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

int main(int argc, char **argv) {
    return argc == 3 && strcmp(argv[1], "soak") == 0 ? soak(atol(argv[2])) : vectors();
}
