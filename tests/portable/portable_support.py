"""What several portable tests share: vectors, the heap lock, and a signer that answers from constants."""

import binascii
import json
import sys

from ipcert.encoding import base64url

if sys.implementation.name == "micropython":
    import micropython
else:
    micropython = None

_TESTS = __file__.rsplit("/", 2)[0] if "/" in __file__ else ".."


def vectors(name):
    """The vectors in tests/vectors/NAME.json."""
    with open(_TESTS + "/vectors/" + name + ".json") as f:
        return json.load(f)


def unhex(text):
    """Bytes from hex digits."""
    return binascii.unhexlify(text)


def decoded(text):
    """The bytes of unpadded base64url (bytes), by the standard library."""
    return binascii.a2b_base64(text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4))


def locked(call):
    """Call it, on MicroPython with the heap locked: any allocation raises MemoryError."""
    if micropython is None:
        return call()
    micropython.heap_lock()
    try:
        return call()
    finally:
        micropython.heap_unlock()


def code_of(error, call):
    """The code of the `error` that the call raises, or None where it returns."""
    try:
        call()
    except error as e:
        return e.code
    return None


class FixedSigner:
    """Answers with a given point and r||s; `signed` holds what it was asked to sign. Allocates nothing."""

    def __init__(self, point, rs=bytes(64)):
        self.point = point
        self.rs = rs
        self.signed = bytearray(8192)
        self.size = 0

    def _take(self, data, start, end):
        for i in range(start, end):
            self.signed[self.size] = data[i]
            self.size += 1

    def public(self, slot, buf, off):
        for b in self.point:
            buf[off] = b
            off += 1
        return off

    def sign(self, slot, buf, start, end, out, off):
        self.size = 0
        self._take(buf, start, end)
        for b in self.rs:
            out[off] = b
            off += 1
        return off

    def jws(self, slot, parts, payload, n, out, off):
        """No JSON: base64url of the header, a dot, base64url of the payload."""
        self.size = 0
        for p in parts:
            self._take(p, 0, len(p))
        off = base64url.write_url(out, off, self.signed, 0, self.size)
        out[off] = 46
        return base64url.write_url(out, off + 1, payload, 0, n)
