// Module virt, and what MicroPython's qemu port lacks for littlefs.
#include "py/mphal.h"
#include "py/obj.h"
#include "py/runtime.h"

// No clock: files in the RAM disk carry no time.
uint64_t mp_hal_time_ns(void) {
    return 0;
}

// instructions() -> instructions retired, modulo 2**30 (RISC-V minstret).
static mp_obj_t virt_instructions(void) {
    uint32_t n;
    __asm volatile ("csrr %0, minstret" : "=r" (n));
    return MP_OBJ_NEW_SMALL_INT(n & 0x3fffffff);
}
static MP_DEFINE_CONST_FUN_OBJ_0(virt_instructions_obj, virt_instructions);

static const mp_rom_map_elem_t virt_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_virt) },
    { MP_ROM_QSTR(MP_QSTR_instructions), MP_ROM_PTR(&virt_instructions_obj) },
};
static MP_DEFINE_CONST_DICT(virt_globals, virt_globals_table);

const mp_obj_module_t virt_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&virt_globals,
};

MP_REGISTER_MODULE(MP_QSTR_virt, virt_module);
