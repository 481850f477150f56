"""base64url without padding (RFC 7515 2, RFC 4648 5) and the base64 inside PEM (RFC 7468 3)."""

from .buf import put
from .errors import RemoteError

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


def _bad(why):
    raise RemoteError("base64", "The server sent text that is not the base64 it should be (%s)." % why)


def read(out, off, src, start, end, pem):
    """Decode base64 `src[start:end]` (bytes-like) to `out[off:]`; return the new offset. Allocates nothing.

    With `pem` the alphabet is `+/`, white space is skipped and padding is required (RFC 7468 3); otherwise
    it is `-_` and neither is allowed (RFC 7515 2). Bits left over must be zero: each value has one
    spelling. Raises RemoteError("base64") for the text and LocalError("overflow") where `out` is too small.
    """
    put(out, off + (end - start) * 3 // 4, b"")
    c62 = 43 if pem else 45
    c63 = 47 if pem else 95
    w = k = pad = 0
    while start < end:
        c = src[start]
        start += 1
        v = digit(c, c62, c63)
        if v < 0:
            if not pem:
                _bad("a character outside the alphabet")
            if c == 61:
                pad += 1
            elif c != 10 and c != 13 and c != 32 and c != 9:
                _bad("a character outside the alphabet")
            continue
        if pad:
            _bad("data after the padding")
        w = w << 6 | v
        k += 1
        if k == 4:
            out[off] = w >> 16
            out[off + 1] = w >> 8 & 255
            out[off + 2] = w & 255
            off += 3
            w = k = 0
    if k == 1 or pem and k + pad != (4 if k else 0):
        _bad("cut short, or wrong padding")
    if k == 2:
        if w & 15:
            _bad("bits left over")
        out[off] = w >> 4
        off += 1
    elif k == 3:
        if w & 3:
            _bad("bits left over")
        out[off] = w >> 10
        out[off + 1] = w >> 2 & 255
        off += 2
    return off


def decode_url(text):
    """The bytes of an unpadded base64url str or bytes. Allocates. Raises RemoteError("base64")."""
    if isinstance(text, str):
        try:
            text = text.encode()
        except UnicodeError:  # half a surrogate pair, which JSON can carry
            _bad("a character outside the alphabet")
    out = bytearray(len(text) * 3 // 4)
    n = read(out, 0, text, 0, len(text), False)
    return bytes(out[:n])
