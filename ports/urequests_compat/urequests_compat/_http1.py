"""Reading HTTP/1.1 responses (RFC 9112) from whatever bytes have arrived: no socket, no waiting.

One `Reader` serves one connection at a time. `parse` is a generator that stops whenever it needs more bytes;
its caller then reads some into `Reader.space()` and tells `Reader.filled` how many there were.
"""

from . import fields
from .errors import BadResponse, TooLarge


class Reader:
    """Responses of at most `max_header` bytes and `max_headers` lines of headers, `max_body` bytes of body.

    After `parse` ended: `status` int, `headers` dict, `body` bytearray, and `keep`: whether the connection
    may be used again. With `rest` false a body that only the end of the connection delimits is refused: for
    transports that cannot tell an end from a cut.
    """

    def __init__(self, max_header, max_headers, max_body, size=1024, rest=True):
        self.max_header = max_header
        self.max_headers = max_headers
        self.max_body = max_body
        self.rest = rest
        self._buf = bytearray(size)
        self._view = memoryview(self._buf)
        self.reset()

    def reset(self):
        """Begin with a new connection."""
        self._lo = self._hi = 0
        self._ended = False
        self._left = 0
        self.status = 0
        self.headers = {}
        self.body = b""
        self.keep = False

    def space(self):
        """The memory to read into. All that was filled before has been taken."""
        return self._view

    def filled(self, n):
        """`n` bytes were read into `space()`; 0 means that the server ended the connection properly."""
        self._lo = 0
        self._hi = n
        if n == 0:
            self._ended = True

    def parse(self, method):
        """A generator that yields whenever it needs more bytes and ends with the response to `method`.

        Raises BadResponse or TooLarge; the connection is of no more use then.
        """
        self.keep = False
        self.body = b""
        self._left = self.max_header
        status = 100
        while status < 200:
            # Interim responses are passed over; they share the allowance for headers.
            line = yield from self._line()
            status, keep = _status(line)
            if status == 101:
                raise BadResponse("the server switched to another protocol")
            yield from self._headers()
        length = fields.framing(self.headers, status, method, self.max_body)
        if length == -1:
            yield from self._chunks()
        elif length == -2:
            if not self.rest:
                raise BadResponse("the server's answer does not say where it ends")
            yield from self._rest()
        elif length:
            yield from self._exactly(length)
        self.status = status
        closing = "close" in self.headers.get("connection", "").lower()
        # Bytes behind the response answer nothing that was asked.
        self.keep = keep and not closing and not self._ended and self._lo == self._hi

    def _more(self):
        """Wait until there is a byte in the buffer."""
        while self._lo == self._hi:
            if self._ended:
                raise BadResponse("the server's answer was cut short")
            yield

    def _line(self):
        """A line without its end, as a bytearray; counts against the allowance."""
        line = bytearray()
        while True:
            if self._lo == self._hi:
                yield from self._more()
            end = self._buf.find(b"\n", self._lo, self._hi)
            stop = self._hi if end < 0 else end
            self._left -= stop - self._lo + (end >= 0)
            if self._left < 0:
                raise TooLarge("the server's headers are larger than %d bytes" % self.max_header)
            line.extend(self._view[self._lo : stop])
            self._lo = stop + (end >= 0)
            if end >= 0:
                return line[:-1] if line[-1:] == b"\r" else line

    def _headers(self):
        self.headers = {}
        lines = 0
        while True:
            line = yield from self._line()
            if not line:
                return
            lines += 1
            if lines > self.max_headers:
                raise TooLarge("the server sent more than %d header lines" % self.max_headers)
            for i in range(len(line)):
                if line[i] > 127:
                    line[i] = 63  # "?": header text is ASCII to everybody who reads it
            text = str(line, "utf-8")
            colon = text.find(":")
            if colon < 0:
                raise BadResponse("the server sent malformed headers")
            fields.add(self.headers, text[:colon], text[colon + 1 :])

    def _room(self, n):
        try:
            return bytearray(n)
        except MemoryError:
            raise TooLarge("there is not enough memory for an answer of %d bytes" % n)

    def _exactly(self, length):
        body = self._room(length)
        at = 0
        while at < length:
            if self._lo == self._hi:
                yield from self._more()
            n = min(self._hi - self._lo, length - at)
            body[at : at + n] = self._view[self._lo : self._lo + n]
            self._lo += n
            at += n
        self.body = body

    def _append(self, n):
        if len(self.body) + n > self.max_body:
            raise TooLarge("the server's answer is larger than %d bytes" % self.max_body)
        try:
            self.body.extend(self._view[self._lo : self._lo + n])
        except MemoryError:
            raise TooLarge("there is not enough memory for the server's answer")
        self._lo += n

    def _rest(self):
        self.body = bytearray()
        while not self._ended:
            if self._lo == self._hi:
                yield
            self._append(self._hi - self._lo)

    def _chunks(self):
        self.body = bytearray()
        self._left += self.max_body  # a server may send chunks of a byte
        while True:
            line = yield from self._line()
            size = _chunk_size(line, self.max_body)
            if size == 0:
                break
            while size:
                if self._lo == self._hi:
                    yield from self._more()
                n = min(self._hi - self._lo, size)
                self._append(n)
                size -= n
            line = yield from self._line()
            if line:
                raise BadResponse("the server's chunks are malformed")
        while line:  # trailers are dropped
            line = yield from self._line()


def _status(line):
    """(status, whether the version keeps connections) of a status line."""
    if (
        line[:7] != b"HTTP/1."
        or line[7:9] not in (b"1 ", b"0 ")
        or len(line) < 12
        or line[12:13] not in (b"", b" ")
    ):
        raise BadResponse("the server's answer is not HTTP")
    status = 0
    for i in range(9, 12):
        if not 48 <= line[i] <= 57:
            raise BadResponse("the server's answer is not HTTP")
        status = status * 10 + line[i] - 48
    if status < 100:
        raise BadResponse("the server's answer is not HTTP")
    return status, line[7] == 49


def _chunk_size(line, most):
    """The size in a chunk's first line (RFC 9112 7.1); extensions are passed over."""
    size = digits = 0
    for c in line:
        if c == 59 or c in b" \t":
            break
        d = c - 48 if c < 58 else (c | 32) - 87
        if not 0 <= d < 16 or c > 57 and d < 10 or digits == 16:
            raise BadResponse("the server's chunks are malformed")
        digits += 1
        size = size * 16 + d
        if size > most:
            raise TooLarge("the server's answer is larger than %d bytes" % most)
    if not digits:
        raise BadResponse("the server's chunks are malformed")
    return size
