"""The CPython half of urequests_compat against a hostile TLS server."""

import time

import hostile

import urequests_compat as u

ROOTS = hostile.Roots()


def session(**options):
    return u.Session(cafile=ROOTS.pem, max_body=16384, **options)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def fails(server, wanted, **options):
    """Request `server.url`, which must raise one of the exceptions named in `wanted`; return it."""
    client = session(**options)
    try:
        answer = client.request("GET", server.url)
    except u.RequestError as e:
        assert type(e).__name__ in wanted, (type(e), e, wanted)
        assert str(e) and "\n" not in str(e)
        return e
    finally:
        client.close()
    raise AssertionError("answered %d %r" % (answer.status_code, answer.content))


def test_a_plain_answer_and_keep_alive():
    with hostile.Server(ROOTS) as server:
        client = session(user_agent="demo/1")
        for _ in range(5):
            answer = client.request(
                "POST", server.url, {"Content-Type": "application/jose+json"}, bytearray(b"{}")
            )
            assert (answer.status_code, answer.content, answer.text) == (200, b"hello", "hello")
            assert answer.headers["content-type"] == "text/plain"
        client.close()
        assert server.connections == 1
        request = server.requests[0].lower()
        assert request.startswith(b"post /dir http/1.1\r\n") and request.endswith(b"\r\n\r\n{}")
        assert b"user-agent: demo/1\r\n" in request and b"host: 127.0.0.1:%d\r\n" % server.port in request
        assert (
            b"accept-encoding: identity\r\n" in request
            and b"content-type: application/jose+json\r\n" in request
        )


def test_ipv6_literal():
    with hostile.Server(ROOTS, host="::1") as server:
        assert session().request("GET", server.url).content == b"hello"
        assert b"host: [::1]:%d\r\n" % server.port in server.requests[0].lower()


def test_repeated_headers_are_joined_and_lower_case():
    head = b'HTTP/1.1 200 OK\r\nLINK: <a>;rel="up"\r\nLink: <b>\r\nX-\xc3: \r\nContent-Length: 0\r\n\r\n'
    with hostile.Server(ROOTS, head.replace(b"X-\xc3: ", b"X-A: caf\xc3\xa9")) as server:
        headers = session().request("GET", server.url).headers
        assert headers["link"] == '<a>;rel="up", <b>' and headers["x-a"] == "caf??"


def test_head_204_and_304_have_no_body():
    for method, status in (("HEAD", b"200 OK"), ("GET", b"204 No Content"), ("GET", b"304 Not Modified")):
        with hostile.Server(ROOTS, b"HTTP/1.1 " + status + b"\r\nReplay-Nonce: abc\r\n\r\n") as server:
            client = session()
            for _ in range(2):
                answer = client.request(method, server.url)
                assert answer.content == b"" and answer.headers["replay-nonce"] == "abc"
            client.close()
            assert server.connections == 1


def test_chunks_extensions_and_trailers():
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    body += b"5;a=b\r\nhello\r\n06\r\n world\r\n0\r\nX: y\r\n\r\n"
    with hostile.Server(ROOTS, body) as server:
        client = session()
        assert [client.request("GET", server.url).content for _ in range(2)] == [b"hello world"] * 2
        client.close()
        assert server.connections == 1


def test_a_body_until_the_end_needs_a_proper_end():
    with hostile.Server(ROOTS, hostile.closing(b"HTTP/1.1 200 OK\r\n\r\nhello")) as server:
        assert session().request("GET", server.url).content == b"hello"


def test_redirects_and_errors_are_handed_over():
    for status in (301, 307, 400, 429, 500):
        body = b"HTTP/1.1 %d X\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 3\r\n\r\n<p>" % status
        with hostile.Server(ROOTS, body) as server:
            answer = session().request("GET", server.url)
            assert (answer.status_code, answer.content) == (status, b"<p>") and len(server.requests) == 1
            try:
                answer.json()
            except ValueError:
                continue
            raise AssertionError("HTML was read as JSON")


def test_every_hostile_answer_is_a_bounded_error():
    for name, answer, wanted in hostile.cases():
        with hostile.Server(ROOTS, answer) as server:
            start = time.monotonic()
            try:
                fails(server, wanted, timeout=1)
            except AssertionError as e:
                raise AssertionError("%s: %s" % (name, e)) from e
            assert time.monotonic() - start < 10, name


