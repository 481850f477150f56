"""Strangers from the Internet at port 80: thousands of connections, slow and fast, while a CA validates.

What must hold is stronger than that the CA gets through at last: a connection over which a whole request was sent is never
closed without its answer, so that one validation from one place is enough.
"""

import contextlib
import resource
import socket
import subprocess
import threading
import time

from tools.lib import loopback
from tools.lib.faults import flood

SLOW = 2000  # connections that are held open with half a request
SECONDS = 15
_PATIENCE = 20  # seconds for one validation, on a busy machine
_ESTABLISHED = 1  # a TCP connection's state


class _Crowd:
    """Strangers at a port, in threads, for a `with` block. opened: their connections until now."""

    def __init__(self, port, slow):
        self._port = port
        self._slow = slow
        self.opened = 0
        self._over = threading.Event()

    def __enter__(self):
        self._threads = [threading.Thread(target=work) for work in (self._trickle, self._rush, self._rush)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _connect(self):
        self.opened += 1
        return socket.create_connection(("127.0.0.1", self._port), 5)

    def _trickle(self):
        open_ = []
        while not self._over.is_set():
            with contextlib.suppress(OSError):
                sock = self._connect()
                open_.append(sock)
                sock.setblocking(False)
                sock.send(b"GET /.well-known/acme-challenge/x HTTP/1.1\r\nX: ")
            for sock in open_[-5:]:
                with contextlib.suppress(OSError):
                    sock.send(b"y")
            while len(open_) > self._slow:
                open_.pop(0).close()
        for sock in open_:
            sock.close()

    def _rush(self):
        while not self._over.is_set():
            with contextlib.suppress(OSError), self._connect() as sock:
                sock.sendall(b"GET / HTTP/1.1\r\n\r\n" if self.opened % 2 else b"\x16\x03\x01")


def validate(port):
    """One request as a CA sends it, in one piece: "answered", "too late" where the connection was closed before the request was
    there, or what became of it instead."""
    there = False
    try:
        with socket.create_connection(("127.0.0.1", port), _PATIENCE) as sock:
            sock.sendall(flood.HONEST)
            # On loopback the request is in the responder's socket now, if that is still open.
            there = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED
            answer = b""
            end = time.monotonic() + _PATIENCE
            while True:
                sock.settimeout(max(end - time.monotonic(), 0.01))
                piece = sock.recv(4096)
                if not piece:
                    break
                answer += piece
    except OSError as error:
        return f"closed ({error})" if there else "too late"
    if answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(flood.TOKEN + b".x"):
        return "answered"
    if not answer and not there:
        return "too late"
    return (
        f"closed without an answer after {time.monotonic() - end + _PATIENCE:.1f} s"
        if not answer
        else f"answered {answer[:40]!r}"
    )


def requests(outcome, hurry=False):
    """Validate through a crowd, on the responders of both ports."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    slow = min(300 if hurry else SLOW, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, slow + 200)), hard))
    for name, command, environment in flood._commands():
        port = loopback.free_ports(1)[0]
        child = subprocess.Popen(
            [*command, str(port)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            child.stdout.readline()
            end = time.monotonic() + (4 if hurry else SECONDS)
            answered = late = 0
            with _Crowd(port, slow) as crowd:
                while time.monotonic() < end or not answered and time.monotonic() < end + _PATIENCE:
                    seen = validate(port)
                    late += seen == "too late"
                    answered += seen == "answered"
                    if seen != "too late":
                        outcome.held(f"visitors: a validation on the {name} port", seen == "answered", seen)
            # A CA asks from several places, and again: that most are not too late is enough.
            good = answered > late
            outcome.held(
                f"visitors: most are in time on the {name} port", good, (answered, late, crowd.opened)
            )
        finally:
            child.kill()
            child.wait()
            for end_ in (child.stdin, child.stdout):
                end_.close()
