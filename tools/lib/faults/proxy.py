"""A hostile proxy between a client and a real Pebble: it ends TLS, passes requests on, and does to one answer what a
fault says. Requests are passed with their Host, so the URLs that Pebble signs for are the proxy's own.

The transport is by hand, over socket and ssl: its faults are answers that a server library would not let out (cut, dawdling, reset,
malformed, doubled), and what passes must pass byte for byte.
"""

import http.client
import os
import socket
import ssl
import struct
import threading
import time

from tools.lib.ca import testcert

_SLOW = 8  # seconds that a dawdling answer takes at most: longer than the client's patience


class Proxy:
    """Listens on loopback while a `with` block lasts; `arm` sets the next fault.

    directory_url, root (PEM path) are for the client; root is Pebble's own.
    seen    raw answers of the flow since `arm`, in order; fired: whether the fault was met
    """

    def __init__(self, pebble):
        self._pebble = pebble
        self._tls = ssl.create_default_context(cafile=pebble.tls_root)
        self.root = pebble.tls_root
        self.arm(None, 0)
        self._last = b""
        self._threads = []

    def __enter__(self):
        folder = self._pebble.directory
        self._right = _context(os.path.join(folder, "tls.pem"), os.path.join(folder, "tls-key.pem"))
        _, leaf, key = testcert.make()
        wrong = os.path.join(folder, "wrong.pem")
        with open(wrong, "wb") as file:
            file.write(leaf + key)
        self._wrong = _context(wrong, wrong)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.directory_url = "https://localhost:%d/dir" % self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *what):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def arm(self, fault, at):
        """Let `fault` meet the answer number `at` of the flow that begins now, and for a lasting one all after it."""
        self.fault, self._at, self._count, self.fired = fault, at, 0, False
        self.seen = []

    def _due(self):
        fault = self.fault
        if fault is None or self._count < self._at or self._count > self._at and not fault.lasting:
            return None
        return fault

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads = [thread for thread in self._threads if thread.is_alive()]
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def settle(self):
        """Wait until the connections that the client has left are closed here too."""
        for thread in list(self._threads):
            thread.join(30)

    def _serve(self, raw):
        raw.settimeout(20)
        fault = self._due()
        tls = None
        try:
            if fault is not None and fault.handshake:
                self.fired = True
                self._count += 1
                if fault.handshake == "wrong certificate":
                    tls = self._wrong.wrap_socket(raw, server_side=True)
                    tls.recv(1)
                elif fault.handshake == "reset":
                    raw.recv(50)
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    raw.recv(4096)
                    raw.sendall(fault.handshake)
                return
            tls = self._right.wrap_socket(raw, server_side=True)
            file = tls.makefile("rb")
            while self._one(tls, file):
                continue
        except (OSError, ValueError, http.client.HTTPException):
            return
        finally:
            for end in (tls, raw):
                if end is not None:
                    end.close()

    def _one(self, tls, file):
        first = file.readline(4096)
        if not first:
            return False
        method, path, _ = first.decode("ascii").split(" ", 2)
        headers = {}
        while True:
            line = file.readline(4096).strip()
            if not line:
                break
            name, _, value = line.decode("ascii").partition(":")
            headers[name.lower()] = value.strip()
        body = file.read(int(headers.get("content-length") or 0))
        fault = self._due()
        if fault is not None and fault.handshake:
            fault = None
            if self.fault.lasting or self._count == self._at:
                return False  # it meets the next connection, which the client has to open now
        if fault is not None and fault.unasked:
            answer = b""
        else:
            answer = self._ask(method, path, headers, body)
        self._count += 1
        if fault is None:
            self.seen.append(answer)
            tls.sendall(answer)
            self._last = answer
            return True
        self.fired = True
        return bool(fault.act(tls, answer, self._last))

    def _ask(self, method, path, headers, body):
        connection = http.client.HTTPSConnection(
            "localhost", self._pebble._listen, timeout=20, context=self._tls
        )
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name in headers:
                if name not in ("connection", "content-length", "transfer-encoding"):
                    connection.putheader(name, headers[name])
            if method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body if method == "POST" else None)
            got = connection.getresponse()
            content = got.read()
        finally:
            connection.close()
        lines = ["HTTP/1.1 %d %s" % (got.status, got.reason)]
        lines += [
            "%s: %s" % (k, v)
            for k, v in got.getheaders()
            if k.lower() not in ("content-length", "connection")
        ]
        lines += ["Content-Length: %d" % (len(content) if method != "HEAD" else 0), "", ""]
        return "\r\n".join(lines).encode() + (content if method != "HEAD" else b"")


