"""Copying into a buffer that the caller owns, on both interpreters, without allocating.

Every writer of the core stands on these functions. They take the buffer and an offset and return the offset after
what they wrote, so that a message is a chain of calls; and they compare with the buffer's length before they write,
so that a buffer that is too small is a clear error and never a cut message. To ask only whether there is room for all
of it, write nothing at its end: `put(buffer, end, b"")`.

Numbers in the journal stay below 2**30: what is larger is no small int on a 32-bit MicroPython, and would allocate.

This is the one file of the core that asks which Python it runs on.
"""

import sys

from ..errors import LocalError


def _full(need, have):
    raise LocalError(
        "overflow", "an internal buffer is too small: %d bytes needed, %d there; report this" % (need, have)
    )


MICROPYTHON = sys.implementation.name == "micropython"

if MICROPYTHON:
    # A slice is an object on the heap before MicroPython 1.26, so bytes go one by one.
    def put(buffer, offset, data):
        """Copy all of `data` (bytes-like) to `buffer[offset:]`; return the new offset. Raises LocalError("overflow")."""
        end = offset + len(data)
        if end > len(buffer):
            _full(end, len(buffer))
        for byte in data:
            buffer[offset] = byte
            offset += 1
        return offset

    def copy(buffer, offset, source, start, end):
        """Copy `source[start:end]` to `buffer[offset:]`; return the new offset. The ranges must not overlap."""
        if offset + end - start > len(buffer):
            _full(offset + end - start, len(buffer))
        while start < end:
            buffer[offset] = source[start]
            offset += 1
            start += 1
        return offset

else:
    # Here a slice costs nothing that matters, and a loop in Python would.

    def put(buffer, offset, data):
        """Copy all of `data` (bytes-like) to `buffer[offset:]`; return the new offset. Raises LocalError("overflow")."""
        end = offset + len(data)
        if end > len(buffer):
            _full(end, len(buffer))
        buffer[offset:end] = data
        return end

    def copy(buffer, offset, source, start, end):
        """Copy `source[start:end]` to `buffer[offset:]`; return the new offset. The ranges must not overlap."""
        stop = offset + end - start
        if stop > len(buffer):
            _full(stop, len(buffer))
        buffer[offset:stop] = source[start:end]
        return stop


# A loop on both: MicroPython allocates for slices, and what is compared is short.
def same(first, first_start, second, second_start, size):
    """True when the two ranges of `size` bytes are equal. Not constant time: for public bytes only."""
    index = 0
    while index < size:
        if first[first_start + index] != second[second_start + index]:
            return False
        index += 1
    return True


def put_int(buffer, offset, value):
    """Write 0 <= value < 2**30 as four bytes, big-endian; return the new offset."""
    if offset + 4 > len(buffer):
        _full(offset + 4, len(buffer))
    buffer[offset] = value >> 24
    buffer[offset + 1] = value >> 16 & 255
    buffer[offset + 2] = value >> 8 & 255
    buffer[offset + 3] = value & 255
    return offset + 4


# Damage may leave any bytes there: dropping two bits keeps every later comparison free of big integers.
def get_int(buffer, offset):
    """Read what `put_int` wrote. The top two bits are dropped, so the result is below 2**30 whatever is there."""
    return (
        (buffer[offset] & 63) << 24 | buffer[offset + 1] << 16 | buffer[offset + 2] << 8 | buffer[offset + 3]
    )


def wipe(buffer):
    """Zero a bytearray that held a secret."""
    for index in range(len(buffer)):
        buffer[index] = 0
