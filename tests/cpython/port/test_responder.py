"""ipcert_port.solvers.responder on loopback: honest validations, slow ones, and a flood."""

import os
import select
import selectors
import socket
import stat
import tempfile
import threading
import time
import urllib.request

from ipcert import limits
from ipcert.errors import LocalError, RemoteError
from ipcert_port.solvers.responder import Responder, Webroot
from tools.lib.loopback import wait_until

TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
TEXT = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
REQUEST = b"GET /.well-known/acme-challenge/%s HTTP/1.1\r\nHost: x\r\n\r\n" % TOKEN.encode()


def started(host="127.0.0.1", **options):
    responder = Responder(host, 0, **options)
    responder.publish(TOKEN, TEXT)
    responder.start()
    return responder


def ask(responder, data=REQUEST, host="127.0.0.1", timeout=5):
    """Send `data` and return all that comes back until the end."""
    with socket.create_connection((host, responder.port), timeout) as sock:
        sock.sendall(data)
        answer = b""
        while True:
            piece = sock.recv(4096)
            if not piece:
                return answer
            answer += piece


def resident():
    """Kilobytes of memory that this process holds now."""
    with open("/proc/self/status") as f:
        return int([line for line in f if line.startswith("VmRSS")][0].split()[1])


def listening(responder):
    """`responder` as `start` leaves it, but with nobody in its thread: what it does is done when the test says so."""
    responder.start()
    responder._thread, thread = None, responder._thread
    responder._wake.close()
    thread.join()
    responder._selector = selectors.DefaultSelector()
    responder._listeners = [responder._listen("127.0.0.1")]
    return responder._listeners[0]


def accepted(responder, listener):
    """A new connection that the responder has accepted."""
    sock = socket.create_connection(("127.0.0.1", responder.port), 5)
    wait_until(lambda: select.select([listener], [], [], 0)[0], 5)
    responder._accept(listener)
    return sock


def test_a_whole_request_is_answered_however_many_strangers_come_behind_it():
    for pieces in ([REQUEST], [REQUEST[:-2] + b"X: " + b"y" * 3500 + b"\r\n\r\n"]):
        responder = Responder("127.0.0.1", 0, connections=4)
        responder.publish(TOKEN, TEXT)
        listener = listening(responder)
        honest = accepted(responder, listener)
        for piece in pieces:
            honest.sendall(piece)
        strangers = [accepted(responder, listener) for _ in range(8)]
        assert len(responder._open) == 4
        honest.settimeout(5)
        assert honest.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        for one in [honest, *strangers]:
            one.close()
        for one in list(responder._open.values()):
            responder._drop(one)
        responder._release()


def test_a_whole_request_is_answered_when_its_time_is_over():
    responder = Responder("127.0.0.1", 0)
    responder.publish(TOKEN, TEXT)
    listener = listening(responder)
    with accepted(responder, listener) as honest:
        honest.sendall(REQUEST)
        responder._expire(time.monotonic() + 3600)
        honest.settimeout(5)
        assert honest.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
    responder._release()


def test_a_validation_over_both_families():
    responder = started(None)
    try:
        for host in ("127.0.0.1", "::1"):
            answer = ask(responder, host=host)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"\r\n\r\n" + TEXT.encode())
        url = "http://127.0.0.1:%d/.well-known/acme-challenge/%s" % (responder.port, TOKEN)
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert answer.read() == TEXT.encode() and "Server" not in answer.headers
        assert ask(responder, REQUEST.replace(b"acme", b"acne")).startswith(b"HTTP/1.1 404 ")
        responder.withdraw(TOKEN)
        assert ask(responder).startswith(b"HTTP/1.1 404 ")
    finally:
        responder.close()


def test_a_list_of_addresses_and_no_others():
    responder = started(["127.0.0.1", "::1"])
    try:
        assert TEXT.encode() in ask(responder) and TEXT.encode() in ask(responder, host="::1")
        try:
            ask(responder, host="127.0.0.2")
        except ConnectionRefusedError:
            return
        raise AssertionError("it listens where it was not asked to")
    finally:
        responder.close()


def test_start_and_close_again_and_again():
    responder = started()
    before = threading.active_count()
    for _ in range(5):
        responder.start()
        assert TEXT.encode() in ask(responder) and threading.active_count() == before
        responder.close()
        responder.close()
        try:
            ask(responder)
        except ConnectionRefusedError:
            responder.start()
            continue
        raise AssertionError("it still listens")
    responder.close()


