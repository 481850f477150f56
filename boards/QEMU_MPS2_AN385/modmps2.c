// Module mps2: the flash as a block device, and what the tests and budgets want to know.
#include "py/obj.h"
#include "py/objarray.h"
#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/mphal.h"
#include "extmod/vfs.h"
#include "clock.h"
#include "entropy.h"
#include "flash.h"
#include "memory.h"
#include "tlspool.h"

/******************************************************************************/
// mps2.Flash: MicroPython's extended block device protocol.

static const mp_obj_type_t flash_type;
static const mp_obj_base_t flash_obj = { &flash_type };

static mp_obj_t flash_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    return MP_OBJ_FROM_PTR(&flash_obj);
}

static uint32_t address(mp_obj_t block, size_t n_args, const mp_obj_t *args) {
    uint32_t n = (uint32_t)mp_obj_get_int(block);
    uint32_t offset = n_args > 3 ? (uint32_t)mp_obj_get_int(args[3]) : 0;
    if (n >= FLASH_BLOCKS || offset > FLASH_BLOCK_SIZE) {
        mp_raise_OSError(MP_EINVAL);
    }
    return n * FLASH_BLOCK_SIZE + offset;
}

static mp_obj_t flash_readblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_WRITE);
    bool ok = flash_read(address(args[1], n_args, args), buf.buf, buf.len);
    return MP_OBJ_NEW_SMALL_INT(ok ? 0 : -MP_EIO);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_readblocks_obj, 3, 4, flash_readblocks);

// Without an offset whole blocks are erased first; with one the caller has done that.
static mp_obj_t flash_writeblocks(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(args[2], &buf, MP_BUFFER_READ);
    uint32_t addr = address(args[1], n_args, args);
    bool ok = true;
    if (n_args == 3) {
        for (uint32_t at = 0; ok && at < buf.len; at += FLASH_BLOCK_SIZE) {
            ok = flash_erase((addr + at) / FLASH_BLOCK_SIZE);
        }
    }
    ok = ok && flash_program(addr, buf.buf, buf.len);
    return MP_OBJ_NEW_SMALL_INT(ok ? 0 : -MP_EIO);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(flash_writeblocks_obj, 3, 4, flash_writeblocks);

static mp_obj_t flash_ioctl(mp_obj_t self_in, mp_obj_t op, mp_obj_t arg) {
    (void)self_in;
    switch (mp_obj_get_int(op)) {
        case MP_BLOCKDEV_IOCTL_INIT:
        case MP_BLOCKDEV_IOCTL_DEINIT:
        case MP_BLOCKDEV_IOCTL_SYNC:
            return MP_OBJ_NEW_SMALL_INT(0);
        case MP_BLOCKDEV_IOCTL_BLOCK_COUNT:
            return MP_OBJ_NEW_SMALL_INT(FLASH_BLOCKS);
        case MP_BLOCKDEV_IOCTL_BLOCK_SIZE:
            return MP_OBJ_NEW_SMALL_INT(FLASH_BLOCK_SIZE);
        case MP_BLOCKDEV_IOCTL_BLOCK_ERASE:
            return MP_OBJ_NEW_SMALL_INT(flash_erase((uint32_t)mp_obj_get_int(arg)) ? 0 : -MP_EIO);
        default:
            return mp_const_none;
    }
}
static MP_DEFINE_CONST_FUN_OBJ_3(flash_ioctl_obj, flash_ioctl);

// blank(first) -> True when every block from `first` on is erased.
static mp_obj_t flash_blank(mp_obj_t self_in, mp_obj_t first_in) {
    (void)self_in;
    uint32_t word;
    for (uint32_t at = (uint32_t)mp_obj_get_int(first_in) * FLASH_BLOCK_SIZE; flash_read(at, &word, 4); at += 4) {
        if (word != UINT32_MAX) {
            return mp_const_false;
        }
    }
    return mp_const_true;
}
static MP_DEFINE_CONST_FUN_OBJ_2(flash_blank_obj, flash_blank);

// stats() -> dict of counts over the life of this flash.
static mp_obj_t flash_stats(mp_obj_t self_in) {
    (void)self_in;
    const flash_state_t *s = flash_state();
    uint32_t worst = 0;
    for (size_t i = 0; i < FLASH_BLOCKS; i++) {
        worst = s->erased[i] > worst ? s->erased[i] : worst;
    }
    const struct { qstr name; uint32_t value; } rows[] = {
        { MP_QSTR_boots, s->boots }, { MP_QSTR_writes, s->writes }, { MP_QSTR_erases, s->erases },
        { MP_QSTR_erases_worst_block, worst }, { MP_QSTR_programmed, s->programmed },
        { MP_QSTR_refused, s->refused }, { MP_QSTR_cuts, s->cuts },
    };
    mp_obj_t dict = mp_obj_new_dict(MP_ARRAY_SIZE(rows));
    for (size_t i = 0; i < MP_ARRAY_SIZE(rows); i++) {
        mp_obj_dict_store(dict, MP_OBJ_NEW_QSTR(rows[i].name), mp_obj_new_int_from_uint(rows[i].value));
    }
    return dict;
}
static MP_DEFINE_CONST_FUN_OBJ_1(flash_stats_obj, flash_stats);

// cut(n): the power goes in the middle of the nth write from now; cut(0) takes that back.
static mp_obj_t flash_cut_(mp_obj_t self_in, mp_obj_t n) {
    (void)self_in;
    mp_int_t writes = mp_obj_get_int(n);
    if (writes < 0) {
        mp_raise_ValueError(NULL);
    }
    flash_cut((uint32_t)writes);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(flash_cut_obj, flash_cut_);

// mark(label): the number, 0..65535, that the log gives to the writes that follow.
static mp_obj_t flash_mark_(mp_obj_t self_in, mp_obj_t label) {
    (void)self_in;
    mp_int_t mark = mp_obj_get_int(label);
    if (mark < 0 || mark > UINT16_MAX) {
        mp_raise_ValueError(NULL);
    }
    flash_mark((uint16_t)mark);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(flash_mark_obj, flash_mark_);

static const mp_rom_map_elem_t flash_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_readblocks), MP_ROM_PTR(&flash_readblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_writeblocks), MP_ROM_PTR(&flash_writeblocks_obj) },
    { MP_ROM_QSTR(MP_QSTR_ioctl), MP_ROM_PTR(&flash_ioctl_obj) },
    { MP_ROM_QSTR(MP_QSTR_blank), MP_ROM_PTR(&flash_blank_obj) },
    { MP_ROM_QSTR(MP_QSTR_stats), MP_ROM_PTR(&flash_stats_obj) },
    { MP_ROM_QSTR(MP_QSTR_cut), MP_ROM_PTR(&flash_cut_obj) },
    { MP_ROM_QSTR(MP_QSTR_mark), MP_ROM_PTR(&flash_mark_obj) },
};
static MP_DEFINE_CONST_DICT(flash_locals, flash_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    flash_type,
    MP_QSTR_Flash,
    MP_TYPE_FLAG_NONE,
    make_new, flash_make_new,
    locals_dict, &flash_locals
    );

