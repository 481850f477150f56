"""A TCP pass-through on loopback that counts: connections, which of them are TLS, bytes, and the client's pauses.

It sees no plaintext and changes nothing, so the client and the CA speak TLS with each other as without it.
"""

import selectors
import socket
import threading
import time
from typing import Any

_TLS_HANDSHAKE = 0x16
_CHUNK = 65536


class Count:
    """What was seen from one moment to another; all fields are differences.

    connections: TCP connections that were accepted; tls: those whose first byte began a TLS handshake;
    up, down: bytes from and to the client; pauses: seconds, one for each time that the client let pass between the
    last byte it got and the next it sent or the next connection it made.
    """

    def __init__(self, connections, tls, up, down, pauses):
        self.connections = connections
        self.tls = tls
        self.up = up
        self.down = down
        self.pauses = pauses

    def since(self, earlier):
        """This count less an earlier one."""
        return Count(
            self.connections - earlier.connections,
            self.tls - earlier.tls,
            self.up - earlier.up,
            self.down - earlier.down,
            self.pauses[len(earlier.pauses) :],
        )

    def slept(self, least=0.1):
        """Seconds in pauses of `least` seconds or more: a client that works between two requests takes less."""
        return sum(pause for pause in self.pauses if pause >= least)


class CountingProxy:
    """Passes connections to `port` on `hosts` (every loopback address) on to `target_port` on 127.0.0.1, while it is open."""

    def __init__(self, port, target_port, hosts=("127.0.0.1", "::1")):
        self.port = port
        self._target = target_port
        self._connections = self._tls = self._up = self._down = 0
        self._pauses = []
        self._answered = None
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._listeners = []
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        for host in hosts:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            try:
                listener = socket.create_server((host, port), family=family, backlog=64)
            except OSError:
                if host != "::1":
                    self._close()
                    raise
                continue  # no IPv6 on this machine
            listener.setblocking(False)
            self._listeners.append(listener)
            self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self._thread = threading.Thread(target=self._run, name=f"counting proxy on port {port}", daemon=True)
        self._thread.start()

    def count(self):
        """The `Count` since the proxy was opened."""
        with self._lock:
            return Count(self._connections, self._tls, self._up, self._down, list(self._pauses))

    def forget(self):
        """Let the time until the client's next word not count as a pause of its own."""
        with self._lock:
            self._answered = None

    def close(self):
        """Stop listening and drop every connection."""
        self._wake.send(b"x")
        self._thread.join()

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._close()
                    return
                one: Any = key.fileobj  # a socket: nothing else is registered
                if one.fileno() >= 0:
                    key.data(one)

    def _close(self):
        sockets: Any = [key.fileobj for key in self._selector.get_map().values()]
        for one in sockets:
            one.close()
        self._selector.close()
        self._wake.close()

    def _accept(self, listener):
        try:
            client, _ = listener.accept()
        except OSError:
            return  # the client has gone already
        self._sent_by_client()
        with self._lock:
            self._connections += 1
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=10)
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.settimeout(10)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Passage(self, client, server)

    def _sent_by_client(self):
        now = time.monotonic()
        with self._lock:
            if self._answered is not None:
                self._pauses.append(now - self._answered)
                self._answered = None


class _Passage:
    """One connection through the proxy."""

    def __init__(self, proxy, client, server):
        self._proxy = proxy
        self._client = client
        self._server = server
        self._first = True
        self._open = 2
        proxy._selector.register(client, selectors.EVENT_READ, self._from_client)
        proxy._selector.register(server, selectors.EVENT_READ, self._from_server)

    def _from_client(self, client):
        data = self._move(client, self._server)
        if not data:
            return
        proxy = self._proxy
        proxy._sent_by_client()
        with proxy._lock:
            proxy._up += len(data)
            if self._first and data[0] == _TLS_HANDSHAKE:
                proxy._tls += 1
        self._first = False

    def _from_server(self, server):
        data = self._move(server, self._client)
        if data:
            proxy = self._proxy
            with proxy._lock:
                proxy._down += len(data)
                proxy._answered = time.monotonic()

    def _move(self, source, sink):
        """Pass on what came. Returns it; b"" when that direction is over."""
        try:
            data = source.recv(_CHUNK)
            if data:
                sink.sendall(data)
                return data
            self._proxy._selector.unregister(source)
            sink.shutdown(socket.SHUT_WR)
            self._open -= 1
        except OSError:
            self._open = 0  # reset by one side: over for the other as well
        if self._open <= 0:
            for end in (self._client, self._server):
                if end.fileno() >= 0 and end in self._proxy._selector.get_map():
                    self._proxy._selector.unregister(end)
                end.close()
        return b""
