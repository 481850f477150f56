// How much memory is in use, and how much it has been.
#ifndef IPCERT_MEMORY_H
#define IPCERT_MEMORY_H

#include <stddef.h>
#include <stdint.h>

// The GC heap in bytes: the boot argument heap=BYTES, else 96 KB; at least 16 KB, at most what mps2.ld gives.
size_t memory_heap_size(void);

// The most that was live after any garbage collection since boot, in bytes. With gc.threshold(n) set, the true peak is
// at most n bytes above.
extern size_t memory_heap_peak;

// Stack reserved, and the most that was ever used, in bytes (from the pattern that Reset_Handler lays).
size_t memory_stack_size(void);
size_t memory_stack_peak(void);

#endif // IPCERT_MEMORY_H
