// The part of the C library that lwIP wants and MicroPython does not bring.
#include <stdlib.h>

int atoi(const char *s) {
    int value = 0;
    while (*s >= '0' && *s <= '9') {
        value = value * 10 + (*s++ - '0');
    }
    return value;
}