def test_a_cut_at_every_byte():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    for data in (hostile.OK, chunked):
        for at in range(len(data)):
            for ending in (hostile.cut, hostile.closing):
                with hostile.Server(ROOTS, ending(data[:at])) as server:
                    fails(server, ("BadResponse", "ConnectionFailed", "TLSError"), timeout=20)


def test_certificates_are_verified():
    with hostile.Server(ROOTS, leaf="other") as server:
        assert "IP address mismatch" in str(fails(server, ("TLSError",)))
    with hostile.Server(ROOTS, leaf="old") as server:
        assert "expired" in str(fails(server, ("TLSError",)))
    stranger = hostile.Roots("a stranger")
    with hostile.Server(stranger) as server:
        assert "issuer certificate" in str(fails(server, ("TLSError",)))
        for options in ({}, {"cafile": ROOTS.pem}):
            try:
                u.get(server.url, **options)
            except u.TLSError:
                continue
            raise AssertionError("an unknown root was accepted")
        assert server.requests == []
        both = [read(ROOTS.pem).decode(), read(stranger.der)]
        assert u.get(server.url, cadata=both).content == b"hello"
    stranger.close()


def test_no_root_is_trusted_but_those_that_were_named(monkeypatch):
    stranger = hostile.Roots("a stranger")
    monkeypatch.setenv("SSL_CERT_FILE", stranger.pem)
    with hostile.Server(stranger) as server:
        assert u.get(server.url).content == b"hello"  # the stranger is one of the system's
        assert "issuer certificate" in str(fails(server, ("TLSError",)))
        assert len(server.requests) == 1
    stranger.close()


def test_a_server_without_tls_and_none_at_all():
    with hostile.Server(ROOTS, tls=False) as server:
        server.context = None
        assert str(fails(server, ("TLSError", "Timeout"), timeout=1))
    assert "connection refused" in str(fails(server, ("ConnectionFailed",)))


def test_a_handshake_that_never_ends():
    with hostile.Server(ROOTS, lambda connection, request: time.sleep(20), tls=False) as server:
        start = time.monotonic()
        fails(server, ("Timeout",), connect_timeout=0.5, timeout=30)
        assert time.monotonic() - start < 10


def test_the_session_works_again_after_each_failure():
    answers = [hostile.cut(b"HTTP/1.1 200"), hostile.closing(b"x"), hostile.OK, hostile.cut(b""), hostile.OK]
    with hostile.Server(ROOTS) as server:
        client = session(timeout=20)
        for answer in answers:
            server.answer = answer
            try:
                assert client.request("GET", server.url).content == b"hello"
                assert answer is hostile.OK
            except u.RequestError:
                assert answer is not hostile.OK
        client.close()


def test_a_connection_closed_while_idle_is_replaced():
    once = hostile.closing(hostile.OK)
    with hostile.Server(ROOTS, once) as server:
        client = session()
        for _ in range(3):
            assert client.request("GET", server.url).content == b"hello"
            time.sleep(0.05)
        assert server.connections == 3


def test_urls():
    from urequests_compat.url import join, split

    assert split("https://example.org") == ("example.org", 443, "/")
    assert split("https://[2001:db8::1]:14000/a?b=c#d") == ("2001:db8::1", 14000, "/a?b=c")
    assert split("HTTPS://h?x") == ("h", 443, "/?x")
    assert join("::1", 14000) == "[::1]:14000" and join("h", 443) == "h"
    bad = "http://h/ https:// https://u@h/ https://h:0/ https://h:65536/ https://[::1/ https://[fe80::1%25eth0]/"
    bad = bad.split() + [
        "https://h/a b",
        "https://h/\r\nX: y",
        "https://h/\u00e9",
        "https://[h]/",
        "https://h]/",
        "ftp",
    ]
    bad += ["https://h:1x/", "https://[::1]1/", "https://::1/"]
    for url in bad:
        try:
            split(url)
        except ValueError:
            continue
        raise AssertionError(url)


def test_unreadable_roots_are_refused():
    for options in (
        {"cafile": "/nonexistent/roots.pem"},
        {"cadata": "no certificate"},
        {"cadata": b"\x30\x03abc"},
    ):
        try:
            u.Session(**options)
        except ValueError as e:
            assert "CA certificate" in str(e)
            continue
        raise AssertionError(options)
