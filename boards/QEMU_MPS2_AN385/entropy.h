// Randomness. The mps2-an385 has no generator of its own, so every byte comes from the host's urandom, by semihosting.
// On a machine without semihosting nothing that needs a secret works, and nothing is put in its place.
#ifndef IPCERT_ENTROPY_H
#define IPCERT_ENTROPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Opens the source. The boot argument entropy=none leaves it shut, for tests.
void entropy_init(void);

// True when entropy_fill() can be expected to work.
bool entropy_ready(void);

// Fills buf with fresh random bytes; false (and buf zeroed) when there are none.
bool entropy_fill(void *buf, size_t len);

// For lwIP's port numbers, sequence numbers and DNS transaction numbers: from entropy_fill() where possible, else from
// the timer. Never for keys.
uint32_t entropy_network_u32(void);

#endif // IPCERT_ENTROPY_H
