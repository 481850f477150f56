"""Port 80 under a flood, on both ports: strangers that send too much, nonsense, or a byte now and then; and a CA.

Each responder runs in a process of its own with its own limits, so that its memory can be seen from outside.
"""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time

from tools.lib import cache, loopback

TOKEN = b"LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
HONEST = b"GET /.well-known/acme-challenge/%s HTTP/1.1\r\nHost: x\r\n\r\n" % TOKEN
TRIES = 3  # a CA asks from several places, and again
FLOODERS = 6
SLOW = 300  # connections that send a byte now and then
MOST = {"cpython": 4096 * 1024, "micropython": 16 * 1024}  # bytes more than before: a bound, not a figure


class Counts:
    """requests: strangers' whole ones; slow: connections that trickled; validations, and kept_out of them.

    memory: the most bytes more than before the flood; slowest: seconds of a validation
    """

    def __init__(self, port):
        self.port = port
        self.requests = self.slow = self.validations = self.kept_out = 0
        self.memory = 0
        self.slowest = 0.0

    def bad(self):
        """Promises that were broken."""
        return self.kept_out + (self.memory > MOST[self.port])

    def figures(self):
        """The counts as a dict."""
        return {
            "requests": self.requests,
            "slow_connections": self.slow,
            "validations": self.validations,
            "validations_kept_out": self.kept_out,
            "slowest_validation_seconds": round(self.slowest, 2),
            "peak_memory_under_flood_bytes": self.memory,
        }


def _commands():
    here = os.path.dirname(os.path.abspath(__file__))
    ports = os.path.join(cache.ROOT, "ports")
    path = [cache.ROOT, os.path.join(ports, "cpython"), os.path.join(ports, "urequests_compat")]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path))
    yield "cpython", [sys.executable, os.path.join(here, "flood_cpython.py")], environment
    build = [sys.executable, os.path.join(cache.ROOT, "tools", "build"), "micropython"]
    done = subprocess.run(build, stdout=subprocess.PIPE, check=True, text=True)
    path = [
        cache.ROOT,
        os.path.join(ports, "micropython"),
        os.path.join(ports, "urequests_compat"),
        ".frozen",
    ]
    command = [
        done.stdout.splitlines()[-1],
        "-X",
        "heapsize=128k",
        os.path.join(here, "flood_micropython.py"),
    ]
    yield "micropython", command, dict(os.environ, MICROPYPATH=":".join(path))


def campaign(seconds=30):
    """Flood both responders for so long; yields the Counts of each."""
    for name, command, environment in _commands():
        port = loopback.free_ports(1)[0]
        child = subprocess.Popen(
            [*command, str(port)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            child.stdout.readline()
            yield _flood(name, port, child, seconds)
        finally:
            child.kill()
            child.wait()
            for end in (child.stdin, child.stdout):
                end.close()


def _resident(pid):
    with open("/proc/%d/status" % pid) as file:
        return int([line for line in file if line.startswith("VmRSS")][0].split()[1]) * 1024


def _flood(name, port, child, seconds):
    counts = Counts(name)
    for _ in range(50):
        _ask(port)  # what a responder needs for any work at all is not the flood's doing
    before = peak = _resident(child.pid)
    stop = time.monotonic() + seconds
    threads = [threading.Thread(target=_much, args=(port, stop, counts, k)) for k in range(FLOODERS)]
    threads.append(threading.Thread(target=_little, args=(port, stop, counts)))
    for thread in threads:
        thread.start()
    while time.monotonic() < stop:
        began = time.monotonic()
        counts.validations += 1
        counts.kept_out += not any(_ask(port) for _ in range(TRIES))
        counts.slowest = max(counts.slowest, time.monotonic() - began)
        peak = max(peak, _resident(child.pid))
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    child.stdin.close()
    heap = int(child.stdout.readline())
    counts.memory = heap if name == "micropython" else peak - before
    return counts


def _ask(port):
    """A CA's request; True where the right answer came."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as sock:
            sock.sendall(HONEST)
            while True:
                piece = sock.recv(4096)
                if not piece:
                    return answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(TOKEN + b".x")
                answer += piece
    except OSError:
        return False


def _much(port, stop, counts, k):
    """A stranger that sends too much, as fast as it goes."""
    data = (
        b"GET /" + b"a" * 5000 + b"\r\n" + b"X: y\r\n" * 2000,
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100000,
        bytes(range(256)) * 100,
    )[k % 3]
    while time.monotonic() < stop:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as sock:
            sock.sendall(data)
            sock.recv(100)
        counts.requests += 1


def _little(port, stop, counts):
    """Strangers that never finish: what the responder drops is opened again."""
    open_ = []
    while time.monotonic() < stop:
        with contextlib.suppress(OSError):
            sock = socket.create_connection(("127.0.0.1", port), 5)
            sock.setblocking(False)
            open_.append(sock)
            counts.slow += 1
        for sock in open_[-20:]:
            with contextlib.suppress(OSError):
                sock.send(b"G")
        if len(open_) > SLOW:
            open_.pop(0).close()
        time.sleep(0.005)
    for sock in open_:
        sock.close()
