"""Copying into a buffer that the caller owns, on both interpreters, without allocating."""

import sys

from ..errors import LocalError


def _full(need, have):
    raise LocalError(
        "overflow", "an internal buffer is too small: %d bytes needed, %d there; report this" % (need, have)
    )


MICROPYTHON = sys.implementation.name == "micropython"

if MICROPYTHON:
    # A slice object is a heap allocation before MicroPython 1.26, so bytes go one by one.
    def put(buf, off, data):
        """Copy all of `data` (bytes-like) to `buf[off:]`; return the new offset. Raises LocalError("overflow")."""
        end = off + len(data)
        if end > len(buf):
            _full(end, len(buf))
        for b in data:
            buf[off] = b
            off += 1
        return off

    def copy(buf, off, src, start, end):
        """Copy `src[start:end]` to `buf[off:]`; return the new offset. The ranges must not overlap."""
        if off + end - start > len(buf):
            _full(off + end - start, len(buf))
        while start < end:
            buf[off] = src[start]
            off += 1
            start += 1
        return off

else:

    def put(buf, off, data):
        """Copy all of `data` (bytes-like) to `buf[off:]`; return the new offset. Raises LocalError("overflow")."""
        end = off + len(data)
        if end > len(buf):
            _full(end, len(buf))
        buf[off:end] = data
        return end

    def copy(buf, off, src, start, end):
        """Copy `src[start:end]` to `buf[off:]`; return the new offset. The ranges must not overlap."""
        stop = off + end - start
        if stop > len(buf):
            _full(stop, len(buf))
        buf[off:stop] = src[start:end]
        return stop


def same(a, astart, b, bstart, n):
    """True when the two ranges of `n` bytes are equal. Not constant time: for public bytes only."""
    i = 0
    while i < n:
        if a[astart + i] != b[bstart + i]:
            return False
        i += 1
    return True


def put_int(buf, off, value):
    """Write 0 <= value < 2**30 as four bytes, big-endian; return the new offset."""
    if off + 4 > len(buf):
        _full(off + 4, len(buf))
    buf[off] = value >> 24
    buf[off + 1] = value >> 16 & 255
    buf[off + 2] = value >> 8 & 255
    buf[off + 3] = value & 255
    return off + 4


def get_int(buf, off):
    """Read what `put_int` wrote. The top two bits are dropped, so the result is below 2**30 whatever is there."""
    return (buf[off] & 63) << 24 | buf[off + 1] << 16 | buf[off + 2] << 8 | buf[off + 3]
