// MicroPython's options for this board.
#ifndef IPCERT_MPCONFIGPORT_H
#define IPCERT_MPCONFIGPORT_H

#include <alloca.h>
#include <stdint.h>

#define MICROPY_CONFIG_ROM_LEVEL                (MICROPY_CONFIG_ROM_LEVEL_EXTRA_FEATURES)

#define MICROPY_HW_BOARD_NAME                   "QEMU mps2-an385"
#define MICROPY_HW_MCU_NAME                     "Cortex-M3"
#define MICROPY_PY_SYS_PLATFORM                 "qemu"

// Native code can be loaded (a .mpy natmod), not compiled here.
#define MICROPY_EMIT_THUMB                      (0)
#define MICROPY_EMIT_INLINE_THUMB               (0)
#define MICROPY_PERSISTENT_CODE_LOAD            (1)
#define MICROPY_PERSISTENT_CODE_LOAD_NATIVE     (1)
#define MICROPY_MAKE_POINTER_CALLABLE(p)        ((void *)((mp_uint_t)(p) | 1))

#define MICROPY_ENABLE_GC                       (1)
#define MICROPY_WARNINGS                        (0)
#define MICROPY_STACK_CHECK_MARGIN              (1024)
#define MICROPY_LONGINT_IMPL                    (MICROPY_LONGINT_IMPL_MPZ)
#define MICROPY_FLOAT_IMPL                      (MICROPY_FLOAT_IMPL_FLOAT)
#define MICROPY_ENABLE_EMERGENCY_EXCEPTION_BUF  (1)
#define MICROPY_EMERGENCY_EXCEPTION_BUF_SIZE    (256)
#define MICROPY_TRACKED_ALLOC                   (1)
#define MICROPY_READER_VFS                      (1)
#define MICROPY_SCHEDULER_STATIC_NODES          (0)

#define MICROPY_VFS                             (1)
#define MICROPY_VFS_ROM                         (0)
#define MICROPY_PY_OS_INCLUDEFILE               "os_port.h"
#define MICROPY_PY_OS_URANDOM                   (1)
#define MICROPY_PY_OS_UNAME                     (1)
#define MICROPY_PY_TIME_INCLUDEFILE             "time_port.h"
#define MICROPY_PY_TIME_GMTIME_LOCALTIME_MKTIME (1)
#define MICROPY_PY_TIME_TIME_TIME_NS            (1)
#define MICROPY_PY_MACHINE                      (1)
#define MICROPY_PY_MACHINE_INCLUDEFILE          "machine_port.h"
#define MICROPY_PY_MACHINE_RESET                (1)
#define MICROPY_PY_MACHINE_BARE_METAL_FUNCS     (0)
#define MICROPY_PY_MACHINE_BOOTLOADER           (0)
#define MICROPY_PY_MACHINE_PULSE                (0)
#define MICROPY_PY_MACHINE_SIGNAL               (0)
#define MICROPY_PY_FRAMEBUF                     (0)
#define MICROPY_PY_SELECT                       (1)
#define MICROPY_PY_NETWORK                      (1)
#define MICROPY_PY_NETWORK_HOSTNAME_DEFAULT     "hub"
#define MICROPY_PORT_NETWORK_INTERFACES         { MP_ROM_QSTR(MP_QSTR_LAN), MP_ROM_PTR(&network_lan_type) },
#define MICROPY_PY_WEBSOCKET                    (0)
#define MICROPY_PY_CRYPTOLIB                    (1)
#define MICROPY_PY_CRYPTOLIB_CTR                (1)
#define MICROPY_PY_CRYPTOLIB_CONSTS             (1)
#define MICROPY_PY_HASHLIB_SHA1                 (1)
#define MICROPY_PY_RANDOM_SEED_INIT_FUNC        (entropy_network_u32())
#define MICROPY_PY_SSL_FINALISER                (1)

extern const struct _mp_obj_type_t network_lan_type;
uint32_t entropy_network_u32(void);

// Waiting and polling: mphalport.c.
#define MICROPY_INTERNAL_WFE(TIMEOUT_MS)        board_wait()
#define MICROPY_INTERNAL_EVENT_HOOK             board_poll()
#define MICROPY_VM_HOOK_POLL                    if (board_events) { board_poll(); }
#define MICROPY_VM_HOOK_LOOP                    MICROPY_VM_HOOK_POLL
#define MICROPY_VM_HOOK_RETURN                  MICROPY_VM_HOOK_POLL
extern volatile _Bool board_events;
void board_poll(void);
void board_wait(void);

// Interrupts schedule nothing but KeyboardInterrupt, and touch the scheduler there only.
#define MICROPY_BEGIN_ATOMIC_SECTION()          mps2_irq_mask()
#define MICROPY_END_ATOMIC_SECTION(state)       mps2_irq_restore(state)
#include "mps2.h"

typedef int32_t mp_int_t;
typedef uint32_t mp_uint_t;
typedef long mp_off_t;
#define MP_SSIZE_MAX (0x7fffffff)
#define UINT_FMT "%lu"
#define INT_FMT "%ld"
#define MP_NEED_LOG2 (1)
#define MP_STATE_PORT MP_STATE_VM

#endif // IPCERT_MPCONFIGPORT_H
