// A static arena for the library while it signs, so that a signature never touches MicroPython's heap (which may be
// locked, full or fragmented). First fit over blocks with a header; what is freed is wiped, and all of it at the end.

#include <string.h>

#include "ipcert_native.h"

#include "mbedtls/platform_util.h"

#ifndef IPCERT_ARENA

void ipcert_enter(void) {
}

void ipcert_leave(void) {
}

#elif defined(IPCERT_ARENA_BUMP)

// For a library that asks for two blocks and frees them at the end: nothing is taken back before leave().
IPCERT_STATE uint64_t arena[IPCERT_ARENA / sizeof(uint64_t)];
IPCERT_STATE size_t in_use;

void ipcert_enter(void) {
    in_use = 0;
}

void ipcert_leave(void) {
    mbedtls_platform_zeroize(arena, sizeof(arena));
}

#ifdef IPCERT_HOST
size_t ipcert_arena_peak(void) {
    return in_use * sizeof(uint64_t);
}
#endif

void *ipcert_calloc(size_t count, size_t size) {
    size_t need = (count * size + sizeof(uint64_t) - 1) / sizeof(uint64_t); // both are the library's constants
    uint64_t *p = arena + in_use;
    if (need > IPCERT_ARENA / sizeof(uint64_t) - in_use) {
        return NULL;
    }
    in_use += need;
    return p; // zero since leave()
}

void ipcert_free(void *p) {
    (void)p;
}

#else

#include "ipcert_arena.h"

typedef struct {
    uint32_t units; // of this block, its header included
    uint32_t used;
} unit_t;

#define UNITS (IPCERT_ARENA / sizeof(unit_t))

static unit_t arena[UNITS];
static const void *volatile owner; // whose allocations come here, NULL outside enter/leave

void ipcert_enter(void) {
    ipcert_arena_lock();
    arena[0].units = UNITS;
    arena[0].used = 0;
    owner = ipcert_arena_self();
}

void ipcert_leave(void) {
    owner = NULL;
    mbedtls_platform_zeroize(arena, sizeof(arena));
    ipcert_arena_unlock();
}

#ifdef IPCERT_HOST
static size_t in_use, peak;

size_t ipcert_arena_peak(void) {
    return peak;
}

int ipcert_arena_is_clean(void) {
    for (size_t i = 0; i < sizeof(arena); i++) {
        if (((const uint8_t *)arena)[i]) {
            return 0;
        }
    }
    return 1;
}

static void tally(long bytes) {
    in_use += (size_t)bytes;
    peak = in_use > peak ? in_use : peak;
}
#else
#define tally(bytes)
#endif

void *ipcert_calloc(size_t count, size_t size) {
    if (owner == NULL || owner != ipcert_arena_self()) {
        return ipcert_port_calloc(count, size);
    }
    if (size != 0 && count > IPCERT_ARENA / size) {
        return NULL;
    }
    // At least one unit besides the header: what is handed out always lies in the arena, so that free() knows it.
    size_t need = 1 + (count * size != 0 ? (count * size + sizeof(unit_t) - 1) / sizeof(unit_t) : 1);
    for (unit_t *b = arena; b < arena + UNITS; b += b->units) {
        if (b->used) {
            continue;
        }
        for (unit_t *next = b + b->units; next < arena + UNITS && !next->used; next = b + b->units) {
            b->units += next->units;
        }
        if (b->units < need) {
            continue;
        }
        if (b->units > need) {
            b[need].units = (uint32_t)(b->units - need);
            b[need].used = 0;
            b->units = (uint32_t)need;
        }
        b->used = 1;
        tally((long)(need * sizeof(unit_t)));
        memset(b + 1, 0, (need - 1) * sizeof(unit_t));
        return b + 1;
    }
    return NULL;
}

void ipcert_free(void *p) {
    unit_t *b = p;
    if (b == NULL) {
        return;
    }
    if (b < arena || b >= arena + UNITS) {
        ipcert_port_free(p);
        return;
    }
    b--;
    tally(-(long)(b->units * sizeof(unit_t)));
    mbedtls_platform_zeroize(b + 1, (b->units - 1) * sizeof(unit_t));
    b->used = 0;
}

#endif
