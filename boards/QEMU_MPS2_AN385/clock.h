// The wall clock: the host's, read by semihosting, plus an offset that tests use to stand elsewhere in time.
#ifndef IPCERT_CLOCK_H
#define IPCERT_CLOCK_H

#include <stdint.h>

// Seconds between the host's clock and ours. The boot argument clock=SECONDS sets it; mps2.clock() reads and changes it.
extern int32_t clock_offset;

// Seconds since 1970-01-01 UTC.
uint32_t clock_unix(void);

#endif // IPCERT_CLOCK_H
