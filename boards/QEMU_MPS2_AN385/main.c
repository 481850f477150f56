// Boot: host, clock, entropy, flash, heap; then _boot.py, main.py, and the prompt.
#include "py/compile.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "extmod/modnetwork.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"
#include "clock.h"
#include "entropy.h"
#include "flash.h"
#include "memory.h"
#include "network_lan.h"
#include "semihost.h"

#define HEAP_DEFAULT (96 * 1024)
#define HEAP_MIN (16 * 1024)

size_t memory_heap_peak;
static size_t heap_size;

size_t memory_heap_size(void) {
    return heap_size;
}

size_t memory_stack_size(void) {
    return (uintptr_t)&_estack - (uintptr_t)&_sstack;
}

size_t memory_stack_peak(void) {
    const uint32_t *p = &_sstack;
    while (p < &_estack && *p == STACK_PATTERN) {
        p++;
    }
    return (uintptr_t)&_estack - (uintptr_t)p;
}

static size_t choose_heap(void) {
    size_t most = (uintptr_t)&_eheap - (uintptr_t)&_sheap;
    int32_t want = semihost_arg_int("heap", HEAP_DEFAULT);
    return want < HEAP_MIN ? HEAP_MIN : (size_t)want > most ? most : (size_t)want;
}

int main(void) {
    semihost_init();
    board_hal_init();
    clock_offset = semihost_arg_int("clock", 0);
    entropy_init();
    flash_init();
    network_lan_init();
    heap_size = choose_heap();
    mp_cstack_init_with_top(&_estack, memory_stack_size());

    for (;;) {
        gc_init(&_sheap, (char *)&_sheap + heap_size);
        mp_init();
        mod_network_init();
        pyexec_frozen_module("_boot.py", false);
        if (!semihost_arg_is("main", "off")) {
            pyexec_file_if_exists("main.py");
        }
        for (;;) {
            int again = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
            if (again != 0) {
                break;
            }
        }
        mp_printf(&mp_plat_print, "MPY: soft reboot\n");
        gc_sweep_all();
        mp_deinit();
    }
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
    gc_info_t info;
    gc_info(&info);
    if (info.used > memory_heap_peak) {
        memory_heap_peak = info.used;
    }
}

static void die(const char *what, const char *why) {
    mp_printf(&mp_plat_print, "\nFATAL %s: %s\n", what, why);
    semihost_exit(false);
}

void nlr_jump_fail(void *val) {
    (void)val;
    die("MicroPython", "exception with nobody to catch it");
    for (;;) {
    }
}

void lwip_assert_failed(const char *message) {
    die("lwIP", message);
    for (;;) {
    }
}

void abort(void) {
    die("abort", "called");
    for (;;) {
    }
}
