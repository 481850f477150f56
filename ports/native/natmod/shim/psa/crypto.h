// p256-m's copy in Mbed TLS takes its randomness from here; curve_p256m.c answers.
#include <stddef.h>
#include <stdint.h>
int psa_generate_random(uint8_t *out, size_t n);
