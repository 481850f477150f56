"""Answering http-01 validations (RFC 8555 8.3): from request bytes to response bytes, for whatever socket.

Port 80 faces the Internet, where scanners try every address all day. What holds:

- It is open only while a challenge is published; that is the port's part.
- One request for each connection, GET and HEAD only, the exact path of a token that is published now and nothing
  else. No file is ever looked at, so there is no path to climb out of.
- A request may be endless without taking more memory than its first line: header lines are counted and dropped.
- Nothing in an answer says what answers: no Server header, no page with words of ours. Otherwise a search engine for
  banners would list the homes that run ipcert.
- Bytes of a request raise nothing; whatever they are, there is an answer, "need more" (None), or the end.
"""

from .. import limits
from ..encoding.base64url import is_url
from ..errors import LocalError, RemoteError

PATH = b"/.well-known/acme-challenge/"


def _bytes(text):
    return text.encode() if isinstance(text, str) else bytes(text)


def check(token, text):
    """Return (token, text) as bytes; raise RemoteError("token") unless both are what RFC 8555 8.1 and 8.3
    describe."""
    name, answer = _bytes(token), _bytes(text)
    dot = answer.find(b".")
    if (
        not is_url(name, 1, limits.TOKEN)
        or answer[:dot] != name
        or not is_url(answer[dot + 1 :], 1, limits.TOKEN)
    ):
        raise RemoteError(
            "token",
            "The CA sent a challenge token that is not base64url text.",
        )
    return name, answer


class Answers:
    """The published challenges: at most limits.ANSWERS tokens and their key authorizations."""

    def __init__(self):
        self._texts = {}

    def __len__(self):
        return len(self._texts)

    def publish(self, token, text):
        """Answer `token` with the key authorization `text` (str or bytes) from now on.

        Raises RemoteError("token") for a malformed one, LocalError("overflow") when limits.ANSWERS are published
        already.
        """
        name, answer = check(token, text)
        if name not in self._texts and len(self._texts) >= limits.ANSWERS:
            raise LocalError("overflow", "Too many challenges are published at once; report this.")
        self._texts[name] = answer

    def withdraw(self, token):
        """Answer `token` no longer; nothing happens when it was not published."""
        self._texts.pop(_bytes(token), None)

    def find(self, token):
        """The key authorization for `token` (bytes), or None."""
        return self._texts.get(token)


def _response(status, body, head=False, more=b""):
    text = b"HTTP/1.1 %s\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n" % (
        status,
        len(body),
    )
    return text + more + b"Connection: close\r\n\r\n" + (b"" if head else body)


# Where a request stands.
_LINE = 0  # in the first line
_HEAD = 1  # in the header lines, which are counted and dropped
_OVER = 2  # answered


class Request:
    """One connection's request: `feed` it what arrives until there is an answer."""

    def __init__(self, answers):
        self._answers = answers
        self._line = bytearray()
        self._state = _LINE
        self.size = 0  # bytes that were read
        self._end = 0  # newlines in a row at the end of what was read: two end the head

    def feed(self, data, size):
        """Take the first `size` bytes of `data`.

        Returns None when more is needed, otherwise the response as bytes, after which the connection is
        closed; b"" means to close without a word. Everything after the answer is ignored.
        """
        for index in range(size):
            byte = data[index]
            self.size += 1
            if self._state == _LINE:
                if byte == 10:
                    self._state = _HEAD
                    self._end = 1
                elif not 32 <= byte <= 126 and byte != 13:
                    return self._over(b"")  # not HTTP: a TLS client, for one
                elif len(self._line) >= limits.REQUEST_LINE:
                    return self._over(_response(b"414 URI Too Long", b""))
                else:
                    self._line.append(byte)
            elif self._state == _HEAD:
                if byte == 10:
                    self._end += 1
                    if self._end == 2:
                        return self._over(self._answer())
                elif byte != 13:
                    self._end = 0
            else:  # answered: what else was sent goes nowhere
                return b""
            if self.size >= limits.REQUEST:
                return self._over(_response(b"431 Request Header Fields Too Large", b""))
        return None

    def _over(self, response):
        self._state = _OVER
        self._line = bytearray()  # its memory goes before the connection does
        return response

    def _answer(self):
        line = bytes(self._line)
        if line[-1:] == b"\r":
            line = line[:-1]
        parts = line.split(b" ")
        if len(parts) != 3 or parts[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
            return _response(b"400 Bad Request", b"")
        # The target as it is, neither decoded nor normalized: there is one spelling of a token's path.
        method, target = parts[0], parts[1]
        if method not in (b"GET", b"HEAD"):
            return _response(b"405 Method Not Allowed", b"", more=b"Allow: GET, HEAD\r\n")
        text = None
        if target[: len(PATH)] == PATH:
            text = self._answers.find(target[len(PATH) :])
        if text is None:
            return _response(b"404 Not Found", b"", head=method == b"HEAD")
        return _response(b"200 OK", text, head=method == b"HEAD")
