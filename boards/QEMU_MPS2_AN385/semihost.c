#include <string.h>
#include "semihost.h"

#define SYS_OPEN            (0x01)
#define SYS_READ            (0x06)
#define SYS_TIME            (0x11)
#define SYS_GET_CMDLINE     (0x15)
#define SYS_EXIT            (0x18)

#define OPEN_MODE_RB        (1)
#define EXIT_APPLICATION    (0x20026) // ADP_Stopped_ApplicationExit
#define EXIT_RUNTIME_ERROR  (0x20023) // ADP_Stopped_RunTimeErrorUnknown

static char cmdline[SEMIHOST_CMDLINE_MAX];

static uint32_t call(uint32_t op, const void *arg) {
    register uint32_t r0 __asm ("r0") = op;
    register const void *r1 __asm ("r1") = arg;
    __asm volatile ("bkpt 0xab" : "+r" (r0) : "r" (r1) : "memory");
    return r0;
}

void semihost_init(void) {
    struct { char *buf; uint32_t len; } args = { cmdline, sizeof(cmdline) - 1 };
    if (call(SYS_GET_CMDLINE, &args) != 0) {
        cmdline[0] = 0;
    }
}

const char *semihost_arg(const char *name) {
    size_t n = strlen(name);
    for (const char *p = cmdline; *p; p++) {
        if ((p == cmdline || p[-1] == ' ') && strncmp(p, name, n) == 0 && p[n] == '=') {
            return p + n + 1;
        }
    }
    return NULL;
}

int32_t semihost_arg_int(const char *name, int32_t otherwise) {
    const char *p = semihost_arg(name);
    if (p == NULL) {
        return otherwise;
    }
    bool negative = *p == '-';
    p += (*p == '-' || *p == '+');
    int32_t value = 0;
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (*p - '0');
    }
    return negative ? -value : value;
}

bool semihost_arg_is(const char *name, const char *value) {
    const char *p = semihost_arg(name);
    size_t n = strlen(value);
    return p != NULL && strncmp(p, value, n) == 0 && (p[n] == 0 || p[n] == ' ');
}

int semihost_open_read(const char *path) {
    struct { const char *path; uint32_t mode; uint32_t len; } args = { path, OPEN_MODE_RB, strlen(path) };
    return (int)call(SYS_OPEN, &args);
}

bool semihost_read(int handle, void *buf, size_t len) {
    struct { int handle; void *buf; uint32_t len; } args = { handle, buf, len };
    return call(SYS_READ, &args) == 0; // it answers how many bytes did not come
}

uint32_t semihost_time(void) {
    return call(SYS_TIME, NULL);
}

void semihost_exit(bool ok) {
    call(SYS_EXIT, (void *)(uintptr_t)(ok ? EXIT_APPLICATION : EXIT_RUNTIME_ERROR));
    for (;;) {
    }
}
