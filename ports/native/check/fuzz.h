// What the fuzz targets share: reading decisions from an input, and buffers of exactly their size.
#ifndef IPCERT_FUZZ_H
#define IPCERT_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipcert_native.h"

typedef struct {
    const uint8_t *p;
    size_t n;
} input_t;

static inline uint8_t next_byte(input_t *in) {
    if (in->n == 0) {
        return 0;
    }
    in->n--;
    return *in->p++;
}

// A size: small ones as they are, and those that the code looks for.
static inline size_t next_size(input_t *in) {
    static const uint16_t special[] = { 31, 32, 33, 47, 48, 63, 64, 65, 96, 97, 98, 220, 256, 300, 1000, 2000 };
    uint8_t b = next_byte(in);
    return b < 200 ? b : special[b % 16];
}

static inline void *exactly(size_t n) {
    void *p = malloc(n);
    if (p == NULL && n) {
        exit(2);
    }
    return p;
}

// `n` bytes on the heap, where AddressSanitizer guards both ends: from the input, then its last byte over and over.
static inline uint8_t *taken(input_t *in, size_t n) {
    uint8_t *p = exactly(n), last = 0;
    for (size_t i = 0; i < n; i++) {
        last = in->n ? next_byte(in) : last;
        p[i] = last;
    }
    return p;
}

static inline void require(int condition, const char *what) {
    if (!condition) {
        fprintf(stderr, "failed: %s\n", what);
        abort();
    }
}

#endif