def _context(chain, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    return context


class Fault:
    """name; act(connection, answer, the one before it): True where the connection goes on.

    lasting    it meets every answer from then on; unasked: the CA never sees the request
    handshake  what happens instead of TLS: "wrong certificate", "reset", or bytes that are sent
    """

    def __init__(self, name, act=None, lasting=False, unasked=False, handshake=None):
        self.name = name
        self.act = act
        self.lasting = lasting
        self.unasked = unasked
        self.handshake = handshake


def answer(text, body=b"", headers=""):
    """A whole answer in bytes; `text` is its status."""
    return ("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n" % (text, len(body), headers)).encode() + body


def send(data, goes_on=True):
    """A fault's act that sends `data`."""

    def act(tls, real, before):
        tls.sendall(data)
        return goes_on

    return act


def edited(edit):
    """A fault's act that sends what edit(answer) makes of it."""

    def act(tls, real, before):
        tls.sendall(edit(real))
        return True

    return act


def cut(at):
    """Send `at` bytes of the answer (below 1: that part of it; an answer that is shorter: all of it) and drop TCP without TLS's farewell."""

    def act(tls, real, before):
        tls.sendall(real[: int(len(real) * at) if at < 1 else at])
        tls.shutdown(socket.SHUT_RDWR)
        return False

    return act


def polite_cut(at):
    """The same, with TLS's farewell."""

    def act(tls, real, before):
        tls.sendall(real[: int(len(real) * at)])
        tls.unwrap()
        return False

    return act


def _twice(tls, real, before):
    tls.sendall(real + real)
    return True


def _swapped(tls, real, before):
    tls.sendall(before)
    return True


def _late(tls, real, before):
    time.sleep(0.4)
    tls.sendall(real)
    return True


def _dawdle(first, byte, pause):
    def act(tls, real, before):
        tls.sendall(first)
        end = time.monotonic() + _SLOW
        while time.monotonic() < end:
            tls.sendall(byte)
            time.sleep(pause)
        return False

    return act


def _endless(first, block, pause=0):
    def act(tls, real, before):
        tls.sendall(first)
        time.sleep(pause)
        for _ in range(100000):
            tls.sendall(block)
        return False

    return act


def _body(real, body, kind=None):
    head = real.split(b"\r\n\r\n")[0].split(b"\r\n")
    keep = [line for line in head if not line.lower().startswith((b"content-length", b"content-type"))]
    kind = kind or b"application/json"
    keep += [b"Content-Type: " + kind, b"Content-Length: %d" % len(body), b"", b""]
    return b"\r\n".join(keep) + body


_HTML = b"<!doctype html><html><body>Please log in to the hotel network</body></html>"
_NONCE = "Replay-Nonce: %s\r\nContent-Type: application/problem+json\r\n"
_BAD_NONCE = b'{"type":"urn:ietf:params:acme:error:badNonce","detail":"no","status":400}'
_OK = b"HTTP/1.1 200 OK\r\n"


def faults():
    """Every kind of fault once."""
    found = [
        Fault("connection dropped before the request", send(b"", False), unasked=True),
        Fault("a late answer", _late),
        Fault("silence", _dawdle(b"", b"", 0.5)),
        Fault("a byte now and then", _dawdle(_OK + b"X: ", b"a", 0.2)),
        Fault("the answer twice", _twice),
        Fault("the answer before it again", _swapped),
        Fault("the answer of another request for ever", _swapped, lasting=True),
        Fault(
            "wrong content type",
            edited(lambda real: _body(real, real.split(b"\r\n\r\n", 1)[1], b"text/plain")),
        ),
        Fault("HTML", edited(lambda real: _body(real, _HTML, b"text/html"))),
        Fault("a captive portal", send(answer("200 OK", _HTML, "Content-Type: text/html\r\n")), lasting=True),
        Fault("no body", edited(lambda real: _body(real, b""))),
        Fault("JSON cut", edited(lambda real: _body(real, real.split(b"\r\n\r\n", 1)[1][:-20]))),
        Fault("an empty object", edited(lambda real: _body(real, b"{}"))),
        Fault("a list", edited(lambda real: _body(real, b"[1,2]"))),
        Fault("deep JSON", edited(lambda real: _body(real, b"[" * 16000))),
        Fault("zeros", edited(lambda real: _body(real, bytes(200)))),
        Fault(
            "http URLs",
            edited(lambda real: _body(real, real.split(b"\r\n\r\n", 1)[1].replace(b"https:", b"http:"))),
        ),
        Fault("a huge body", edited(lambda real: _body(real, b" " * 200000))),
        Fault("an endless body", _endless(_OK + b"\r\n", b"a" * 4096)),
        # To a HEAD that is a whole answer, and the rest comes when the connection already counts as free.
        Fault("an endless body, late", _endless(_OK + b"\r\n", b"a" * 4096, 0.3)),
        Fault("endless headers", _endless(_OK, b"X: a\r\n" * 500)),
        Fault("an endless header", _endless(_OK + b"X: ", b"a" * 4096)),
        Fault(
            "an endless chunk",
            _endless(_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"a" * 4096 + b"\r\n"),
        ),
        Fault("not HTTP", send(b"SSH-2.0-OpenSSH_9.2p1\r\n" * 4, False)),
        Fault("bad nonces for ever", send(answer("400 Bad", _BAD_NONCE, _NONCE % "AAAA")), lasting=True),
        Fault("a nonce that breaks out", send(answer("400 Bad", _BAD_NONCE, _NONCE % 'a\\"b')), lasting=True),
        Fault("no nonce at all", edited(_without_nonce), lasting=True),
        Fault("429", send(answer("429 Slow", b"", "Retry-After: 99999999999\r\n"))),
        Fault("truncated TLS record", _truncated, lasting=False),
        Fault("wrong certificate", handshake="wrong certificate"),
        Fault("reset in the handshake", handshake="reset"),
        Fault("an alert instead of a handshake", handshake=b"\x15\x03\x03\x00\x02\x02\x28"),
        Fault("HTTP instead of TLS", handshake=answer("400 Bad Request", b"This is not TLS.")),
        Fault("half a ServerHello", handshake=b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + b"a" * 40),
    ]
    for status in (301, 302, 303, 307, 308):
        where = "Location: https://localhost:1/elsewhere\r\n"
        found.append(Fault("redirect %d" % status, send(answer("%d Moved" % status, b"", where))))
    for status in (400, 401, 403, 404, 409, 500, 502, 503):
        found.append(
            Fault("bare %d" % status, send(answer("%d No" % status, _HTML, "Content-Type: text/html\r\n")))
        )
    found.append(Fault("500 for ever", send(answer("500 No", b"")), lasting=True))
    for part in (0, 0.1, 0.5, 0.99):
        found.append(Fault("cut after %d %%" % (part * 100), cut(part)))
        found.append(Fault("closed after %d %%" % (part * 100), polite_cut(part)))
    return found


def _without_nonce(real):
    lines = real.split(b"\r\n")
    return b"\r\n".join([line for line in lines if not line.lower().startswith(b"replay-nonce")])


def _truncated(tls, real, before):
    # A record's header that promises more than what comes, below TLS.
    raw = socket.socket(fileno=os.dup(tls.fileno()))
    try:
        raw.sendall(b"\x17\x03\x03\x40\x00" + b"a" * 100)
        raw.shutdown(socket.SHUT_RDWR)
    finally:
        raw.close()
    return False
