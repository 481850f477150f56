"""The MicroPython half of urequests_compat, in a real MicroPython with 136 KB of heap, against the hostile
server."""

import os
import subprocess
import time

import hostile
import micropython_binary

ROOTS = hostile.Roots()
HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "helpers")
PORT = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(HERE))), "ports", "urequests_compat")


class Client:
    """A MicroPython process that asks one URL at a time."""

    def __init__(self, roots=ROOTS.pem):
        command = [
            micropython_binary.path(),
            "-X",
            "heapsize=136k",
            os.path.join(HERE, "micropython_client.py"),
            roots,
        ]
        environment = dict(os.environ, MICROPYPATH=PORT + ":.frozen")
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        assert self.process.wait(60) == 0, self.process.stdout.read()
        self.process.stdout.close()

    def ask(self, url, how="sync", seconds=20):
        """(milliseconds, runs of another task, outcome); the outcome is a status and body, or an error."""
        self.process.stdin.write(b"%s %s %s\n" % (how.encode(), str(seconds).encode(), url.encode()))
        self.process.stdin.flush()
        line = self.process.stdout.readline().decode().rstrip("\n")
        ms, ticks, text = line.split(" ", 2)
        return int(ms), int(ticks), text


def test_answers_and_keep_alive():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n"
    for roots in (ROOTS.pem, ROOTS.der):
        for host in ("127.0.0.1", "::1"):
            with hostile.Server(ROOTS, host=host) as server, Client(roots) as client:
                for answer in (hostile.OK, chunked, hostile.OK):
                    server.answer = answer
                    for how in ("sync", "async"):
                        assert client.ask(server.url, how)[2] == "200 hello"
                assert server.connections == 1 and len(server.requests) == 6
                name = b"[::1]" if host == "::1" else host.encode()
                assert b"\r\nHost: %s:%d\r\n" % (name, server.port) in server.requests[0]


def test_names_are_verified_too():
    with hostile.Server(ROOTS) as server, Client() as client:
        assert client.ask(server.url.replace("127.0.0.1", "localhost"))[2] == "200 hello"


def test_certificates_are_verified():
    stranger = hostile.Roots("a stranger")
    with Client() as client:
        for roots, leaf, word in (
            (stranger, "good", "trusted"),
            (ROOTS, "other", "match"),
            (ROOTS, "old", "expired"),
        ):
            with hostile.Server(roots, leaf=leaf) as server:
                for how in ("sync", "async"):
                    text = client.ask(server.url, how)[2]
                    assert text.startswith("TLSError ") and word in text, text
                assert server.requests == []
    stranger.close()


def test_a_systems_whole_bundle(tmp_path):
    stranger = hostile.Roots("a stranger")
    with open(ROOTS.pem) as mine, open(stranger.pem) as other:
        mine, other = mine.read(), "# somebody\n" + other.read() + "\n"
    bundle = tmp_path / "bundle.pem"
    with hostile.Server(ROOTS) as server:
        # The pieces that are read end everywhere in a certificate.
        for before, after in ((0, 40), (40, 0), *((k, 100 - k) for k in range(4, 12))):
            bundle.write_text("#" * (50 * before) + other * before + mine + other * after)
            with Client(str(bundle)) as client:
                assert client.ask(server.url)[2] == "200 hello", before
        bundle.write_text(other * 40)
        with Client(str(bundle)) as client:
            assert client.ask(server.url)[2].startswith("TLSError ")
    stranger.close()


def test_no_root_is_no_session():
    for roots in (os.devnull, os.path.join(HERE, "absent.pem"), os.path.join(HERE, "hostile.py")):
        client = Client(roots)
        out, _ = client.process.communicate(timeout=60)
        assert b"ValueError: no CA certificate can be read from the file" in out


def test_every_hostile_answer_is_a_bounded_error():
    with Client() as client:
        for name, answer, wanted in hostile.cases():
            for how in ("sync", "async"):
                with hostile.Server(ROOTS, answer) as server:
                    ms, _, text = client.ask(server.url, how, 1)
                    assert text.split(" ")[0] in wanted and ms < 10000, (name, how, ms, text)
        with hostile.Server(ROOTS) as server:
            assert client.ask(server.url)[2] == "200 hello"


def test_a_cut_at_every_byte():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    with Client() as client, hostile.Server(ROOTS) as server:
        for data in (hostile.OK, chunked):
            for at in range(len(data)):
                server.answer = (hostile.cut, hostile.closing)[at % 2](data[:at])
                text = client.ask(server.url)[2]
                assert text.split(" ")[0] in ("BadResponse", "TLSError", "ConnectionFailed"), (at, text)


def test_other_tasks_run_while_the_server_thinks():
    def slow(connection, request):
        time.sleep(0.5)
        connection.sendall(hostile.OK)

    with hostile.Server(ROOTS, slow) as server, Client() as client:
        _, ticks, text = client.ask(server.url, "async")
        assert text == "200 hello" and ticks > 20


def test_no_server_no_tls_no_answer():
    with Client() as client:
        with hostile.Server(ROOTS) as server:
            pass
        assert "connection refused" in client.ask(server.url)[2]
        plain = hostile.closing_plain(b"HTTP/1.1 400 Bad Request\r\n\r\nThis is an HTTPS port's neighbour")
        with hostile.Server(ROOTS, plain, tls=False) as server:
            for how in ("sync", "async"):
                text = client.ask(server.url, how, 1)[2]
                assert text.startswith("TLSError the server does not speak TLS"), text
        with hostile.Server(ROOTS, hostile.hang_up, tls=False) as server:
            for how in ("sync", "async"):
                assert client.ask(server.url, how)[2].split(" ")[0] in ("TLSError", "ConnectionFailed")
        with hostile.Server(ROOTS, tls=None) as server:
            for how in ("sync", "async"):
                ms, _, text = client.ask(server.url, how, 1)
                assert text.startswith("Timeout ") and ms < 2000


def test_a_connection_closed_while_idle_is_replaced():
    with hostile.Server(ROOTS, hostile.closing(hostile.OK)) as server, Client() as client:
        for how in ("sync", "async", "sync"):
            assert client.ask(server.url, how)[2] == "200 hello"
            time.sleep(0.05)
        assert server.connections == 3
