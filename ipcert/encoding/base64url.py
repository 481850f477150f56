"""base64url without padding (RFC 7515 2, RFC 4648 5) and the base64 inside PEM (RFC 7468 3)."""

from ..errors import RemoteError
from .buffer import put

_URL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def write_url(buf, off, src, start, end):
    """Write `src[start:end]` as base64url without padding to `buf[off:]`; return the new offset.

    `src` may be the same object as `buf` where the ranges do not overlap. Allocates nothing.
    Raises LocalError("overflow").
    """
    put(buf, off + ((end - start) * 4 + 2) // 3, b"")  # room for all of it, before anything is written
    while start + 2 < end:
        w = src[start] << 16 | src[start + 1] << 8 | src[start + 2]
        buf[off] = _URL[w >> 18]
        buf[off + 1] = _URL[w >> 12 & 63]
        buf[off + 2] = _URL[w >> 6 & 63]
        buf[off + 3] = _URL[w & 63]
        start += 3
        off += 4
    if start < end:
        w = src[start] << 16
        if start + 1 < end:
            w |= src[start + 1] << 8
            buf[off + 2] = _URL[w >> 6 & 63]
        buf[off] = _URL[w >> 18]
        buf[off + 1] = _URL[w >> 12 & 63]
        off += end - start + 1
    return off


def digit(c, c62, c63):
    """The value 0..63 of one base64 character, or -1. `c62` and `c63` are the last two digits."""
    if 65 <= c <= 90:
        return c - 65
    if 97 <= c <= 122:
        return c - 71
    if 48 <= c <= 57:
        return c + 4
    if c == c62:
        return 62
    return 63 if c == c63 else -1


def is_url(text, least, most):
    """True for `least` to `most` characters of base64url in `text` (str or bytes-like). Only a str allocates.

    Nothing is encoded to find out: JSON may hold half a surrogate pair, which has no encoding.
    """
    if not least <= len(text) <= most:
        return False
    for c in text:
        if digit(c if isinstance(c, int) else ord(c), 45, 95) < 0:
            return False
    return True


def _bad(why):
    raise RemoteError("base64", "The server sent text that is not the base64 it should be (%s)." % why)


def read_pem(out, off, src, start, end):
    """Decode the base64 inside PEM, `src[start:end]` (bytes-like), to `out[off:]`; return the new offset.

    White space is skipped and padding is required (RFC 7468 3). Bits left over must be zero: each value has one
    spelling. Allocates nothing. Raises RemoteError("base64") for the text and LocalError("overflow") where `out` is
    too small.
    """
    put(out, off + (end - start) * 3 // 4, b"")
    word = digits = padding = 0
    while start < end:
        c = src[start]
        start += 1
        value = digit(c, 43, 47)
        if value < 0:
            if c == 61:
                padding += 1
            elif c != 10 and c != 13 and c != 32 and c != 9:
                _bad("a character outside the alphabet")
            continue
        if padding:
            _bad("data after the padding")
        word = word << 6 | value
        digits += 1
        if digits == 4:
            out[off] = word >> 16
            out[off + 1] = word >> 8 & 255
            out[off + 2] = word & 255
            off += 3
            word = digits = 0
    if digits == 1 or digits + padding != (4 if digits else 0):
        _bad("cut short, or wrong padding")
    if digits == 2:
        if word & 15:
            _bad("bits left over")
        out[off] = word >> 4
        off += 1
    elif digits == 3:
        if word & 3:
            _bad("bits left over")
        out[off] = word >> 10
        out[off + 1] = word >> 2 & 255
        off += 2
    return off