def test_a_port_that_cannot_be_had():
    responder = started()
    for host, port, word in (
        ("127.0.0.1", responder.port, "another program"),
        ("192.0.2.1", 0, "no such address"),
    ):
        other = Responder(host, port)
        try:
            other.start()
        except LocalError as e:
            assert e.code == "port" and word in str(e)
            continue
        raise AssertionError("it listens")
    responder.close()


def test_a_request_in_pieces_and_one_that_never_ends():
    responder = started(seconds=1)
    try:
        with socket.create_connection(("127.0.0.1", responder.port), 5) as sock:
            for i in range(len(REQUEST)):
                sock.sendall(REQUEST[i : i + 1])
            assert sock.recv(4096).startswith(b"HTTP/1.1 200")
        start = time.monotonic()
        with socket.create_connection(("127.0.0.1", responder.port), 5) as sock:
            try:
                while sock.send(b"G") and time.monotonic() - start < 5:
                    time.sleep(0.05)
            except (BrokenPipeError, ConnectionResetError):
                pass
        assert 0.8 < time.monotonic() - start < 5
        start = time.monotonic()
        assert ask(responder, b"GET / HT") == b"" and time.monotonic() - start < 5
    finally:
        responder.close()


def test_slow_clients_do_not_keep_an_honest_one_out():
    responder = started(connections=16, seconds=30)
    slow = []
    try:
        for i in range(200):
            sock = socket.create_connection(("127.0.0.1", responder.port), 5)
            sock.sendall(b"GET /" + b"a" * (i % 50))
            slow.append(sock)
        for _ in range(20):
            assert TEXT.encode() in ask(responder)
        assert len(responder._open) <= 16
    finally:
        for sock in slow:
            sock.close()
        responder.close()


def test_a_flood_is_answered_in_bounded_memory():
    responder = started(connections=32, seconds=2)
    try:
        ask(responder)
        before = resident()
        stop = time.monotonic() + 3
        counts = [0, 0]
        most = [0]

        def flood():
            while time.monotonic() < stop:
                try:
                    with socket.create_connection(("127.0.0.1", responder.port), 5) as sock:
                        sock.sendall(b"GET /" + b"a" * 5000 + b"\r\n" + b"X: y\r\n" * 2000)
                        sock.recv(100)
                except OSError:
                    continue
                finally:
                    counts[0] += 1

        threads = [threading.Thread(target=flood) for _ in range(8)]
        for thread in threads:
            thread.start()
        while time.monotonic() < stop:
            assert TEXT.encode() in ask(responder)
            counts[1] += 1
            most[0] = max(most[0], len(responder._open))
        for thread in threads:
            thread.join()
        grown = resident() - before
        print(
            "flood: %d requests, %d honest ones answered, %d KB more memory" % (counts[0], counts[1], grown)
        )
        assert counts[0] > 200 and counts[1] > 20 and most[0] <= 32 and grown < 4096
    finally:
        responder.close()


def test_a_client_that_does_not_read():
    responder = started(seconds=1)
    try:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        sock.connect(("127.0.0.1", responder.port))
        sock.sendall(REQUEST)
        time.sleep(0.2)
        assert TEXT.encode() in ask(responder)
        time.sleep(1.2)
        assert not responder._open
        sock.close()
    finally:
        responder.close()


def test_no_idle_wakeups():
    responder = started()
    try:
        ask(responder)
        time.sleep(0.1)
        start = time.process_time()
        time.sleep(0.5)
        assert time.process_time() - start < 0.05
    finally:
        responder.close()


def test_webroot_files_come_and_go():
    folder = tempfile.mkdtemp()
    webroot = Webroot(folder)
    webroot.start()
    webroot.publish(TOKEN, TEXT)
    path = os.path.join(folder, ".well-known", "acme-challenge", TOKEN)
    with open(path) as f:
        assert f.read() == TEXT
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644
    assert os.listdir(os.path.dirname(path)) == [TOKEN]
    webroot.withdraw(TOKEN)
    webroot.withdraw(TOKEN)
    webroot.close()
    assert os.listdir(os.path.dirname(path)) == []


def test_webroot_never_leaves_its_folder():
    webroot = Webroot(tempfile.mkdtemp())
    for token in ("../../x", "a/b", "", ".", "a" * (limits.TOKEN + 1)):
        for call in (lambda t: webroot.publish(t, t + ".x"), webroot.withdraw):
            try:
                call(token)
            except RemoteError as e:
                assert e.code == "token"
                continue
            raise AssertionError(token)


def test_webroot_that_is_a_file():
    with tempfile.NamedTemporaryFile() as f:
        try:
            Webroot(f.name).publish(TOKEN, TEXT)
        except LocalError as e:
            assert e.code == "webroot" and "webroot setting" in str(e)
            return
    raise AssertionError("written")
