// `_ipcert` for MicroPython, built into a firmware (usermod) or loaded from a .mpy (natmod). README.md has the API.
// Every argument is checked before anything is written, and no Python code runs between the check and the use.

#if MICROPY_ENABLE_DYNRUNTIME
#include "natmod/unity.h"
#else
#include <string.h>

#include "py/objstr.h"
#include "py/runtime.h"
#include "py/mpthread.h"
#include "mbedtls/version.h"
#include "ipcert_native.h"
#endif

#if MICROPY_ENABLE_DYNRUNTIME
#define NAME "native natmod, p256-m"
// Taken at import: a caller may have other things under these names by now.
IPCERT_STATE const mp_obj_type_t *type_error, *value_error, *runtime_error;
#undef mp_raise_TypeError
#undef mp_raise_ValueError
#define mp_raise_TypeError(text) mp_raise_msg(type_error, text)
#define mp_raise_ValueError(text) mp_raise_msg(value_error, text)
#define raise_RuntimeError(text) mp_raise_msg(runtime_error, text)
#define MP_ERROR_TEXT_(text) text
#else
#define NAME "native usermod, Mbed TLS " MBEDTLS_VERSION_STRING
#define raise_RuntimeError(text) mp_raise_msg(&mp_type_RuntimeError, text)
#define MP_ERROR_TEXT_(text) MP_ERROR_TEXT(text)
#if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
mp_thread_mutex_t ipcert_arena_mutex;
#endif
#endif

#if MICROPY_ENABLE_DYNRUNTIME
// A natmod cannot have a lock. Two threads in it at once would share p256-m's generator: the second is refused.
IPCERT_STATE volatile bool busy;
static void begin(void) {
    if (busy) {
        raise_RuntimeError(MP_ERROR_TEXT_("busy in another thread"));
    }
    busy = true;
}
#define done() (busy = false)
#else
#define begin()
#define done()
#endif

static ipcert_span_t readable(mp_obj_t o) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(o, &info, MP_BUFFER_READ);
    ipcert_span_t span = { info.buf, info.len };
    return span;
}

static size_t number(mp_obj_t o) {
    if (!mp_obj_is_small_int(o)) {
        mp_raise_TypeError(MP_ERROR_TEXT_("offset must be an int"));
    }
    mp_int_t value = MP_OBJ_SMALL_INT_VALUE(o);
    if (value < 0) {
        mp_raise_ValueError(MP_ERROR_TEXT_("offset is negative"));
    }
    return (size_t)value;
}

static ipcert_span_t range(mp_obj_t buffer, mp_obj_t start_in, mp_obj_t end_in) {
    ipcert_span_t span = readable(buffer);
    size_t start = number(start_in), end = number(end_in);
    if (start > end || end > span.n) {
        mp_raise_ValueError(MP_ERROR_TEXT_("start or end is not in the buffer"));
    }
    span.p += start;
    span.n = end - start;
    return span;
}

// `need` writable bytes at `off` of a buffer.
static uint8_t *room(mp_obj_t buffer, mp_obj_t off_in, size_t need) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(buffer, &info, MP_BUFFER_WRITE);
    size_t off = number(off_in);
    if (off > info.len || need > info.len - off) {
        mp_raise_ValueError(MP_ERROR_TEXT_("output buffer is too small"));
    }
    return (uint8_t *)info.buf + off;
}

static void apart(const uint8_t *out, size_t n, ipcert_span_t in) {
    uintptr_t a = (uintptr_t)out, b = (uintptr_t)in.p;
    if (n && in.n && a < b + in.n && b < a + n) {
        mp_raise_ValueError(MP_ERROR_TEXT_("output overlaps an input"));
    }
}

static ipcert_span_t key_in(mp_obj_t o) {
    ipcert_span_t key = readable(o);
    if (key.n != IPCERT_KEY) {
        mp_raise_ValueError(MP_ERROR_TEXT_("key must be a bytearray of 97"));
    }
    return key;
}

static uint8_t *key_out(mp_obj_t o) {
    key_in(o);
    return room(o, MP_OBJ_NEW_SMALL_INT(0), IPCERT_KEY);
}

static ipcert_span_t extra_in(mp_obj_t o) {
    ipcert_span_t extra = readable(o);
    if (extra.n != 0 && extra.n != 32) {
        mp_raise_ValueError(MP_ERROR_TEXT_("extra must be 0 or 32 bytes"));
    }
    return extra;
}

