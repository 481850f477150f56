"""base64url without padding (RFC 7515 2, RFC 4648 5) and the base64 inside PEM (RFC 7468 3).

ACME writes binary values in base64url and reads none: of those that the CA sends (nonces, tokens) only the alphabet
matters, which `is_url` checks. It is the one such check of the core, and what it lets pass may stand in JSON, a path
or a file name as it is. The only base64 that is decoded is the one inside PEM; it is written anew before a server gets it.
"""

from ..errors import RemoteError
from .buffer import put

_LINE_ENDS = (b"\n", b"=\n", b"==\n")  # by how many bytes are missing for the last three
_URL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def write_url(buffer, offset, source, start, end):
    """Write `source[start:end]` as base64url without padding to `buffer[offset:]`; return the new offset.

    `source` may be the same object as `buffer` where the ranges do not overlap. Allocates nothing.
    Raises LocalError("overflow").
    """
    put(buffer, offset + ((end - start) * 4 + 2) // 3, b"")  # room for all of it, before anything is written
    while start + 2 < end:
        word = source[start] << 16 | source[start + 1] << 8 | source[start + 2]
        buffer[offset] = _URL[word >> 18]
        buffer[offset + 1] = _URL[word >> 12 & 63]
        buffer[offset + 2] = _URL[word >> 6 & 63]
        buffer[offset + 3] = _URL[word & 63]
        start += 3
        offset += 4
    # One or two bytes are left: two or three digits, without padding (RFC 7515 2).
    if start < end:
        word = source[start] << 16
        if start + 1 < end:
            word |= source[start + 1] << 8
            buffer[offset + 2] = _URL[word >> 6 & 63]
        buffer[offset] = _URL[word >> 18]
        buffer[offset + 1] = _URL[word >> 12 & 63]
        offset += end - start + 1
    return offset


def is_url(text, least, most):
    """True for `least` to `most` characters of base64url in `text` (str or bytes-like). Only a str allocates.

    Nothing is encoded to find out: JSON may hold half a surrogate pair, which has no encoding.
    """
    if not least <= len(text) <= most:
        return False
    for character in text:
        code = character if isinstance(character, int) else ord(character)
        if code > 122 or code not in _URL:  # bytes hold nothing above 255 to be compared with
            return False
    return True


def write_pem(buffer, offset, source, start, end):
    """Write `source[start:end]` as PEM's base64, lines of 64 characters (RFC 7468 2); return the new offset.

    Allocates nothing. Raises LocalError("overflow").
    """
    while start < end:
        line = offset
        stop = min(start + 48, end)
        offset = write_url(buffer, offset, source, start, stop)
        while line < offset:  # the other alphabet
            character = buffer[line]
            if character == 45:
                buffer[line] = 43
            elif character == 95:
                buffer[line] = 47
            line += 1
        offset = put(buffer, offset, _LINE_ENDS[(start - stop) % 3])
        start = stop
    return offset


def _bad(why):
    raise RemoteError("base64", "The server sent text that is not the base64 it should be (%s)." % why)


def _digit(character):
    """The value 0..63 of one character of PEM's base64, or -1."""
    if 65 <= character <= 90:  # A to Z
        return character - 65
    if 97 <= character <= 122:  # a to z
        return character - 71
    if 48 <= character <= 57:  # 0 to 9
        return character + 4
    if character == 43:  # +
        return 62
    return 63 if character == 47 else -1  # /


def read_pem(out, offset, source, start, end):
    """Decode the base64 inside PEM, `source[start:end]` (bytes-like), to `out[offset:]`; return the new offset.

    White space is skipped and padding is required (RFC 7468 3). Bits left over must be zero: each value has one
    spelling. Allocates nothing. Raises RemoteError("base64") for the text and LocalError("overflow") where `out` is
    too small.
    """
    put(out, offset + (end - start) * 3 // 4, b"")  # white space makes this more than is needed, never less
    word = digits = padding = 0  # up to four digits are gathered in one word of 24 bits
    while start < end:
        character = source[start]
        start += 1
        value = _digit(character)
        if value < 0:
            if character == 61:  # =
                padding += 1
            elif character != 10 and character != 13 and character != 32 and character != 9:
                _bad("a character outside the alphabet")
            continue
        if padding:
            _bad("data after the padding")
        word = word << 6 | value
        digits += 1
        if digits == 4:
            out[offset] = word >> 16
            out[offset + 1] = word >> 8 & 255
            out[offset + 2] = word & 255
            offset += 3
            word = digits = 0
    if digits == 1 or digits + padding != (4 if digits else 0):
        _bad("cut short, or wrong padding")
    # The last digits carry bits that belong to no byte. If they could be anything, one certificate had many texts.
    if digits == 2:
        if word & 15:
            _bad("bits left over")
        out[offset] = word >> 4
        offset += 1
    elif digits == 3:
        if word & 3:
            _bad("bits left over")
        out[offset] = word >> 10
        out[offset + 1] = word >> 2 & 255
        offset += 2
    return offset
