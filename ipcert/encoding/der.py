"""DER (X.690 10): writing the few shapes ipcert needs, and a strict reader that allocates nothing."""

from ..errors import RemoteError
from .buffer import put


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