static void check(int status) {
    if (status == IPCERT_BAD_KEY) {
        mp_raise_ValueError(MP_ERROR_TEXT_("key is not a P-256 private key"));
    }
    if (status != IPCERT_OK) {
        raise_RuntimeError(MP_ERROR_TEXT_("signing failed"));
    }
}

static mp_obj_t next_offset(mp_obj_t off, size_t n) {
    return MP_OBJ_NEW_SMALL_INT(MP_OBJ_SMALL_INT_VALUE(off) + (mp_int_t)n);
}

// generate(key, seed) -> bool
static mp_obj_t generate(mp_obj_t key_obj, mp_obj_t seed_obj) {
    uint8_t *key = key_out(key_obj);
    ipcert_span_t seed = readable(seed_obj);
    if (seed.n < IPCERT_SEED_MIN || seed.n > IPCERT_LONGEST) {
        mp_raise_ValueError(MP_ERROR_TEXT_("seed must be 48 bytes"));
    }
    apart(key, IPCERT_KEY, seed);
    begin();
    int status = ipcert_generate(key, seed);
    done();
    return mp_obj_new_bool(status == IPCERT_OK);
}
static MP_DEFINE_CONST_FUN_OBJ_2(generate_obj, generate);

// public(key)
static mp_obj_t public(mp_obj_t key_obj) {
    uint8_t *key = key_out(key_obj);
    begin();
    int status = ipcert_public(key);
    done();
    check(status);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(public_obj, public);

static mp_obj_t sign_into(mp_obj_t key_obj, mp_obj_t extra_obj, ipcert_span_t in, bool hashed, mp_obj_t out_obj,
    mp_obj_t off) {
    uint8_t digest[32], signature[IPCERT_SIGNATURE];
    ipcert_span_t key = key_in(key_obj), extra = extra_in(extra_obj);
    uint8_t *out = room(out_obj, off, IPCERT_SIGNATURE);
    apart(out, IPCERT_SIGNATURE, key);
    apart(out, IPCERT_SIGNATURE, extra);
    apart(out, IPCERT_SIGNATURE, in);
    begin();
    if (!hashed) {
        ipcert_sha256(in, digest);
    }
    int status = ipcert_sign(key.p, extra, hashed ? in.p : digest, signature);
    done();
    check(status);
    memcpy(out, signature, IPCERT_SIGNATURE);
    return next_offset(off, IPCERT_SIGNATURE);
}

// sign(key, extra, buf, start, end, out, off) -> new offset
static mp_obj_t sign(size_t n, const mp_obj_t *a) {
    (void)n;
    return sign_into(a[0], a[1], range(a[2], a[3], a[4]), false, a[5], a[6]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(sign_obj, 7, 7, sign);

// sign_digest(key, extra, digest, out, off) -> new offset
static mp_obj_t sign_digest(size_t n, const mp_obj_t *a) {
    (void)n;
    ipcert_span_t digest = readable(a[2]);
    if (digest.n != 32) {
        mp_raise_ValueError(MP_ERROR_TEXT_("digest must be 32 bytes"));
    }
    return sign_into(a[0], a[1], digest, true, a[3], a[4]);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(sign_digest_obj, 5, 5, sign_digest);

// sha256(buf, start, end, out, off) -> new offset
static mp_obj_t sha256(size_t n, const mp_obj_t *a) {
    (void)n;
    ipcert_span_t in = range(a[0], a[1], a[2]);
    uint8_t *out = room(a[3], a[4], 32);
    apart(out, 32, in);
    ipcert_sha256(in, out);
    return next_offset(a[4], 32);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(sha256_obj, 5, 5, sha256);

// Buffers of a list or tuple; returns how many, the sum of their sizes in *total.
static size_t parts_in(mp_obj_t o, ipcert_span_t *parts, size_t *total) {
    size_t n;
    mp_obj_t *items;
    if (mp_obj_get_type(o) == &mp_type_list) {
        mp_obj_list_t *list = MP_OBJ_TO_PTR(o);
        n = list->len;
        items = list->items;
    } else if (mp_obj_get_type(o) == &mp_type_tuple) {
        mp_obj_tuple_t *tuple = MP_OBJ_TO_PTR(o);
        n = tuple->len;
        items = tuple->items;
    } else {
        mp_raise_TypeError(MP_ERROR_TEXT_("parts must be a list"));
    }
    if (n > IPCERT_PARTS) {
        mp_raise_ValueError(MP_ERROR_TEXT_("more than 16 parts"));
    }
    *total = 0;
    for (size_t i = 0; i < n; i++) {
        parts[i] = readable(items[i]);
        if (parts[i].n > IPCERT_LONGEST - *total) {
            mp_raise_ValueError(MP_ERROR_TEXT_("too long"));
        }
        *total += parts[i].n;
    }
    return n;
}

// jws(key, extra, parts, payload, n, out, off) -> new offset
static mp_obj_t jws(size_t n_args, const mp_obj_t *a) {
    (void)n_args;
    ipcert_span_t parts[IPCERT_PARTS];
    size_t total;
    ipcert_span_t key = key_in(a[0]), extra = extra_in(a[1]);
    size_t n = parts_in(a[2], parts, &total);
    ipcert_span_t payload = range(a[3], MP_OBJ_NEW_SMALL_INT(0), a[4]);
    if (payload.n > IPCERT_LONGEST) {
        mp_raise_ValueError(MP_ERROR_TEXT_("too long"));
    }
    size_t size = ipcert_jws_size(total, payload.n);
    uint8_t *out = room(a[5], a[6], size);
    apart(out, size, key);
    apart(out, size, extra);
    apart(out, size, payload);
    for (size_t i = 0; i < n; i++) {
        apart(out, size, parts[i]);
    }
    begin();
    int status = ipcert_check(key.p);
    if (status == IPCERT_OK) {
        status = ipcert_jws(key.p, extra, parts, n, payload, out);
    }
    done();
    check(status);
    return next_offset(a[6], size);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(jws_obj, 7, 7, jws);

#if MICROPY_ENABLE_DYNRUNTIME

__attribute__((externally_visible)) // the whole program is this file (natmod/Makefile)
mp_obj_t mpy_init(mp_obj_fun_bc_t *self, size_t n_args, size_t n_kw, mp_obj_t *args) {
    MP_DYNRUNTIME_INIT_ENTRY
    type_error = mp_load_global(MP_QSTR_TypeError);
    value_error = mp_load_global(MP_QSTR_ValueError);
    runtime_error = mp_load_global(MP_QSTR_RuntimeError);
    mp_store_global(MP_QSTR_NAME, mp_obj_new_str(NAME, sizeof(NAME) - 1));
    mp_store_global(MP_QSTR_KEY_SIZE, MP_OBJ_NEW_SMALL_INT(IPCERT_KEY));
    mp_store_global(MP_QSTR_generate, MP_OBJ_FROM_PTR(&generate_obj));
    mp_store_global(MP_QSTR_public, MP_OBJ_FROM_PTR(&public_obj));
    mp_store_global(MP_QSTR_sign, MP_OBJ_FROM_PTR(&sign_obj));
    mp_store_global(MP_QSTR_sign_digest, MP_OBJ_FROM_PTR(&sign_digest_obj));
    mp_store_global(MP_QSTR_jws, MP_OBJ_FROM_PTR(&jws_obj));
    mp_store_global(MP_QSTR_sha256, MP_OBJ_FROM_PTR(&sha256_obj));
    MP_DYNRUNTIME_INIT_EXIT
}

#else

#if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
static mp_obj_t init(void) {
    static bool made; // once: it can be called from Python too, while another thread signs
    if (!made) {
        mp_thread_mutex_init(&ipcert_arena_mutex);
        made = true;
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(init_obj, init);
#endif

static const MP_DEFINE_STR_OBJ(name_obj, NAME);

static const mp_rom_map_elem_t globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR__ipcert) },
    #if MICROPY_PY_THREAD && !MICROPY_PY_THREAD_GIL
    { MP_ROM_QSTR(MP_QSTR___init__), MP_ROM_PTR(&init_obj) },
    #endif
    { MP_ROM_QSTR(MP_QSTR_NAME), MP_ROM_PTR(&name_obj) },
    { MP_ROM_QSTR(MP_QSTR_KEY_SIZE), MP_ROM_INT(IPCERT_KEY) },
    { MP_ROM_QSTR(MP_QSTR_generate), MP_ROM_PTR(&generate_obj) },
    { MP_ROM_QSTR(MP_QSTR_public), MP_ROM_PTR(&public_obj) },
    { MP_ROM_QSTR(MP_QSTR_sign), MP_ROM_PTR(&sign_obj) },
    { MP_ROM_QSTR(MP_QSTR_sign_digest), MP_ROM_PTR(&sign_digest_obj) },
    { MP_ROM_QSTR(MP_QSTR_jws), MP_ROM_PTR(&jws_obj) },
    { MP_ROM_QSTR(MP_QSTR_sha256), MP_ROM_PTR(&sha256_obj) },
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t ipcert_native_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&globals,
};
MP_REGISTER_MODULE(MP_QSTR__ipcert, ipcert_native_module);

#endif
