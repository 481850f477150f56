// Included by extmod/modos.c.
#include "entropy.h"

static mp_obj_t mp_os_urandom(mp_obj_t num) {
    mp_int_t n = mp_obj_get_int(num);
    if (n < 0) {
        mp_raise_ValueError(NULL);
    }
    vstr_t vstr;
    vstr_init_len(&vstr, n);
    if (!entropy_fill(vstr.buf, n)) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("no entropy source: start QEMU with semihosting"));
    }
    return mp_obj_new_bytes_from_vstr(&vstr);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mp_os_urandom_obj, mp_os_urandom);
