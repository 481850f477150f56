// ARM semihosting (ARM document 100863): what this board asks of the host that runs QEMU.
#ifndef IPCERT_SEMIHOST_H
#define IPCERT_SEMIHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The longest boot command line that is read, in bytes with the final NUL.
#define SEMIHOST_CMDLINE_MAX (512)

// Reads the QEMU arguments given with -semihosting-config arg=...; an empty string when there are none.
void semihost_init(void);

// The value of `name=value` among the boot arguments, or NULL. Stays valid for ever; ends at a space or NUL.
const char *semihost_arg(const char *name);

// The integer value of a boot argument (decimal, may have a sign), or `otherwise` when it is not given.
int32_t semihost_arg_int(const char *name, int32_t otherwise);

// True when the argument is given and its value is exactly `value`.
bool semihost_arg_is(const char *name, const char *value);

// Opens a host file for binary reading; a handle, or -1.
int semihost_open_read(const char *path);

// Reads exactly len bytes; false when fewer came.
bool semihost_read(int handle, void *buf, size_t len);

// Seconds since 1970-01-01 UTC on the host's clock.
uint32_t semihost_time(void);

// Ends QEMU. Its exit status is 0 when ok, else 1.
void semihost_exit(bool ok) __attribute__((noreturn));

#endif // IPCERT_SEMIHOST_H
