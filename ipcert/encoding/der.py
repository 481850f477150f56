"""DER (X.690 10): writing heads of elements, and a strict reader that allocates nothing.

An element is a tag, a length and a content. ipcert writes few shapes, with lengths that are known beforehand: sizes
are added up from the inside (`size`), then everything is written once, from the outside (`head`). So there is no
second buffer, and nothing is moved.

Reading is for certificates that came from outside. DER has one encoding for each value, and the reader insists on it:
multi-byte tags, indefinite or non-minimal lengths and anything that reaches beyond its bounds raise
RemoteError("der"). A lenient reader would see another certificate in the same bytes than the CA, or a browser, does.
The reader goes one level at a time and keeps no stack, so depth costs nothing, and no nesting can exhaust anything.
"""

from ..errors import RemoteError
from .buffer import put

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
SEQUENCE = 0x30
SET = 0x31
# Context-specific tags, by their number: [0] to [3] around other elements, and implicit ones.
EXPLICIT_0 = 0xA0
EXPLICIT_3 = 0xA3
IMPLICIT_0 = 0x80
IMPLICIT_1 = 0x81
IMPLICIT_2 = 0x82
IMPLICIT_7 = 0x87


def size(content):
    """Bytes taken by an element whose content has `content` bytes, 0 <= content < 65536."""
    return content + (2 if content < 128 else 3 if content < 256 else 4)


def head(buffer, offset, tag, content):
    """Write a tag and the length `content`, 0 <= content < 65536, to `buffer[offset:]`; return the new offset."""
    end = offset + size(content) - content
    put(buffer, end, b"")
    buffer[offset] = tag
    if content < 128:
        buffer[offset + 1] = content
    elif content < 256:
        buffer[offset + 1] = 0x81
        buffer[offset + 2] = content
    else:
        buffer[offset + 1] = 0x82
        buffer[offset + 2] = content >> 8
        buffer[offset + 3] = content & 255
    return end


class Reader:
    """A cursor over the elements of `buffer[start:end]`, one level at a time; made once, loaded again and again.

    After `next()` was true: `tag`, `header` (offset of the tag), `start` and `end` (the content), `position` (= `end`).
    """

    def __init__(self):
        self.load(b"", 0, 0)

    def load(self, buffer, start, end):
        """Read `buffer[start:end]` from its beginning; the range must lie inside `buffer`."""
        self.buffer = buffer
        self.position = start
        self.limit = end
        self.tag = self.header = self.start = self.end = -1

    def _bad(self, why):
        raise RemoteError("der", "The certificate is malformed at byte %d: %s." % (self.position, why))

    def next(self):
        """Step to the next element; False when the range is used up. Raises RemoteError("der")."""
        buffer = self.buffer
        position = self.position
        limit = self.limit
        if position == limit:
            return False
        if position + 2 > limit:
            self._bad("it is cut short")
        self.header = position
        self.tag = buffer[position]
        if self.tag & 31 == 31:  # a tag of several bytes, which no certificate has
            self._bad("an unknown tag")
        length = buffer[position + 1]
        position += 2
        if length > 127:
            count = length - 128
            # More than three length bytes would be 16 MB or more, which no caller's buffer holds.
            if count < 1 or count > 3 or position + count > limit:
                self._bad("a bad length")
            length = 0
            while count:
                length = length << 8 | buffer[position]
                if length == 0:  # a leading zero byte: not the shortest form
                    self._bad("a bad length")
                position += 1
                count -= 1
            if length < 128:  # would have fitted into the first byte
                self._bad("a bad length")
        # Compared this way round, because position + length might be no small int.
        if length > limit - position:
            self._bad("it is cut short")
        self.start = position
        self.end = self.position = position + length
        return True

    def expect(self, tag):
        """Step to the next element, which must have this tag. Raises RemoteError("der")."""
        if not self.next() or self.tag != tag:
            self._bad("another field was expected")

    def only(self, tag):
        """Step to the next element, which must have this tag and be the last one, and read its content from here on."""
        self.expect(tag)
        self.finish()
        self.load(self.buffer, self.start, self.end)

    def length(self):
        """Bytes in the content of the current element."""
        return self.end - self.start

    def finish(self):
        """Raise RemoteError("der") where anything is left in the range."""
        if self.position != self.limit:
            self._bad("more follows than there should be")
