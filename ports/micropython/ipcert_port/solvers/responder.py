"""The http-01 responder under asyncio: validations on port 80 while everything else goes on.

It faces the Internet, so everything is bounded: connections at once (the oldest gives way, an honest one
lasts milliseconds), seconds for each, bytes read from each. Before a connection is closed unanswered, whatever it has
sent is read: one that has sent a whole request is answered, however many strangers come at that moment.
"""

import asyncio
import socket
from asyncio import core

from ipcert import limits
from ipcert.acme.http01 import Answers, Request
from ipcert.errors import LocalError

_CONNECTIONS = 4  # a socket and a task take about a kilobyte each


# asyncio.start_server does IPv4 only on MicroPython 1.25, so listening is done here, as its streams do it.


def _ready(sock, write=False):
    # A generator is a coroutine to MicroPython.
    if write:
        yield core._io_queue.queue_write(sock)
    else:
        yield core._io_queue.queue_read(sock)


class _Connection:
    """One client: its socket, its request, what is still to be sent (None: not known yet), and the task that waits for it."""

    def __init__(self, sock, answers):
        self.sock = sock
        self.request = Request(answers)
        self.out = None
        self.task = None

    def pump(self, piece):
        """Read what is there and send what can be sent, without waiting. True when the connection is over."""
        while self.out is None:
            n = self.sock.readinto(piece)
            if n is None:
                return False
            if n == 0:
                return True
            self.out = self.request.feed(piece, n)
        while self.out:
            n = self.sock.write(self.out)
            if not n:
                return False
            self.out = self.out[n:]
        return True


class Responder:
    """Answers http-01 on `port` of `host`: "0.0.0.0", or "::" for IPv6 and, on most stacks, IPv4 as well.

    A list of addresses is listened on one by one. Raises LocalError("port") from `start` when the port cannot be
    had.
    """

    def __init__(self, host="0.0.0.0", port=80, connections=_CONNECTIONS, seconds=limits.RESPONDER_TIME):
        self.port = port
        self.answers = Answers()
        self._hosts = [host] if isinstance(host, str) else host
        self._most = connections
        self._seconds = seconds
        self._listeners = []
        self._open = []  # _Connections, the oldest first
        self._piece = bytearray(128)

    def publish(self, token, text):
        """Answer `token` with the key authorization `text`; see `ipcert.acme.http01.Answers.publish`."""
        self.answers.publish(token, text)

    def withdraw(self, token):
        """Answer `token` no longer."""
        self.answers.withdraw(token)

    def start(self):
        """Listen, and answer until `close` in tasks of asyncio's loop. Does nothing when it runs already."""
        if self._listeners:
            return
        try:
            for host in self._hosts:
                self._listen(host)
        except OSError as e:
            self.close()
            text = "Cannot listen on port %d (error %s); stop what has it, or check the listen setting."
            raise LocalError("port", text % (self.port, e.errno))

    def _listen(self, host):
        info = socket.getaddrinfo(host, self.port, 0, socket.SOCK_STREAM)[0]
        listener = socket.socket(info[0], info[1])
        try:
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(info[-1])
            listener.listen(self._most)
        except OSError:
            listener.close()
            raise
        self._listeners.append((listener, asyncio.create_task(self._accept(listener))))

    def close(self):
        """Stop listening and drop every connection. The published challenges stay."""
        for listener, task in self._listeners:
            task.cancel()
            listener.close()
        self._listeners = []
        for connection in self._open:
            connection.task.cancel()

    async def _accept(self, listener):
        while True:
            await _ready(listener)
            try:
                sock, _ = listener.accept()
            except OSError:
                await asyncio.sleep_ms(50)  # out of sockets: some will be over soon
                continue
            sock.setblocking(False)
            while len(self._open) >= self._most:
                oldest = self._open.pop(0)
                self._finish(oldest)
                oldest.task.cancel()
            connection = _Connection(sock, self.answers)
            self._open.append(connection)
            connection.task = asyncio.create_task(self._serve(connection))

    def _finish(self, connection):
        # What it has sent already is answered; whoever calls this closes it.
        try:
            connection.pump(self._piece)
        except OSError:
            pass  # the client is gone

    async def _serve(self, connection):
        try:
            await asyncio.wait_for(self._answer(connection), self._seconds)
        except asyncio.TimeoutError:
            self._finish(connection)
        except (OSError, asyncio.CancelledError):
            pass  # gone or pushed out: the end is the same
        finally:
            if connection in self._open:
                self._open.remove(connection)
            connection.sock.close()

    async def _answer(self, connection):
        while not connection.pump(self._piece):
            await _ready(connection.sock, connection.out is not None)
