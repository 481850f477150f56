"""Files on FAT: each is one of two slots, `name.0~` and `name.1~`, with a sequence number, its length and a check.

The newer whole one counts, and the older is removed only when the newer one is on the medium. Each function takes the `store.Store`
and a file's path without the slot; they raise OSError. Loaded where the file system needs it (the feature `fat`).
"""

import binascii

from ipcert import limits

_HEAD = 12  # sequence, length and CRC-32, four bytes each
_SLOTS = (".0~", ".1~")


def _sequence(store, path):
    """The sequence number of a slot, or -1 when it is not there or not whole."""
    size = store.size(path)
    if size is None or not _HEAD <= size <= limits.FILE + _HEAD:
        return -1
    buf = bytearray(256)
    with open(path, "rb") as f:
        head = f.read(_HEAD)
        crc = binascii.crc32(head[:8])
        left = size - _HEAD
        while left > 0:
            n = f.readinto(buf)
            if not n:
                return -1
            crc = binascii.crc32(buf if n == len(buf) else buf[:n], crc)
            left -= n
    whole = crc.to_bytes(4, "big") == head[8:] and int.from_bytes(head[4:8], "big") == size - _HEAD
    return int.from_bytes(head[:4], "big") if whole else -1


def _sequences(store, path):
    return _sequence(store, path + _SLOTS[0]), _sequence(store, path + _SLOTS[1])


def read(store, path):
    """The bytes of the file, or None when there is no such file."""
    first, second = _sequences(store, path)
    if first < 0 and second < 0:
        return None
    return store.load(path + _SLOTS[0 if first > second else 1], _HEAD)


def write(store, path, data):
    """Replace the file by `data` (bytes-like)."""
    first, second = _sequences(store, path)
    new = 1 if first >= second else 0  # the slot that does not count
    head = (max(first, second) + 1).to_bytes(4, "big") + len(data).to_bytes(4, "big")
    head += binascii.crc32(data, binascii.crc32(head)).to_bytes(4, "big")
    store.put(path + _SLOTS[new], head, data)
    # What was there before is of no more use, and may be a key.
    store.wipe(path + _SLOTS[1 - new])


def erase(store, path):
    """Remove the file."""
    first, second = _sequences(store, path)
    older = 0 if first < second else 1  # it goes first, or it would count again after a power cut
    store.wipe(path + _SLOTS[older])
    store.wipe(path + _SLOTS[1 - older])


def name(store, entry):
    """The name of the file that an entry of the folder is a slot of, "" where it is none or not whole."""
    found = entry[:-3]
    if entry[-3:] in _SLOTS and max(_sequences(store, store.folder + "/" + found)) >= 0:
        return found
    return ""
