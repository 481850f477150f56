// Mbed TLS's memory, apart from the garbage collected heap: fixed places for record buffers and an arena for the rest.
//
// Each connection needs a receive buffer of 16.7 KB and a send buffer of 4.4 KB in one piece. On the common heap, objects
// that outlive a connection settle between them, and after a while no hole is large enough although the heap is half
// empty. (Ports with a C library heap, ESP32 for one, keep TLS apart in the same way.) When a place or the arena runs
// out, the heap is tried.
#ifndef IPCERT_TLSPOOL_H
#define IPCERT_TLSPOOL_H

#include <stddef.h>

// Connections that have a place: one to the CA, one from a visitor.
#define TLSPOOL_CONNECTIONS (2)

// Bytes for contexts, certificates and handshakes. README.md has what a day's work needs at most.
#ifndef TLSPOOL_ARENA
#define TLSPOOL_ARENA (22 * 1024)
#endif

typedef struct {
    size_t bytes;           // all of it, in RAM
    size_t places;          // record buffer pairs taken now
    size_t places_peak;     // and at most since boot
    size_t arena;           // bytes of the arena in use now
    size_t arena_peak;
    size_t overflows;       // allocations that had to go to the heap
    size_t overflow_peak;   // the most bytes of them at one time
} tlspool_stats_t;

extern tlspool_stats_t tlspool_stats;

#endif // IPCERT_TLSPOOL_H
