// A NOR flash, modelled on the PSRAM, which QEMU backs with a file that outlives it.
//
// Programming can only clear bits and an erase sets a whole block to 0xff, so a file system that forgets to erase fails
// here as it would on silicon. Each program or erase is one *write*: writes are counted and logged beside the flash,
// where the host can read them from the file, and power can be cut at a chosen one, in its middle.
#ifndef IPCERT_FLASH_H
#define IPCERT_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLASH_BLOCK_SIZE    (4096)
#define FLASH_BLOCKS        (256)
#define FLASH_SIZE          (FLASH_BLOCK_SIZE * FLASH_BLOCKS)
#define FLASH_LOG_MAX       (65536)
#define FLASH_MAGIC         (0x48534c46u) // "FLSH", little-endian

// What is kept in the file after the flash itself, at FLASH_SIZE. tools/lib/board/flash.py reads the same layout.
typedef struct {
    uint32_t magic;
    uint32_t block_size;
    uint32_t blocks;
    uint32_t boots;             // times flash_init() ran on this file
    uint32_t writes;            // programs + erases
    uint32_t erases;
    uint32_t programmed;        // bytes
    uint32_t refused;           // programs that would have had to set a bit
    uint32_t cuts;              // times the power was cut
    uint32_t erased[FLASH_BLOCKS]; // erases of each block
    uint32_t log[FLASH_LOG_MAX]; // for each write: mark << 16 | erase << 15 | block
} flash_state_t;

// Finds or makes the flash (all 0xff) in the PSRAM. Boot argument cut=N: power goes in the middle of the Nth write from now.
void flash_init(void);

// Copies out; false when the range is outside the flash.
bool flash_read(uint32_t addr, void *buf, size_t len);

// Programs; false when the range is outside or a cleared bit would have to be set (nothing is then written).
bool flash_program(uint32_t addr, const void *buf, size_t len);

// Erases one block; false when there is no such block.
bool flash_erase(uint32_t block);

// The power goes in the middle of the nth write from now; 0 takes that back.
void flash_cut(uint32_t n);

// The label (0..65535) that the log gives to writes from now on.
void flash_mark(uint16_t mark);

const flash_state_t *flash_state(void);

#endif // IPCERT_FLASH_H
