"""urequests_compat's reader of HTTP/1.1 responses: MicroPython's half, and the same file under CPython."""

from urequests_compat._http1 import Reader
from urequests_compat.errors import BadResponse, RequestError, TooLarge

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(data, method="GET", step=1024, ended=True, max_body=64, reader=None):
    """Feed `data` in pieces of `step`, then the end; return the reader. An unfinished one raises
    AssertionError."""
    reader = reader or Reader(512, 8, max_body, 16 if step < 16 else 1024)
    at = 0
    for _ in reader.parse(method):
        piece = data[at : at + min(step, len(reader.space()))]
        assert piece or ended, "it wants more"
        reader.space()[: len(piece)] = piece
        reader.filled(len(piece))
        at += len(piece)
    return reader


def outcome(data, method="GET", step=1024):
    try:
        reader = read(data, method, step)
    except RequestError as e:
        return type(e).__name__
    return reader.status, bytes(reader.body)


def every_step(data, method="GET"):
    """The outcome, which must not depend on how the bytes arrive."""
    whole = outcome(data, method)
    for step in (1, 2, 3, 7):
        assert outcome(data, method, step) == whole, (data, step)
    return whole


def test_bodies():
    assert every_step(OK) == (200, b"hello")
    assert every_step(CHUNKED + b"5;a=b\r\nhello\r\n06 \r\n world\r\n0\r\nX: y\r\n\r\n") == (
        200,
        b"hello world",
    )
    assert every_step(CHUNKED + b"0000000000000001\r\na\r\n0\r\n\r\n") == (200, b"a")
    assert every_step(b"HTTP/1.1 200 OK\r\n\r\nto the end") == (200, b"to the end")
    assert every_step(b"HTTP/1.0 404\n\n") == (404, b"")
    for status in (b"204 No Content", b"304 Not Modified"):
        assert every_step(b"HTTP/1.1 " + status + b"\r\n\r\n")[1] == b""
    assert every_step(OK[:-5], "HEAD") == (200, b"")


def test_a_body_without_a_length_may_be_refused():
    for data, wanted in ((b"HTTP/1.1 200 OK\r\n\r\nrest", "cut"), (OK, ""), (CHUNKED + b"0\r\n\r\n", "")):
        try:
            read(data, reader=Reader(512, 8, 64, rest=False))
        except BadResponse:
            assert wanted
            continue
        assert not wanted


def test_headers():
    head = (
        b"HTTP/1.1 200 OK\r\nLINK: <a>\r\nlink:<b>  \r\nX: caf\xc3\xa9\r\nEmpty:\r\nContent-Length: 0\r\n\r\n"
    )
    headers = read(head).headers
    assert headers == {"link": "<a>, <b>", "x": "caf??", "empty": "", "content-length": "0"}


