"""The http-01 responder under asyncio: validations on port 80 while everything else goes on.

It faces the Internet, so everything is bounded: connections at once (the oldest gives way, an honest one
lasts milliseconds), seconds for each, bytes read from each.
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
        self._tasks = []

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
        for task in self._tasks:
            task.cancel()

    async def _accept(self, listener):
        while True:
            await _ready(listener)
            try:
                sock, _ = listener.accept()
            except OSError:
                await asyncio.sleep_ms(50)  # out of sockets: some will be over soon
                continue
            sock.setblocking(False)
            if len(self._tasks) >= self._most:
                self._tasks.pop(0).cancel()
            self._tasks.append(asyncio.create_task(self._serve(sock)))

    async def _serve(self, sock):
        try:
            await asyncio.wait_for(self._answer(sock), self._seconds)
        except (OSError, asyncio.TimeoutError, asyncio.CancelledError):
            pass  # slow, gone or pushed out: the end is the same
        finally:
            task = asyncio.current_task()
            if task in self._tasks:
                self._tasks.remove(task)
            sock.close()

    async def _answer(self, sock):
        request = Request(self.answers)
        piece = bytearray(128)
        answer = None
        while answer is None:
            await _ready(sock)
            n = sock.readinto(piece)
            if n == 0:
                return
            answer = request.feed(piece, n or 0)
        while answer:
            await _ready(sock, True)
            answer = answer[sock.write(answer) or 0 :]