/******************************************************************************/
// The module.

// entropy() -> True when os.urandom and keys work.
static mp_obj_t mps2_entropy(void) {
    return mp_obj_new_bool(entropy_ready());
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_entropy_obj, mps2_entropy);

// random(buf) fills a bytearray with fresh random bytes; OSError when there are none.
static mp_obj_t mps2_random(mp_obj_t buf_in) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(buf_in, &buf, MP_BUFFER_WRITE);
    if (!entropy_fill(buf.buf, buf.len)) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("no entropy source: start QEMU with semihosting"));
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(mps2_random_obj, mps2_random);

// heap() -> (size, peak) in bytes, see memory.h. stack() -> (size, peak) in bytes.
static mp_obj_t mps2_heap(void) {
    mp_obj_t pair[2] = { mp_obj_new_int_from_uint(memory_heap_size()), mp_obj_new_int_from_uint(memory_heap_peak) };
    return mp_obj_new_tuple(2, pair);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_heap_obj, mps2_heap);

static mp_obj_t mps2_stack(void) {
    mp_obj_t pair[2] = { mp_obj_new_int_from_uint(memory_stack_size()), mp_obj_new_int_from_uint(memory_stack_peak()) };
    return mp_obj_new_tuple(2, pair);
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_stack_obj, mps2_stack);

// tls() -> dict of tlspool.h's counts.
static mp_obj_t mps2_tls(void) {
    const tlspool_stats_t *s = &tlspool_stats;
    const struct { qstr name; size_t value; } rows[] = {
        { MP_QSTR_bytes, s->bytes }, { MP_QSTR_places, s->places }, { MP_QSTR_places_peak, s->places_peak },
        { MP_QSTR_arena, s->arena }, { MP_QSTR_arena_peak, s->arena_peak },
        { MP_QSTR_overflows, s->overflows }, { MP_QSTR_overflow_peak, s->overflow_peak },
    };
    mp_obj_t dict = mp_obj_new_dict(MP_ARRAY_SIZE(rows));
    for (size_t i = 0; i < MP_ARRAY_SIZE(rows); i++) {
        mp_obj_dict_store(dict, MP_OBJ_NEW_QSTR(rows[i].name), mp_obj_new_int_from_uint(rows[i].value));
    }
    return dict;
}
static MP_DEFINE_CONST_FUN_OBJ_0(mps2_tls_obj, mps2_tls);

// clock() -> seconds between the host's clock and this one; clock(seconds) changes that.
static mp_obj_t mps2_clock(size_t n_args, const mp_obj_t *args) {
    if (n_args == 1) {
        clock_offset = mp_obj_get_int(args[0]);
    }
    return mp_obj_new_int(clock_offset);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mps2_clock_obj, 0, 1, mps2_clock);

static const mp_rom_map_elem_t mps2_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_mps2) },
    { MP_ROM_QSTR(MP_QSTR_Flash), MP_ROM_PTR(&flash_type) },
    { MP_ROM_QSTR(MP_QSTR_entropy), MP_ROM_PTR(&mps2_entropy_obj) },
    { MP_ROM_QSTR(MP_QSTR_random), MP_ROM_PTR(&mps2_random_obj) },
    { MP_ROM_QSTR(MP_QSTR_heap), MP_ROM_PTR(&mps2_heap_obj) },
    { MP_ROM_QSTR(MP_QSTR_stack), MP_ROM_PTR(&mps2_stack_obj) },
    { MP_ROM_QSTR(MP_QSTR_tls), MP_ROM_PTR(&mps2_tls_obj) },
    { MP_ROM_QSTR(MP_QSTR_clock), MP_ROM_PTR(&mps2_clock_obj) },
};
static MP_DEFINE_CONST_DICT(mps2_globals, mps2_globals_table);

const mp_obj_module_t mps2_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&mps2_globals,
};

MP_REGISTER_MODULE(MP_QSTR_mps2, mps2_module);