def test_interim_responses_are_passed_over():
    assert every_step(b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" + OK) == (200, b"hello")
    assert every_step(b"HTTP/1.1 101 Switching Protocols\r\n\r\n") == "BadResponse"


def test_keeping_the_connection():
    def keep(data, method="GET"):
        return read(data, method, ended=False).keep

    assert keep(OK) and keep(CHUNKED + b"0\r\n\r\n") and keep(OK[:-5], "HEAD")
    assert not keep(OK + b"x") and not keep(OK.replace(b"1.1", b"1.0"))
    assert not keep(OK.replace(b"Content-Type: text/plain", b"Connection: Close"))
    assert not read(b"HTTP/1.1 200 OK\r\n\r\nrest").keep
    reader = Reader(512, 8, 64)
    for _ in range(3):
        assert bytes(read(OK, ended=False, reader=reader).body) == b"hello"


def test_a_cut_at_every_byte():
    for data in (OK, CHUNKED + b"5\r\nhello\r\n0\r\nX: y\r\n\r\n"):
        for at in range(len(data)):
            assert every_step(data[:at]) == "BadResponse", (data, at)


def test_ambiguous_framing():
    for lines in (
        b"Content-Length: 5\r\nContent-Length: 5",
        b"Content-Length: 5, 5",
        b"Content-Length: -5",
        b"Content-Length: +5",
        b"Content-Length: 0x5",
        b"Content-Length:",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: identity",
        b"Content-Encoding: gzip\r\nContent-Length: 5",
    ):
        assert every_step(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n\r\nhello") == "BadResponse", lines


def test_malformed_heads():
    for head in (
        b"SSH-2.0-x",
        b"HTTP/2 200 OK",
        b"HTTP/1.1",
        b"HTTP/1.1 20",
        b"HTTP/1.1 2000",
        b"HTTP/1.1 20x OK",
        b"HTTP/1.1 099 OK",
        b"HTTP/1.2 200 OK",
        b"HTTP/1.1  200 OK",
        b"http/1.1 200 OK",
        b"<html>",
        b"",
        b"HTTP/1.1 200 OK\r\nnonsense",
        b"HTTP/1.1 200 OK\r\nA b: c",
        b"HTTP/1.1 200 OK\r\nA : c",
        b"HTTP/1.1 200 OK\r\n: c",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded",
        b"HTTP/1.1 200 OK\r\nA: b\x00c",
        b"HTTP/1.1 200 OK\r\nA: b\rc",
        b"HTTP/1.1 200 OK\r\nA\xc3: b",
    ):
        assert every_step(head + b"\r\nContent-Length: 5\r\n\r\nhello") == "BadResponse", head


def test_bounds():
    def head(line):
        return b"HTTP/1.1 200 OK\r\n" + line + b"\r\n"

    fits = head(b"X: " + b"a" * (512 - 17 - 3 - 2 - 19 - 2)) + b"Content-Length: 0\r\n\r\n"
    assert len(fits) == 512 and every_step(fits) == (200, b"")
    assert every_step(fits.replace(b"X: ", b"X: a")) == "TooLarge"
    assert every_step(head(b"a" * 600)) == "TooLarge"
    assert every_step(b"a" * 600) == "TooLarge"
    assert every_step(head(b"\r\n".join([b"X: y"] * 8)) + b"\r\n") == (200, b"")
    assert every_step(head(b"\r\n".join([b"X: y"] * 9)) + b"\r\n") == "TooLarge"
    assert every_step(b"HTTP/1.1 100 Continue\r\n\r\n" * 30) == "TooLarge"
    assert every_step(head(b"Content-Length: 64") + b"\r\n" + b"a" * 64) == (200, b"a" * 64)
    for length in (b"65", b"4294967296", b"9" * 300):
        assert every_step(head(b"Content-Length: " + length) + b"\r\n" + b"a" * 65) == "TooLarge"
    assert every_step(head(b"") + b"a" * 64) == (200, b"a" * 64)
    assert every_step(head(b"") + b"a" * 65) == "TooLarge"


def test_chunks():
    assert every_step(CHUNKED + b"1\r\na\r\n" * 64 + b"0\r\n\r\n") == (200, b"a" * 64)
    for size in (b"41", b"8000000000000000", b"ffffffffffffffff", b"FFFFFFFF", b"7fffffff"):
        assert every_step(CHUNKED + size + b"\r\n" + b"a" * 65 + b"\r\n0\r\n\r\n") == "TooLarge", size
    assert (
        every_step(CHUNKED + b"20\r\n" + b"a" * 32 + b"\r\n21\r\n" + b"a" * 33 + b"\r\n0\r\n\r\n")
        == "TooLarge"
    )
    for size in (b"-5", b"+5", b"0x5", b"5_", b"", b" 5", b";5", b"g", b"\x15", b"0" * 17, b"5\xb5"):
        assert every_step(CHUNKED + size + b"\r\nhello\r\n0\r\n\r\n") == "BadResponse", size
    assert every_step(CHUNKED + b"5\r\nhelloX\r\n0\r\n\r\n") == "BadResponse"
    assert every_step(CHUNKED + b"5;" + b"a" * 600) == "TooLarge"
    assert every_step(CHUNKED + b"0\r\n" + b"X: y\r\n" * 200) == "TooLarge"


def test_errors_name_their_kind_only_once():
    assert issubclass(BadResponse, RequestError) and issubclass(TooLarge, RequestError)


def test_random_answers_raise_only_our_errors():
    seed = 99
    alphabet = b"HTTP/1.1 200\r\n\r\n:;0123456789abcdefContent-LengthTransfer-Encoding chunked\x00\xff"
    for _ in range(300):
        data = bytearray(b"HTTP/1.1 200 OK\r\n" if seed & 512 else CHUNKED)
        for _ in range(60):
            seed = (seed * 1103515245 + 12345) & 0x3FFFFFFF
            data.append(alphabet[(seed >> 12) % len(alphabet)])
        every_step(bytes(data))
