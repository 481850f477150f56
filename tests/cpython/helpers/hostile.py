"""A TLS server on loopback that answers with whatever bytes a test wants, and a CA made for the run."""

import datetime
import os
import shutil
import socket
import ssl
import tempfile
import threading
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tools.lib.ca import certificates

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"


class Roots:
    """A CA with leaf certificates in a temporary folder: `good` for loopback, `other` for another name,
    `old`. `identified` is that of `certificates.sign`."""

    def __init__(self, name="test root", identified=True):
        self._identified = identified
        self.folder = tempfile.mkdtemp()
        self.key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime(2026, 1, 1)
        self._name = certificates.name(name)
        self.root = self._sign(self._name, self.key, now, 3650, ca=True)
        self.pem = self.path("root.pem")
        self.der = self.path("root.der")
        self._write("root.pem", certificates.pem(self.root))
        self._write("root.der", self.root.public_bytes(serialization.Encoding.DER))
        here = ["localhost", "127.0.0.1", "::1"]
        self._leaf("good", here, now, 3650)
        self._leaf("other", ["other.example", "192.0.2.1"], now, 3650)
        self._leaf("old", here, datetime.datetime(2020, 1, 1), 30)

    def path(self, name):
        return os.path.join(self.folder, name)

    def _write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)

    def _sign(self, subject, key, start, days, names=(), ca=False):
        end = start + datetime.timedelta(days=days)
        words = (subject, key.public_key(), self._name, self.key, start, end, names, ca)
        return certificates.sign(*words, identified=self._identified)

    def _leaf(self, name, names, start, days):
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self._sign(certificates.name(name), key, start, days, names)
        self._write(name + ".pem", certificates.pem(leaf) + certificates.secret(key))

    def close(self):
        shutil.rmtree(self.folder)


