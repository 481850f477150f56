"""ipcert.acme.http01: what a stranger on port 80 can get out of it."""

from ipcert import limits
from ipcert.acme import http01
from ipcert.errors import LocalError, RemoteError

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
TEXT = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
GET = ("GET /.well-known/acme-challenge/" + TOKEN + " HTTP/1.1\r\nHost: example.org\r\nX: y\r\n\r\n").encode()


def answers():
    a = http01.Answers()
    a.publish(TOKEN, TEXT)
    return a


def ask(data, known=None):
    """The answer to `data`, which must be the same whole, byte by byte and with more behind it."""
    if known is None:
        known = answers()
    whole = http01.Request(known).feed(data, len(data))
    one = http01.Request(known)
    last = None
    for i in range(len(data)):
        last = one.feed(data[i : i + 1], 1)
        if last is not None:
            break
    assert last == whole, (last, whole)
    if whole is not None:
        more = http01.Request(known)
        assert more.feed(data + GET * 3, len(data) + 3 * len(GET)) == whole
        assert more.feed(GET, len(GET)) == b""
    return whole


def status(data):
    return ask(data).split(b"\r\n")[0]


def raises(kind, code, call, *args):
    try:
        call(*args)
    except kind as e:
        assert e.code == code
        return
    raise AssertionError("not refused")


def test_a_published_token_is_answered():
    answer = ask(GET)
    assert answer[:17] == b"HTTP/1.1 200 OK\r\n" and answer[-len(TEXT) :] == TEXT.encode()
    assert b"Content-Length: %d\r\n" % len(TEXT) in answer and b"Connection: close\r\n\r\n" in answer
    for word in (b"Server", b"Date", b"ipcert", b"Python"):
        assert word not in answer
    assert ask(GET.replace(b"\r\n", b"\n")) == answer
    assert ask(GET.replace(b"HTTP/1.1", b"HTTP/1.0")) == answer


def test_head_has_the_length_and_no_body():
    answer = ask(GET.replace(b"GET", b"HEAD"))
    assert b"Content-Length: %d\r\n" % len(TEXT) in answer and answer[-4:] == b"\r\n\r\n"


def test_a_cut_request_is_not_answered():
    for i in range(len(GET)):
        assert http01.Request(answers()).feed(GET, i) is None


def test_withdrawn_and_replaced():
    a = answers()
    a.publish(TOKEN, TOKEN + ".other")
    assert ask(GET, a)[-6:] == b".other"
    a.withdraw(TOKEN)
    a.withdraw(TOKEN)
    assert len(a) == 0 and ask(GET, a)[:22] == b"HTTP/1.1 404 Not Found"


def test_everything_else_is_not_found():
    base = "/.well-known/acme-challenge/"
    path = base + TOKEN
    others = [
        "/",
        "*",
        base,
        base[:-1],
        path + "/",
        path + "?x=y",
        path[:-1],
        path + "x",
        "/" + path,
        path.upper(),
    ]
    others += ["//.well-known/acme-challenge/" + TOKEN, "/x/.." + path, path + "#a", "http://h" + path]
    others += [base + "../../etc/passwd", base + "%2e%2e/", base + "%4c" + TOKEN[1:], base + "./" + TOKEN]
    for target in others:
        answer = ask(("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n").encode())
        assert answer[:22] == b"HTTP/1.1 404 Not Found" and answer[-4:] == b"\r\n\r\n", target


def test_other_methods():
    for method in (b"POST", b"PUT", b"OPTIONS", b"CONNECT", b"get", b"PRI", b"TRACE"):
        assert status(GET.replace(b"GET", method)) == b"HTTP/1.1 405 Method Not Allowed"


def test_malformed_requests():
    lines = (
        b"",
        b"GET",
        b"GET /",
        b"GET / HTTP/2.0",
        b"GET /  HTTP/1.1",
        b" GET / HTTP/1.1",
        b"GET / x HTTP/1.1",
    )
    for line in lines:
        assert status(line + b"\r\n\r\n") == b"HTTP/1.1 400 Bad Request"
    tail = b" HTTP/1.1\r\n\r\n"
    for data in (b"\x16\x03\x01\x02\x00\x01\x00", b"\x00", b"GET /\xc3\xa9" + tail, b"GET /\t" + tail):
        assert ask(data) == b""


def test_bounds():
    long = b"GET /" + b"a" * (limits.REQUEST_LINE - 5)
    assert ask(long) is None
    assert status(long + b"a") == b"HTTP/1.1 414 URI Too Long"
    head = b"GET / HTTP/1.1\r\nX: "
    assert ask(head + b"a" * (limits.REQUEST - len(head) - 1)) is None
    assert (
        status(head + b"a" * (limits.REQUEST - len(head))) == b"HTTP/1.1 431 Request Header Fields Too Large"
    )
    assert status(head + b"a\r\n" * limits.REQUEST) == b"HTTP/1.1 431 Request Header Fields Too Large"


def test_what_may_be_published():
    a = http01.Answers()
    for token in ("", "a" * (limits.TOKEN + 1), "a b", "../x", "a.b", "a/b", "a%41", "a=", "\u00e9"):
        raises(RemoteError, "token", a.publish, token, token + ".x")
    for text in ("", "abc", "abc.", "abd.x", "abc.x.y", "abc.x y", "abc.\r\n"):
        raises(RemoteError, "token", a.publish, "abc", text)
    for i in range(limits.ANSWERS):
        a.publish("t%d" % i, b"t%d.x" % i)
    a.publish("t0", "t0.y")
    raises(LocalError, "overflow", a.publish, "more", "more.x")
    assert len(a) == limits.ANSWERS and a.find(b"t0") == b"t0.y" and a.find(b"more") is None


def test_random_bytes_do_no_harm():
    known = answers()
    seed = 12345
    alphabet = b"GET /.well-known/acme-challenge/HTTP/1.1\r\n\r\n \x00\xff:"
    for _ in range(200):
        data = bytearray()
        for _ in range(120):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            data.append(alphabet[(seed >> 12) % len(alphabet)])
        answer = ask(bytes(data), known)
        assert answer is None or answer == b"" or answer[:9] == b"HTTP/1.1 " and answer[9:12] != b"200"
