#include <string.h>
#include "flash.h"
#include "mps2.h"
#include "semihost.h"

static uint8_t *const cells = (uint8_t *)PSRAM_BASE;
static flash_state_t *const state = (flash_state_t *)(PSRAM_BASE + FLASH_SIZE);
static uint32_t cut_at;
static uint16_t current_mark;

void flash_init(void) {
    if (state->magic != FLASH_MAGIC || state->block_size != FLASH_BLOCK_SIZE || state->blocks != FLASH_BLOCKS) {
        memset(cells, 0xff, FLASH_SIZE);
        memset(state, 0, sizeof(*state));
        state->block_size = FLASH_BLOCK_SIZE;
        state->blocks = FLASH_BLOCKS;
        state->magic = FLASH_MAGIC;
    }
    state->boots++;
    current_mark = 0;
    flash_cut((uint32_t)semihost_arg_int("cut", 0));
}

void flash_cut(uint32_t n) {
    cut_at = n == 0 ? 0 : state->writes + n;
}

void flash_mark(uint16_t mark) {
    current_mark = mark;
}

const flash_state_t *flash_state(void) {
    return state;
}

// Counts a write; true when the power goes during this one.
static bool begin(uint32_t block, bool erase) {
    state->log[state->writes % FLASH_LOG_MAX] = (uint32_t)current_mark << 16 | (uint32_t)erase << 15 | block;
    state->writes++;
    return state->writes == cut_at;
}

static void power_off(void) {
    state->cuts++;
    semihost_exit(true);
}

static bool inside(uint32_t addr, size_t len) {
    return addr <= FLASH_SIZE && len <= FLASH_SIZE - addr;
}

bool flash_read(uint32_t addr, void *buf, size_t len) {
    if (!inside(addr, len)) {
        return false;
    }
    memcpy(buf, cells + addr, len);
    return true;
}

bool flash_program(uint32_t addr, const void *buf, size_t len) {
    if (!inside(addr, len)) {
        return false;
    }
    const uint8_t *src = buf;
    uint8_t *dst = cells + addr;
    for (size_t i = 0; i < len; i++) {
        if (src[i] & ~dst[i]) {
            state->refused++;
            return false;
        }
    }
    bool cut = begin(addr / FLASH_BLOCK_SIZE, false);
    size_t todo = cut ? len / 2 : len;
    for (size_t i = 0; i < todo; i++) {
        dst[i] &= src[i];
    }
    state->programmed += todo;
    if (cut) {
        power_off();
    }
    return true;
}

bool flash_erase(uint32_t block) {
    if (block >= FLASH_BLOCKS) {
        return false;
    }
    bool cut = begin(block, true);
    memset(cells + block * FLASH_BLOCK_SIZE, 0xff, cut ? FLASH_BLOCK_SIZE / 2 : FLASH_BLOCK_SIZE);
    state->erases++;
    state->erased[block]++;
    if (cut) {
        power_off();
    }
    return true;
}
