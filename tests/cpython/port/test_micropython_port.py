"""The MicroPython port's net, store, clock and responder, each in a real MicroPython."""

import os
import socket
import subprocess
import tempfile
import threading
import time

import hostile
import micropython_binary
import pytest

from tools.lib import loopback

HERE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "helpers")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
REQUEST = b"GET /.well-known/acme-challenge/%s HTTP/1.1\r\nHost: x\r\n\r\n" % TOKEN.encode()
PARTS = [
    ROOT,
    os.path.join(ROOT, "ports", "micropython"),
    os.path.join(ROOT, "ports", "urequests_compat"),
    os.path.join(ROOT, "tests", "portable"),
    os.path.join(ROOT, "tests", "micropython"),
    ".frozen",
]


def start(script, *arguments, heap="256k", umask=0o077):
    command = [micropython_binary.path(), "-X", "heapsize=" + heap, os.path.join(HERE, script), *arguments]
    return subprocess.Popen(
        command,
        env=dict(os.environ, MICROPYPATH=":".join(PARTS)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=lambda: os.umask(umask),
    )


def run(script, *arguments, **options):
    process = start(script, *arguments, **options)
    out = process.communicate(timeout=60)[0].decode()
    return process.returncode, out


def test_store_on_littlefs_fat_and_unix():
    code, out = run("micropython_store.py", tempfile.mkdtemp(), heap="1m")
    assert code == 0 and out.endswith("done\n"), out
    assert out.count("VfsLfs2 cuts") == 2 and "VfsFat cuts" in out, out


@pytest.mark.parametrize("umask", [0o022, 0o027, 0o000])
def test_store_refuses_a_folder_that_others_read(umask):
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    code, out = run("micropython_store.py", folder, heap="1m", umask=umask)
    assert code != 0 and "LocalError: Other users can read what is written to " in out and "umask" in out, out


def test_clock():
    assert run("micropython_clock.py") == (0, "1577836800\n")


def test_net():
    roots = hostile.Roots()
    stranger = hostile.Roots("a stranger")
    moved = b"HTTP/1.1 302 Found\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
    good = hostile.Server(roots)
    servers = [hostile.Server(stranger), hostile.Server(roots, b"x\r\n\r\n"), hostile.Server(roots)]
    servers += [hostile.Server(roots, moved), hostile.Server(roots, hostile.drip(b"", b"a", 0.2))]
    servers[2].close()
    urls = [server.url for server in [good] + servers] + ["http://127.0.0.1/"]
    begins = ["RemoteError %s http" % code for code in ("tls", "bad-http", "network", "", "slow", "url")]
    begins[3] = "302 b'hello'"
    code, out = run("micropython_net.py", roots.pem, *urls, heap="128k")
    lines = out.splitlines()
    assert code == 0 and len(lines) == 14, out
    assert lines[0] == lines[1] == "200 b'hello' text/plain" and good.connections == 1
    assert good.requests[0].endswith(b"\r\n\r\n{}") and b"User-Agent: ipcert/test\r\n" in good.requests[0]
    for i, begin in enumerate(begins):
        for line in lines[2 + 2 * i : 4 + 2 * i]:
            assert line.startswith(begin), (begin, line)
    assert run("micropython_net.py", os.devnull)[1].startswith("roots There is no CA certificate")
    for server in [good] + servers:
        server.close()
    roots.close()
    stranger.close()


def ask(port, data=REQUEST, host="127.0.0.1"):
    with socket.create_connection((host, port), 5) as sock:
        sock.sendall(data)
        answer = b""
        while True:
            piece = sock.recv(4096)
            if not piece:
                return answer
            answer += piece


def numbers(process):
    process.stdin.write(b"\n")
    process.stdin.flush()
    return [int(n) for n in process.stdout.readline().split()]


def test_responder():
    port = loopback.free_ports(1)[0]
    process = start("micropython_responder.py", str(port), heap="64k")
    assert process.stdout.readline() == b"port\n"
    for host in ("127.0.0.1", "::1"):
        assert ask(port, host=host).endswith(b"\r\n\r\n%s.x" % TOKEN.encode())
    assert ask(port, REQUEST.replace(b"acme", b"acne")).startswith(b"HTTP/1.1 404 ")
    start_time = time.monotonic()
    assert ask(port, b"GET / HT") == b"" and time.monotonic() - start_time < 5
    slow = []
    for _ in range(20):  # clients that never finish
        sock = socket.create_connection(("127.0.0.1", port), 5)
        sock.sendall(b"GET /")
        slow.append(sock)
    assert ask(port).startswith(b"HTTP/1.1 200 ")
    for sock in slow:
        sock.close()
    _, before, _ = numbers(process)
    stop = time.monotonic() + 2
    count = [0]

    def flood():
        while time.monotonic() < stop:
            try:
                ask(port, b"GET /" + b"a" * 300 + b"\r\nX: y\r\n" * 600)
            except OSError:
                pass
            count[0] += 1

    threads = [threading.Thread(target=flood) for _ in range(4)]
    for thread in threads:
        thread.start()
    answered = 0
    while time.monotonic() < stop:
        try:
            answered += ask(port).startswith(b"HTTP/1.1 200 ")
        except ConnectionResetError:  # pushed out by the flood: a CA asks again
            continue
    for thread in threads:
        thread.join()
    _, most, _ = numbers(process)
    print("flood: %d requests, %d answered, %d bytes more heap at most" % (count[0], answered, most - before))
    assert count[0] > 50 and answered > 10 and most - before < 16384
    process.stdin.write(b"withdraw\n")
    process.stdin.flush()
    process.stdout.readline()
    assert ask(port).startswith(b"HTTP/1.1 404 ")
    out = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and out == b"tasks 0\n", out
