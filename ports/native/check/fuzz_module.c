// libFuzzer: `_ipcert` as MicroPython calls it (module.c in MicroPython's own core), with arguments of every type, and
// buffers, ranges and offsets that fit, do not, and overlap; tools/fuzz native_module.
//
// A call either raises TypeError or ValueError and has changed no byte, or returns what README.md says and has changed
// the output alone. The buffers are views of blocks from malloc, so AddressSanitizer guards their ends.
#include "fuzz.h"

#include "py/builtin.h"
#include "py/gc.h"
#include "py/objlist.h"
#include "py/objtuple.h"
#include "py/runtime.h"
#include "py/smallint.h"
#include "port/micropython_embed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

extern const mp_obj_module_t ipcert_native_module;

// HEAP: for the copies that CALLS calls can ask for, each of 7 arguments or IPCERT_PARTS + 2 parts 2,000 bytes long.
enum { BLOCKS = 3, CALLS = 4, HEAP = 256 * 1024 };

typedef struct {
    uint8_t *p;
    size_t n;
    uint8_t *before;
} block_t;

static block_t blocks[BLOCKS];

// A bytes-like object over a part of a block. `out` is told where it lies.
static mp_obj_t buffer(input_t *in, input_t *out) {
    uint8_t how = next_byte(in);
    block_t *b = &blocks[how % BLOCKS];
    size_t at = 0, n = b->n;
    if (how & 0x40) {
        at = next_size(in);
        at = at > b->n ? b->n : at;
        n = next_size(in);
        n = n > b->n - at ? b->n - at : n;
    }
    out->p = b->p + at;
    out->n = n;
    if (how & 0x80 && how & 0x20) {
        return mp_obj_new_bytes(b->p + at, n); // read-only
    }
    return mp_obj_new_bytearray_by_ref(n, b->p + at);
}

static mp_obj_t anything(input_t *in) {
    switch (next_byte(in) % 8) {
        case 0:
            return mp_const_none;
        case 1:
            return mp_const_true;
        case 2:
            return mp_obj_new_str("text", 4);
        case 3:
            return mp_obj_new_list(0, NULL);
        case 4:
            return MP_OBJ_NEW_SMALL_INT(next_byte(in));
        case 5:
            return mp_obj_new_int_from_ull((uint64_t)-1 - next_byte(in));
        case 6:
            return MP_OBJ_FROM_PTR(&mp_type_bytes);
        default:
            return MP_OBJ_NEW_SMALL_INT(-1 - next_byte(in));
    }
}

static mp_obj_t bytes_like(input_t *in) {
    input_t where;
    uint8_t what = next_byte(in);
    return what > 250 ? anything(in) : buffer(in, &where);
}

static mp_obj_t number(input_t *in) {
    uint8_t what = next_byte(in);
    if (what > 250) {
        return anything(in);
    }
    if (what > 240) {
        return MP_OBJ_NEW_SMALL_INT(MP_SMALL_INT_MAX - next_byte(in));
    }
    return MP_OBJ_NEW_SMALL_INT((mp_int_t)(what & 1 ? 0 : next_size(in)));
}

static mp_obj_t parts(input_t *in) {
    mp_obj_t items[IPCERT_PARTS + 4];
    uint8_t what = next_byte(in);
    size_t n = what % (IPCERT_PARTS + 3);
    if (what > 250) {
        return anything(in);
    }
    for (size_t i = 0; i < n; i++) {
        items[i] = bytes_like(in);
    }
    return what & 0x80 ? mp_obj_new_list(n, items) : mp_obj_new_tuple(n, items);
}

// What there is to call. w: bytes-like, read whole; r: a range of it, two numbers follow; f: its front, a number follows;
// p: parts; o: the output, its offset follows; k: the key, which changes.
static const struct {
    qstr_short_t name;
    const char *arguments;
} functions[] = {
    { MP_QSTR_generate, "kw" },
    { MP_QSTR_public, "k" },
    { MP_QSTR_sign, "wwrnnon" },
    { MP_QSTR_sign_digest, "wwwon" },
    { MP_QSTR_jws, "wwpfnon" },
    { MP_QSTR_sha256, "rnnon" },
};

static size_t length(mp_obj_t o) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(o, &info, MP_BUFFER_READ);
    return info.len;
}

// How many bytes a call that returned has written.
static size_t written(size_t which, const mp_obj_t *a) {
    size_t total = 0, n;
    mp_obj_t *items;
    switch (which) {
        case 2:
        case 3:
            return IPCERT_SIGNATURE;
        case 5:
            return 32;
        default:
            mp_obj_get_array(a[2], &n, &items);
            for (size_t i = 0; i < n; i++) {
                total += length(items[i]);
            }
            return ipcert_jws_size(total, (size_t)MP_OBJ_SMALL_INT_VALUE(a[4]));
    }
}

static void apart(const uint8_t *p, size_t n, mp_obj_t o, size_t start, size_t end) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(o, &info, MP_BUFFER_READ);
    require(start <= end && end <= info.len, "it returned for a range that is not there");
    const uint8_t *from = (uint8_t *)info.buf + start;
    require(!n || start == end || p + n <= from || from + (end - start) <= p, "it returned though its output overlaps");
}

