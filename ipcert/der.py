"""DER (X.690 10): writing the few shapes ipcert needs, and a strict reader that allocates nothing."""

from .buf import copy, put
from .errors import RemoteError

# SubjectPublicKeyInfo of a P-256 key up to its point (RFC 5480 2.1.1), and PKCS #8 around RFC 5915's
# ECPrivateKey.
_SPKI = (
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    b"\x03\x42\x00"
)
_PKCS8 = (
    b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d"
    b"\x03\x01\x07\x04\x6d\x30\x6b\x02\x01\x01\x04\x20"
)
SPKI_SIZE = 91
PKCS8_SIZE = 138


def size(n):
    """Bytes taken by an element whose content has `n` bytes, 0 <= n < 65536."""
    return n + (2 if n < 128 else 3 if n < 256 else 4)


def head(buf, off, tag, n):
    """Write a tag and the length `n`, 0 <= n < 65536, to `buf[off:]`; return the new offset."""
    end = off + size(n) - n
    put(buf, end, b"")
    buf[off] = tag
    if n < 128:
        buf[off + 1] = n
    elif n < 256:
        buf[off + 1] = 0x81
        buf[off + 2] = n
    else:
        buf[off + 1] = 0x82
        buf[off + 2] = n >> 8
        buf[off + 3] = n & 255
    return end


def _skip(src, off):
    """The offset of the first byte that a minimal INTEGER of the 32 bytes at `src[off:]` keeps."""
    end = off + 31
    while off < end and src[off] == 0:
        off += 1
    return off


def _integer(buf, off, src, start, end):
    """Write the unsigned big-endian `src[start:end]` as an INTEGER; return the new offset."""
    sign = src[start] >> 7
    off = head(buf, off, 0x02, end - start + sign)
    if sign:
        off = put(buf, off, b"\0")
    return copy(buf, off, src, start, end)


def ecdsa_size(rs, rs_off):
    """Bytes that `ecdsa_sig` will write: 8 to 72."""
    r = _skip(rs, rs_off)
    s = _skip(rs, rs_off + 32)
    return 70 + rs_off - r + (rs[r] >> 7) + rs_off + 32 - s + (rs[s] >> 7)


def ecdsa_sig(buf, off, rs, rs_off):
    """Write the 64 bytes r||s at `rs[rs_off:]` as ECDSA-Sig-Value (RFC 3279 2.2.3); return the new offset."""
    off = head(buf, off, 0x30, ecdsa_size(rs, rs_off) - 2)
    off = _integer(buf, off, rs, _skip(rs, rs_off), rs_off + 32)
    return _integer(buf, off, rs, _skip(rs, rs_off + 32), rs_off + 64)


def write_spki(buf, off, point, poff):
    """Write SubjectPublicKeyInfo (RFC 5480 2, 91 bytes) of the 65-byte `point[poff:]`; return the offset."""
    return copy(buf, put(buf, off, _SPKI), point, poff, poff + 65)


def write_pkcs8(buf, off, d, pub):
    """Write a P-256 private key as PKCS #8 (RFC 5958 2, RFC 5915 3; 138 bytes); return the new offset.

    `d` is the 32-byte scalar and `pub` its 65-byte point. The bytes are a secret: the caller wipes them.
    """
    off = copy(buf, put(buf, off, _PKCS8), d, 0, 32)
    return copy(buf, put(buf, off, b"\xa1\x44\x03\x42\x00"), pub, 0, 65)


class Reader:
    """A cursor over the elements of `buf[start:end]`, one level at a time; made once, loaded again and again.

    After `next()` was true: `tag`, `header` (offset of the tag), `start` and `end` (the content), `pos` (=
    `end`). Multi-byte tags, indefinite or non-minimal lengths and anything beyond the bounds raise
    RemoteError("der").
    """

    def __init__(self):
        self.load(b"", 0, 0)

    def load(self, buf, start, end):
        """Read `buf[start:end]` from its beginning; the range must lie inside `buf`."""
        self.buf = buf
        self.pos = start
        self.limit = end
        self.tag = self.header = self.start = self.end = -1

    def _bad(self, why):
        raise RemoteError("der", "The certificate is malformed at byte %d: %s." % (self.pos, why))

    def next(self):
        """Step to the next element; False when the range is used up. Raises RemoteError("der")."""
        buf = self.buf
        pos = self.pos
        limit = self.limit
        if pos == limit:
            return False
        if pos + 2 > limit:
            self._bad("it is cut short")
        self.header = pos
        self.tag = buf[pos]
        if self.tag & 31 == 31:
            self._bad("an unknown tag")
        n = buf[pos + 1]
        pos += 2
        if n > 127:
            k = n - 128
            # More than three length bytes would be 16 MB or more, which no caller's buffer holds.
            if k < 1 or k > 3 or pos + k > limit:
                self._bad("a bad length")
            n = 0
            while k:
                n = n << 8 | buf[pos]
                if n == 0:
                    self._bad("a bad length")
                pos += 1
                k -= 1
            if n < 128:
                self._bad("a bad length")
        if n > limit - pos:
            self._bad("it is cut short")
        self.start = pos
        self.end = self.pos = pos + n
        return True

    def expect(self, tag):
        """Step to the next element, which must have this tag. Raises RemoteError("der")."""
        if not self.next() or self.tag != tag:
            self._bad("another field was expected")

    def enter(self):
        """Read the content of the current element from here on."""
        self.load(self.buf, self.start, self.end)

    def finish(self):
        """Raise RemoteError("der") where anything is left in the range."""
        if self.pos != self.limit:
            self._bad("more follows than there should be")