class Server:
    """Accepts on loopback; `answer` is bytes, or a function of (connection, request bytes) that does what it
    likes.

    With bytes the connection is kept alive. `tls=False` speaks plain TCP, `tls=None` is silent. `requests`
    and `connections` are counted.
    """

    def __init__(self, roots, answer=OK, leaf="good", tls=True, host="127.0.0.1"):
        self.answer = answer
        self.requests = []
        self.connections = 0
        self.context = None
        self.tls = tls
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(roots.path(leaf + ".pem"))
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        self.listener.bind((host, 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.url = "https://%s:%d/dir" % ("[%s]" % host if ":" in host else host, self.port)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Listen no longer. Connections that are open go on by themselves."""
        self.stopped.set()
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        self.thread.join(5)

    def _run(self):
        while not self.stopped.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(20)
        try:
            if self.tls is None:
                self.stopped.wait(20)
                return
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            while True:
                request = read_request(connection) if self.context else connection.recv(4096)
                if not request:
                    return
                self.requests.append(request)
                if callable(self.answer):
                    self.answer(connection, request)
                    return
                connection.sendall(self.answer)
        except OSError:
            return
        finally:
            connection.close()


def read_request(connection):
    """One request: headers and, by its Content-Length, body. b"" at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line[15:])
    while len(body) < length:
        body += connection.recv(4096)
    return head + b"\r\n\r\n" + body


def closing(data):
    """An answer that sends `data`, ends TLS properly and closes."""

    def answer(connection, request):
        connection.sendall(data)
        connection.unwrap()

    return answer


def closing_plain(data):
    """`closing` for a server without TLS."""

    def answer(connection, request):
        connection.sendall(data)

    return answer


def cut(data):
    """An answer that sends `data` and cuts the TCP connection without TLS's close_notify."""

    def answer(connection, request):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def drip(first, byte, pause):
    """An answer that sends `first` and then one byte every `pause` seconds, for ever."""

    def answer(connection, request):
        connection.sendall(first)
        end = time.monotonic() + 30
        while time.monotonic() < end:
            connection.sendall(byte)
            time.sleep(pause)

    return answer


def endless(first, block):
    """An answer that sends `first` and then `block` without end."""

    def answer(connection, request):
        connection.sendall(first)
        while True:
            connection.sendall(block)

    return answer


def hang_up(connection, request):
    """Close at once, whatever the protocol."""


def _chunked(rest):
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + rest


def cases():
    """(name, answer, names of the acceptable exceptions) that every client must survive within its bounds."""
    bad, large, slow = ("BadResponse",), ("TooLarge",), ("Timeout",)
    head = b"HTTP/1.1 200 OK\r\n"
    return [
        ("two content-lengths", closing(head + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), bad),
        (
            "different content-lengths",
            closing(head + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
            bad,
        ),
        ("list of content-lengths", closing(head + b"Content-Length: 5, 5\r\n\r\nhello"), bad),
        ("negative content-length", closing(head + b"Content-Length: -5\r\n\r\nhello"), bad),
        ("signed content-length", closing(head + b"Content-Length: +5\r\n\r\nhello"), bad),
        (
            "length and chunked",
            closing(head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
            bad,
        ),
        ("gzip coding", closing(head + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), bad),
        ("compressed", closing(head + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"), bad),
        ("header without colon", closing(head + b"nonsense\r\nContent-Length: 5\r\n\r\nhello"), bad),
        ("space before colon", closing(head + b"Con tent: 1\r\nContent-Length: 5\r\n\r\nhello"), bad),
        ("control character", closing(head + b"X: a\x00b\r\nContent-Length: 5\r\n\r\nhello"), bad),
        ("not http", closing(b"SSH-2.0-OpenSSH_9.2p1\r\n" * 4), bad),
        ("status of letters", closing(b"HTTP/1.1 abc OK\r\n\r\n"), bad),
        ("huge length", closing(head + b"Content-Length: 99999999\r\n\r\nhello"), large),
        ("length of 400 digits", closing(head + b"Content-Length: " + b"9" * 400 + b"\r\n\r\nhello"), large),
        (
            "one long header",
            closing(head + b"X: " + b"a" * 80000 + b"\r\nContent-Length: 5\r\n\r\nhello"),
            large,
        ),
        ("many headers", closing(head + b"X: a\r\n" * 300 + b"Content-Length: 5\r\n\r\nhello"), large),
        ("endless header", endless(head + b"X: ", b"a" * 4096), large),
        ("endless headers", endless(head, b"X: a\r\n" * 500), large + bad),
        ("endless 100 Continue", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), large),
        ("endless chunks", endless(_chunked(b""), b"1000\r\n" + b"a" * 4096 + b"\r\n"), large),
        ("endless body", endless(head + b"\r\n", b"a" * 4096), large + bad),
        ("endless trailers", endless(_chunked(b"0\r\n"), b"X: a\r\n" * 500), large + bad),
        ("endless chunk extension", endless(_chunked(b"5;"), b"a" * 4096), large + bad),
        ("chunk of 2^63", closing(_chunked(b"8000000000000000\r\nhello")), large + bad),
        ("chunk of 2^64 - 1", closing(_chunked(b"ffffffffffffffff\r\nhello")), large + bad),
        ("negative chunk", closing(_chunked(b"-5\r\nhello\r\n0\r\n\r\n")), bad),
        ("chunk of letters", closing(_chunked(b"xyz\r\nhello\r\n0\r\n\r\n")), bad),
        ("byte a second in headers", drip(head + b"X: ", b"a", 0.1), slow),
        ("byte a second in body", drip(head + b"Content-Length: 5000\r\n\r\n", b"a", 0.1), slow),
        ("byte a second in chunks", drip(_chunked(b""), b"1\r\na\r\n", 0.1), slow),
        ("silence", lambda connection, request: time.sleep(20), slow),
        (
            "body cut",
            cut(head + b"Content-Length: 9\r\n\r\nhello"),
            ("BadResponse", "TLSError", "ConnectionFailed"),
        ),
        ("body to the end, cut", cut(head + b"\r\nhello"), ("BadResponse", "TLSError", "ConnectionFailed")),
        ("nothing", closing(b""), ("ConnectionFailed", "BadResponse")),
    ]
