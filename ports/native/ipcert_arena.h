// What the arena needs of the build it is in: where other memory comes from, and who is calling.
#ifndef IPCERT_ARENA_H
#define IPCERT_ARENA_H

#include <stddef.h>

#include "mbedtls/build_info.h"

#if defined(IPCERT_FUZZ) // the fuzz target has memory of its own, for its own use of the library

void *ipcert_port_calloc(size_t count, size_t size);
void ipcert_port_free(void *p);
#define ipcert_arena_self() ((const void *)1)
#define ipcert_arena_lock()
#define ipcert_arena_unlock()

#elif defined(IPCERT_HOST) // the test driver: one thread, and no memory but the arena

static void *ipcert_port_calloc(size_t count, size_t size) {
    (void)count;
    (void)size;
    return NULL;
}
static void ipcert_port_free(void *p) {
    (void)p;
}
#define ipcert_arena_self() ((const void *)1)
#define ipcert_arena_lock()
#define ipcert_arena_unlock()

#else

#include <stdlib.h>

#include "py/mpthread.h"

#if defined(MBEDTLS_PLATFORM_NO_STD_FUNCTIONS) // bare metal: MicroPython's heap, tracked as roots
#define ipcert_port_calloc m_tracked_calloc
#define ipcert_port_free m_tracked_free
#else
#define ipcert_port_calloc calloc
#define ipcert_port_free free
#endif

#if MICROPY_PY_THREAD
#define ipcert_arena_self() ((const void *)mp_thread_get_state())
#else
#define ipcert_arena_self() ((const void *)1)
#endif

#if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
extern mp_thread_mutex_t ipcert_arena_mutex; // module.c makes it when `_ipcert` is imported
#define ipcert_arena_lock() mp_thread_mutex_lock(&ipcert_arena_mutex, 1)
#define ipcert_arena_unlock() mp_thread_mutex_unlock(&ipcert_arena_mutex)
#else
#define ipcert_arena_lock()
#define ipcert_arena_unlock()
#endif

#endif
#endif
