"""HMAC-SHA256 (RFC 2104), composed of the port's SHA-256, for which there is hardware."""

from .buffer import copy, put, wipe

_MAC = 32
_BLOCK = 64  # SHA-256's (RFC 2104 2)


def hmac(sha256, key, data, start, end, out, offset):
    """Write HMAC-SHA256(key, data[start:end]) to `out[offset:]` (32 bytes); return the new offset. `key`: any length."""
    if len(key) > _BLOCK:
        short = bytearray(_MAC)
        sha256(key, 0, len(key), short, 0)
        key = short
    block = bytearray(_BLOCK + max(_MAC, end - start))
    for index in range(_BLOCK):
        block[index] = (key[index] if index < len(key) else 0) ^ 0x36
    size = copy(block, _BLOCK, data, start, end)
    inner = bytearray(_MAC)
    sha256(block, 0, size, inner, 0)
    for index in range(_BLOCK):
        block[index] ^= 0x36 ^ 0x5C  # from the inner pad to the outer one
    size = put(block, _BLOCK, inner)
    sha256(block, 0, size, out, offset)
    wipe(block)  # it held the key
    return offset + _MAC
