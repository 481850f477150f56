"""base32 (RFC 4648 6) in small letters and without padding, as it stands in a name of the DNS.

A name of the DNS is read without regard to case, so base64url would not survive there; base32 does. ipcert writes it
for one thing, the account's label of dns-account-01, and reads none.
"""

from .buffer import put

_DIGITS = b"abcdefghijklmnopqrstuvwxyz234567"


def write(buffer, offset, source, start, end):
    """Write `source[start:end]` as base32 to `buffer[offset:]`; return the new offset. Allocates nothing.

    Raises LocalError("overflow").
    """
    put(buffer, offset + ((end - start) * 8 + 4) // 5, b"")  # room for all of it, before anything is written
    word = bits = 0  # the bits that are not written yet: four at most between two bytes
    while start < end:
        word = (word << 8 | source[start]) & 4095
        start += 1
        bits += 8
        while bits >= 5:
            bits -= 5
            buffer[offset] = _DIGITS[word >> bits & 31]
            offset += 1
    if bits:
        buffer[offset] = _DIGITS[word << 5 - bits & 31]
        offset += 1
    return offset
