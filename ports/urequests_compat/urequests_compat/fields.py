"""Header lines and framing, of both halves: what is sent, and the rules for what comes (RFC 9110 5, RFC 9112 6)."""

from .errors import BadResponse, TooLarge

_TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"


def head(method, target, host, user_agent, headers, data):
    """A request's bytes up to its body `data` (bytes-like or None). `headers` (a dict, or None) may replace ours.

    Raises ValueError for a header that holds a line end.
    """
    lines = {"Host": host, "User-Agent": user_agent, "Accept-Encoding": "identity"}
    if data is not None or method == "POST":
        lines["Content-Length"] = str(len(data or b""))
    lines.update(headers or {})
    text = "%s %s HTTP/1.1\r\n" % (method, target)
    for name in lines:
        line = "%s: %s" % (name, lines[name])
        if "\r" in line or "\n" in line:
            raise ValueError("a request header holds a line end")
        text += line + "\r\n"
    return (text + "\r\n").encode()


def add(headers, name, value):
    """Put one header line into the dict `headers`: lower-case name, repeated ones joined with ", ".

    Characters outside ASCII become "?"; control characters and malformed names raise BadResponse.
    """
    name = name.lower()
    if not name:
        raise BadResponse("the server sent a header without a name")
    for c in name:
        if c not in _TOKEN:
            raise BadResponse("the server sent a malformed header name")
    value = value.strip(" \t")
    clean = True
    for c in value:
        if c < " " and c != "\t" or c == "\x7f":
            raise BadResponse("the server sent a control character in a header")
        if c > "~":
            clean = False
    if not clean:
        value = "".join([c if c <= "~" else "?" for c in value])
    if name in headers:
        value = headers[name] + ", " + value
    headers[name] = value


def framing(headers, status, method, max_body):
    """How the body is delimited: its length in bytes, -1 for chunked, -2 for "until the connection ends".

    Raises BadResponse where it is ambiguous (RFC 9112 6.3) or encoded, TooLarge above `max_body`.
    """
    length = headers.get("content-length")
    coding = headers.get("transfer-encoding")
    if length is not None:
        if coding is not None:
            raise BadResponse("the server sent both Content-Length and Transfer-Encoding")
        if not length.isdigit():
            raise BadResponse("the server sent a malformed or repeated Content-Length")
    if coding is not None and coding.lower() != "chunked":
        raise BadResponse("the server sent a transfer coding that is not understood")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise BadResponse("the server compressed its answer without being asked")
    if method == "HEAD" or status in (204, 304):
        return 0
    if coding is not None:
        return -1
    if length is None:
        return -2
    if len(length) > 9 or int(length) > max_body:
        raise TooLarge("the server's answer is larger than %d bytes" % max_body)
    return int(length)
