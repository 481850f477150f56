"""Reads a hub's flash file from the host: the counters and the write log that flash.c keeps after the flash itself."""

import struct

FLASH_SIZE = 4096 * 256
LOG_MAX = 65536
_HEAD = struct.Struct("<9I")
_NAMES = ("magic", "block_size", "blocks", "boots", "writes", "erases", "programmed", "refused", "cuts")
MAGIC = 0x48534C46


def counters(path):
    """The counters of flash_state_t (flash.h) as a dict; ValueError when the file was never a flash."""
    with open(path, "rb") as file:
        file.seek(FLASH_SIZE)
        found = dict(zip(_NAMES, _HEAD.unpack(file.read(_HEAD.size))))
    if found.pop("magic") != MAGIC:
        raise ValueError(f"{path} holds no flash")
    return found


def writes(path):
    """Every write so far, oldest first (the last 65,536): (mark, is_erase, block)."""
    count = counters(path)["writes"]
    with open(path, "rb") as file:
        file.seek(FLASH_SIZE + _HEAD.size + 4 * 256)
        words = struct.unpack(f"<{LOG_MAX}I", file.read(4 * LOG_MAX))
    order = words[:count] if count <= LOG_MAX else words[count % LOG_MAX :] + words[: count % LOG_MAX]
    return [(word >> 16, bool(word >> 15 & 1), word & 0x7FFF) for word in order]
