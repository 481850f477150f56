#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "mbedtls/build_info.h"
#include "mbedtls/platform_util.h"
#include "tlspool.h"

// What Mbed TLS adds to the content for header, IV, MAC and padding (ssl_misc.h, MBEDTLS_SSL_PAYLOAD_OVERHEAD) is less.
#define OVERHEAD            (352)
#define RECEIVE_SIZE        (MBEDTLS_SSL_IN_CONTENT_LEN + OVERHEAD)
#define SEND_SIZE           (MBEDTLS_SSL_OUT_CONTENT_LEN + OVERHEAD)

void *__real_m_tracked_calloc(size_t count, size_t size);
void __real_m_tracked_free(void *p);

typedef struct {
    size_t size;
    uint8_t *memory;
    bool used[TLSPOOL_CONNECTIONS];
} shelf_t;

// A block of the arena: this header, then the bytes. Lengths are in units of a header.
typedef struct {
    uint32_t units;         // of this block, its header included
    uint32_t used;
} unit_t;

#define UNITS               (TLSPOOL_ARENA / sizeof(unit_t))

static uint32_t receive_memory[TLSPOOL_CONNECTIONS][RECEIVE_SIZE / 4];
static uint32_t send_memory[TLSPOOL_CONNECTIONS][SEND_SIZE / 4];
static shelf_t send_shelf = { SEND_SIZE, (uint8_t *)send_memory, { false } };
static shelf_t receive_shelf = { RECEIVE_SIZE, (uint8_t *)receive_memory, { false } };
static unit_t arena[UNITS];
static size_t overflowing;

tlspool_stats_t tlspool_stats = { .bytes = sizeof(receive_memory) + sizeof(send_memory) + sizeof(arena) };

static void note(size_t *now, size_t *peak, size_t more) {
    *now += more;
    if (*now > *peak) {
        *peak = *now;
    }
}

static void *take(shelf_t *shelf, size_t size) {
    for (size_t i = 0; i < TLSPOOL_CONNECTIONS; i++) {
        if (!shelf->used[i]) {
            shelf->used[i] = true;
            return memset(shelf->memory + i * shelf->size, 0, size);
        }
    }
    return NULL;
}

static bool give_back(shelf_t *shelf, void *p) {
    uint8_t *at = p;
    if (at < shelf->memory || at >= shelf->memory + TLSPOOL_CONNECTIONS * shelf->size) {
        return false;
    }
    mbedtls_platform_zeroize(at, shelf->size);
    shelf->used[(size_t)(at - shelf->memory) / shelf->size] = false;
    return true;
}

// The smallest free block that is large enough, so that large ones stay whole.
static void *arena_take(size_t size) {
    size_t need = 1 + (size + sizeof(unit_t) - 1) / sizeof(unit_t);
    if (arena[0].units == 0) {
        arena[0].units = UNITS;
    }
    unit_t *best = NULL;
    for (unit_t *b = arena; b < arena + UNITS; b += b->units) {
        if (b->used) {
            continue;
        }
        for (unit_t *next = b + b->units; next < arena + UNITS && !next->used; next = b + b->units) {
            b->units += next->units;
        }
        if (b->units >= need && (best == NULL || b->units < best->units)) {
            best = b;
        }
    }
    if (best == NULL) {
        return NULL;
    }
    if (best->units > need) {
        best[need] = (unit_t) { best->units - need, 0 };
        best->units = need;
    }
    best->used = 1;
    note(&tlspool_stats.arena, &tlspool_stats.arena_peak, need * sizeof(unit_t));
    return memset(best + 1, 0, (need - 1) * sizeof(unit_t));
}

static bool arena_give_back(void *p) {
    unit_t *b = p;
    if (b < arena || b >= arena + UNITS) {
        return false;
    }
    b--;
    tlspool_stats.arena -= b->units * sizeof(unit_t);
    mbedtls_platform_zeroize(b + 1, (b->units - 1) * sizeof(unit_t));
    b->used = 0;
    return true;
}

// The linker puts these two in place of m_tracked_calloc and m_tracked_free (--wrap). A size is a record buffer's when
// it is in the narrow band above the content length.
void *__wrap_m_tracked_calloc(size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / 2 / size) {
        return NULL;
    }
    size_t all = count * size;
    void *p = NULL;
    if (count == 1 && size > MBEDTLS_SSL_IN_CONTENT_LEN && size <= RECEIVE_SIZE) {
        p = take(&receive_shelf, size);
        if (p != NULL) {
            note(&tlspool_stats.places, &tlspool_stats.places_peak, 1);
        }
    } else if (count == 1 && size > MBEDTLS_SSL_OUT_CONTENT_LEN && size <= SEND_SIZE) {
        p = take(&send_shelf, size);
    } else {
        p = arena_take(all);
    }
    if (p != NULL) {
        return p;
    }
    // The size is kept in front, for the count of what overflows.
    uint32_t *more = __real_m_tracked_calloc(1, all + sizeof(unit_t));
    if (more == NULL) {
        return NULL;
    }
    more[0] = all;
    tlspool_stats.overflows++;
    note(&overflowing, &tlspool_stats.overflow_peak, all);
    return more + 2;
}

void __wrap_m_tracked_free(void *p) {
    if (p == NULL || arena_give_back(p) || give_back(&send_shelf, p)) {
        return;
    }
    if (give_back(&receive_shelf, p)) {
        tlspool_stats.places--;
        return;
    }
    uint32_t *more = (uint32_t *)p - 2;
    overflowing -= more[0];
    mbedtls_platform_zeroize(p, more[0]);
    __real_m_tracked_free(more);
}