// The output at `p` lies apart from all that was read.
static void all_apart(const uint8_t *p, size_t n, const char *arguments, const mp_obj_t *a) {
    size_t count;
    mp_obj_t *items;
    for (size_t i = 0; arguments[i]; i++) {
        switch (arguments[i]) {
            case 'w':
                apart(p, n, a[i], 0, length(a[i]));
                break;
            case 'r':
                apart(p, n, a[i], (size_t)MP_OBJ_SMALL_INT_VALUE(a[i + 1]), (size_t)MP_OBJ_SMALL_INT_VALUE(a[i + 2]));
                break;
            case 'f':
                apart(p, n, a[i], 0, (size_t)MP_OBJ_SMALL_INT_VALUE(a[i + 1]));
                break;
            case 'p':
                mp_obj_get_array(a[i], &count, &items);
                while (count--) {
                    apart(p, n, items[count], 0, length(items[count]));
                }
        }
    }
}

// Everything but `n` bytes at `p` is as it was.
static void unchanged_but(const uint8_t *p, size_t n) {
    for (int i = 0; i < BLOCKS; i++) {
        for (size_t k = 0; k < blocks[i].n; k++) {
            const uint8_t *at = blocks[i].p + k;
            if (*at != blocks[i].before[k]) {
                require(at >= p && at < p + n, "a byte changed that is not the output's");
            }
        }
    }
}

static void call(input_t *in) {
    size_t which = next_byte(in) % MP_ARRAY_SIZE(functions), n = strlen(functions[which].arguments);
    const char *arguments = functions[which].arguments, *output = strchr(arguments, 'o');
    mp_obj_t a[8];
    nlr_buf_t nlr;
    for (size_t i = 0; i < n; i++) {
        a[i] = arguments[i] == 'n' ? number(in) : arguments[i] == 'p' ? parts(in) : bytes_like(in);
    }
    for (int i = 0; i < BLOCKS; i++) {
        memcpy(blocks[i].before, blocks[i].p, blocks[i].n);
    }
    mp_obj_t function = mp_load_attr(MP_OBJ_FROM_PTR(&ipcert_native_module), functions[which].name);
    if (nlr_push(&nlr) != 0) {
        const mp_obj_type_t *type = mp_obj_get_type(MP_OBJ_FROM_PTR(nlr.ret_val));
        require(type == &mp_type_TypeError || type == &mp_type_ValueError, "another exception");
        unchanged_but(NULL, 0);
        return;
    }
    mp_obj_t result = mp_call_function_n_kw(function, n, 0, a);
    mp_buffer_info_t info;
    uint8_t *p;
    size_t size;
    if (output == NULL) {
        mp_get_buffer_raise(a[0], &info, MP_BUFFER_WRITE);
        require(info.len == IPCERT_KEY && result != mp_const_false, "a key");
        size = which ? 65 : IPCERT_KEY;
        p = (uint8_t *)info.buf + IPCERT_KEY - size;
    } else {
        mp_get_buffer_raise(a[output - arguments], &info, MP_BUFFER_WRITE);
        size_t off = (size_t)MP_OBJ_SMALL_INT_VALUE(a[output - arguments + 1]);
        size = written(which, a);
        require(off <= info.len && size <= info.len - off, "it returned without room for its output");
        require(result == MP_OBJ_NEW_SMALL_INT((mp_int_t)(off + size)), "the new offset");
        p = (uint8_t *)info.buf + off;
    }
    require(*arguments == 'r' || length(a[0]) == IPCERT_KEY, "it returned for something that is no key");
    all_apart(p, size, arguments, a);
    unchanged_but(p, size);
    nlr_pop();
    require(ipcert_arena_is_clean(), "something is left in the arena");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static uint64_t heap[HEAP / 8];
    input_t in = { data, n };
    int top;
    mp_embed_init(heap, sizeof(heap), &top);
    MP_STATE_MEM(gc_auto_collect_enabled) = 0; // an input's objects fit, and no scan of this stack
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i].n = next_size(&in);
    }
    // The contents of all come from a few bytes; what is left of the input decides on the calls.
    for (int i = 0; i < BLOCKS; i++) {
        input_t first = { in.p, in.n < 40 ? in.n : 40 };
        blocks[i].p = taken(&first, blocks[i].n);
        blocks[i].before = exactly(blocks[i].n);
        in.p += in.n < 40 ? in.n : 40;
        in.n -= in.n < 40 ? in.n : 40;
    }
    nlr_buf_t nlr;
    // An exception that nobody catches would be an endless loop in MicroPython's nlr_jump_fail.
    require(nlr_push(&nlr) == 0, "this heap is too small for the arguments");
    for (int i = 0; i < CALLS && in.n; i++) {
        call(&in);
    }
    nlr_pop();
    mp_embed_deinit();
    for (int i = 0; i < BLOCKS; i++) {
        free(blocks[i].p);
        free(blocks[i].before);
    }
    return 0;
}
