"""ipcert_port.port.net on CPython: what the core is told when the outside misbehaves."""

import os
import subprocess
import sys

import hostile
import pytest

from ipcert import limits
from ipcert.errors import LocalError, RemoteError
from ipcert_port.port.net import Net

pytestmark = pytest.mark.quick

ROOTS = hostile.Roots()


def refused(kind, code, server, **options):
    net = Net(options.pop("roots", ROOTS.pem), "ipcert/test", **options)
    try:
        net.request("GET", server.url)
    except kind as e:
        assert e.code == code, (e.code, str(e))
        text = str(e)
        assert "\n" not in text and len(text) < 300 and "%" not in text
        return text
    finally:
        net.close()
    raise AssertionError("not refused")


def test_an_answer():
    with hostile.Server(ROOTS) as server:
        net = Net(ROOTS.pem, "ipcert/test")
        for _ in range(3):
            answer = net.request("POST", server.url, {"Content-Type": "application/jose+json"}, b"{}")
            assert (answer.status, answer.body, answer.headers["content-type"]) == (
                200,
                b"hello",
                "text/plain",
            )
        net.close()
        assert server.connections == 1 and b"User-Agent: ipcert/test\r\n" in server.requests[0]


def test_the_hostile_answers_become_theirs():
    codes = {"BadResponse": "bad-http", "TooLarge": "too-large", "Timeout": "slow"}
    for _, answer, wanted in hostile.cases():
        if len(wanted) == 1:
            with hostile.Server(ROOTS, answer) as server:
                refused(RemoteError, codes.get(wanted[0], "network"), server, timeout=0.5)


def test_no_server_wrong_root_no_tls():
    with hostile.Server(ROOTS) as server:
        other = hostile.Roots("a stranger")
        assert "root certificates" in refused(RemoteError, "tls", server, roots=other.pem)
        assert "PEM" in refused(LocalError, "roots", server, roots=os.devnull)
        assert "No such file" in refused(LocalError, "roots", server, roots=ROOTS.path("absent.pem"))
        other.close()
    assert "connection refused" in refused(RemoteError, "network", server)


def test_private_ca_without_key_identifiers_is_accepted_by_every_python():
    # `ssl.create_default_context` of Python 3.13 refuses it. OpenSSL's commands made such CAs until 3.2, and homes have them.
    roots = hostile.Roots(identified=False)
    with hostile.Server(roots) as server:
        assert Net(roots.pem, "t").request("GET", server.url).status == 200
    roots.close()


def test_redirects_are_not_followed():
    moved = b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"
    with hostile.Server(ROOTS, moved) as server:
        assert Net(ROOTS.pem, "t").request("GET", server.url).status == 302
        assert len(server.requests) == 1


def test_the_limits_of_the_core_are_used():
    fits = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (limits.BODY, b"a" * limits.BODY)
    with hostile.Server(ROOTS, fits) as server:
        assert len(Net(ROOTS.pem, "t").request("GET", server.url).body) == limits.BODY
    over = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%sa" % (limits.BODY + 1, b"a" * limits.BODY)
    with hostile.Server(ROOTS, over) as server:
        refused(RemoteError, "too-large", server)


def test_an_url_that_is_not_https():
    net = Net(ROOTS.pem, "t")
    for url in ("http://127.0.0.1/dir", "https://h h/"):
        try:
            net.request("GET", url)
        except RemoteError as e:
            assert e.code == "url"
            continue
        raise AssertionError(url)


def test_importing_net_does_not_load_ssl():
    code = "import sys, ipcert_port.port.net as n; n.Net(None, 't')\n"
    code += "print([m for m in ('ssl', 'urequests_compat') if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=":".join(sys.path)),
    )
    assert out.stdout.strip() == b"[]", out.stdout
