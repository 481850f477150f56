#include <string.h>
#include "entropy.h"
#include "mphalport.h"
#include "semihost.h"

static int handle = -1;

void entropy_init(void) {
    if (!semihost_arg_is("entropy", "none")) {
        handle = semihost_open_read("/dev/urandom");
    }
}

bool entropy_ready(void) {
    return handle >= 0;
}

bool entropy_fill(void *buf, size_t len) {
    if (handle >= 0 && semihost_read(handle, buf, len)) {
        return true;
    }
    memset(buf, 0, len);
    return false;
}

uint32_t entropy_network_u32(void) {
    uint32_t value;
    if (!entropy_fill(&value, sizeof(value))) {
        value = (uint32_t)board_ticks() * 2654435761u;
    }
    return value;
}
