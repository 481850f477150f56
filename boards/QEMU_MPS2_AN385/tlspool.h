// Record buffers of TLS connections, out of the garbage collected heap.
//
// Each connection needs a receive buffer of 16.7 KB and a send buffer of 4.4 KB in one piece. Objects that outlive a
// connection settle between them, and after a while no hole is large enough although the heap is half empty. So these
// two come from fixed slots; when all are taken, the heap is tried, as without them.
#ifndef IPCERT_TLSPOOL_H
#define IPCERT_TLSPOOL_H

#include <stddef.h>

// Connections that have a place: one to the CA, one from a visitor.
#define TLSPOOL_CONNECTIONS (2)

// The bytes that the slots take from RAM.
size_t tlspool_size(void);

// Slots taken now, and the most that ever were: of TLSPOOL_CONNECTIONS receive buffers.
size_t tlspool_used(void);
size_t tlspool_peak(void);

#endif // IPCERT_TLSPOOL_H
