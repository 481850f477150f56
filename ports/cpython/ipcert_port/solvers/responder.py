"""The http-01 responder: one thread that answers validations on port 80, or files under another server's
webroot.

It faces the Internet, so everything is bounded: connections at once (the oldest gives way, an honest one
lasts milliseconds), seconds for each, bytes read from each. A slow client costs a socket for a few seconds
and no more. Before a connection is closed unanswered, whatever it has sent is read: one that has sent a whole
request is answered, however many strangers come at that moment.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import threading
import time

from ipcert import limits
from ipcert.acme.http01 import PATH, Answers, Request, check
from ipcert.errors import LocalError

from ..port import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.kinds import Endpoint

_LISTENERS = 8  # addresses listened on
_PIECE = 1024


class _Connection:
    """One client: its socket, what it asked so far, what is still to be sent, and when it is over."""

    def __init__(self, sock: socket.socket, answers: Answers, deadline: float) -> None:
        self.sock = sock
        self.request = Request(answers)
        self.out: bytes | None = None
        self.deadline = deadline


class Responder:
    """Answers http-01 on `port` of `host`: an address, a list of addresses, or None for all of IPv6 and IPv4.

    `publish` and `withdraw` may be called at any time from any thread. `start` raises LocalError("port") when the
    port cannot be had.
    """

    def __init__(
        self,
        host: str | Sequence[str] | None = None,
        port: int = 80,
        connections: int = limits.RESPONDER_CONNECTIONS,
        seconds: float = limits.RESPONDER_TIME,
    ) -> None:
        self.port = port
        self.answers = Answers()
        self._hosts = [host] if host is None or isinstance(host, str) else list(host)[:_LISTENERS]
        self._most = connections
        self._seconds = seconds
        self._thread: threading.Thread | None = None
        self._listeners: list[socket.socket] = []
        self._open: dict[int, _Connection] = {}

    def publish(self, token: str, text: str | bytes) -> None:
        """Answer `token` with the key authorization `text`; see `ipcert.acme.http01.Answers.publish`."""
        self.answers.publish(token, text)

    def withdraw(self, token: str) -> None:
        """Answer `token` no longer."""
        self.answers.withdraw(token)

    def start(self) -> None:
        """Listen and answer until `close`. Does nothing when it runs already."""
        if self._thread is not None:
            return
        self._selector = selectors.DefaultSelector()
        try:
            for host in self._hosts:
                self._listeners.append(self._listen(host))
        except OSError as e:
            self._release()
            raise _refusal(e, self.port) from None
        for listener in self._listeners:
            self._selector.register(listener, selectors.EVENT_READ, None)
        # A pair of sockets wakes the thread when it is to end.
        self._wake, sleeper = socket.socketpair()
        self._listeners.append(sleeper)
        self._selector.register(sleeper, selectors.EVENT_READ, sleeper)
        self._thread = threading.Thread(target=self._run, name="http-01", daemon=True)
        self._thread.start()

    def _listen(self, host: str | None) -> socket.socket:
        family = socket.AF_INET6 if host is None or ":" in host else socket.AF_INET
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            if host is not None:
                raise
            return self._listen("0.0.0.0")  # a kernel without IPv6
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host is not None)
            listener.bind(("::" if host is None else host, self.port))
            listener.listen(128)
            listener.setblocking(False)
        except OSError as e:
            listener.close()
            if host is None and e.errno == errno.EADDRNOTAVAIL:
                return self._listen("0.0.0.0")  # IPv6 is there and switched off
            raise
        if self.port == 0:
            self.port = listener.getsockname()[1]  # for tests: the others listen on the same one
        return listener

    def close(self) -> None:
        """Stop listening, drop every connection, end the thread. The published challenges stay."""
        if self._thread is not None:
            self._wake.close()
            self._thread.join()
            self._thread = None

    def _release(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        self._selector.close()

    def _run(self) -> None:
        try:
            while True:
                wait = None
                if self._open:
                    # Connections are kept in the order of their coming, so the first is the first to be over.
                    wait = max(0, next(iter(self._open.values())).deadline - time.monotonic())
                for key, _ in self._selector.select(wait):
                    if isinstance(key.data, _Connection):
                        if key.fd in self._open:
                            self._serve(key.data)
                    elif key.data is None and isinstance(key.fileobj, socket.socket):
                        self._accept(key.fileobj)
                    else:
                        return
                self._expire(time.monotonic())
        finally:
            for connection in list(self._open.values()):
                self._drop(connection)
            self._release()

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError as e:
            # Out of file descriptors: make room, or the listener would wake us for ever.
            if e.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                self._make_room(1)
                time.sleep(0.01)
            return
        self._make_room(len(self._open) - self._most + 1)
        sock.setblocking(False)
        connection = _Connection(sock, self.answers, time.monotonic() + self._seconds)
        self._open[sock.fileno()] = connection
        self._selector.register(sock, selectors.EVENT_READ, connection)
        self._serve(connection)

    def _make_room(self, count: int) -> None:
        # `count` connections less. The oldest go first, but what has sent a whole request is answered, and goes so.
        for connection in list(self._open.values()):
            if count <= 0:
                return
            self._finish(connection)
            count -= 1

    def _expire(self, now: float) -> None:
        while self._open:
            connection = next(iter(self._open.values()))
            if connection.deadline > now:
                return
            self._finish(connection)

    def _finish(self, connection: _Connection) -> None:
        """Read what a connection has sent already, answer it where that is a whole request, and close it."""
        # A request is bounded, and so is this.
        for _ in range(limits.REQUEST // _PIECE + 2):
            size = connection.request.size
            self._serve(connection)
            if connection.sock.fileno() < 0:
                return
            if connection.request.size == size:
                break
        self._drop(connection)

    def _serve(self, connection: _Connection) -> None:
        try:
            if connection.out is None:
                data = connection.sock.recv(_PIECE)
                connection.out = connection.request.feed(data, len(data)) if data else b""
                if connection.out is None:
                    return
            if connection.out:
                sent = connection.sock.send(connection.out)
                connection.out = connection.out[sent:]
                if connection.out:
                    self._selector.modify(connection.sock, selectors.EVENT_WRITE, connection)
                    return
        except BlockingIOError:
            return
        except OSError:
            pass  # the client is gone, which is what follows anyway
        self._drop(connection)

    def _drop(self, connection: _Connection) -> None:
        self._selector.unregister(connection.sock)
        del self._open[connection.sock.fileno()]
        connection.sock.close()


class Webroot:
    """Publishes challenges as files for a web server that has port 80 already; same calls as `Responder`.

    `folder` is that server's document root. Raises LocalError("webroot") when it cannot be written.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(os.path.abspath(folder), *PATH.decode().strip("/").split("/"))

    def publish(self, token: str, text: str | bytes) -> None:
        """Write the file that answers `token`; world-readable, replaced at once."""
        name, body = check(token, text)
        path = os.path.join(self._folder, name.decode())
        try:
            files.folder(self._folder)
            # The folder is the web server's: what somebody left there under that name is not written to.
            if os.path.lexists(path + ".new"):
                os.unlink(path + ".new")
            with open(files.create(path + ".new", 0o644, os.O_EXCL), "wb") as f:
                f.write(body)
            os.replace(path + ".new", path)
        except OSError as e:
            sentence = "Cannot write %s: %s; check the webroot setting and who owns that folder."
            raise LocalError("webroot", sentence % (path, (e.strerror or "refused").lower())) from None

    def withdraw(self, token: str) -> None:
        """Remove that file; nothing happens when it is gone."""
        name, _ = check(token, token + ".x")
        path = os.path.join(self._folder, name.decode())
        try:
            os.unlink(path)
        except FileNotFoundError:
            return
        except OSError as e:
            text = "Cannot remove %s: %s; remove it by hand."
            raise LocalError("webroot", text % (path, (e.strerror or str(e)).lower())) from None

    def start(self) -> None:
        """Nothing to start: the other server answers."""

    def close(self) -> None:
        """Nothing to close."""


def by_port(listen: Sequence[Endpoint]) -> dict[int, list[str] | None]:
    """port -> the addresses of `listen` on it, or None for every address: what a `Responder` takes."""
    found: dict[int, list[str] | None] = {}
    for host, port in listen:
        hosts = found.setdefault(port, [])
        if host is None or hosts is None:
            found[port] = None
        else:
            hosts.append(host)
    return found


def _refusal(error: OSError, port: int) -> LocalError:
    number = error.errno
    if number == errno.EADDRINUSE:
        advice = "another program has it; stop that, or let it answer with the webroot setting"
    elif number in (errno.EACCES, errno.EPERM):
        advice = "permission denied; run as root or with CAP_NET_BIND_SERVICE, or use the webroot setting"
    elif number == errno.EADDRNOTAVAIL:
        advice = "this machine has no such address; check the listen setting"
    else:
        advice = "%s; check the listen setting" % (error.strerror or str(error)).lower()
    return LocalError("port", "Cannot listen on port %d: %s." % (port, advice))
