"""The MicroPython half: one kept-alive TLS connection over `tls` and `socket`, blocking or under asyncio.

An exchange is a generator that yields what it waits for; `request` waits with poll, `arequest` lets asyncio
wait. Sockets never block, so every wait has an end. `socket.getaddrinfo` alone blocks as long as the resolver
does.
"""

import binascii
import errno
import gc
import select
import socket
import time

import tls

from . import fields
from ._http1 import Reader
from .errors import ConnectionFailed, Timeout, TLSError, TooLarge
from .response import Response
from .url import join, split

_ADDRESSES = 4  # addresses of one name that are tried
_TCP = 6  # IPPROTO_TCP and TCP_NODELAY, on Linux and lwIP alike
_NODELAY = 1
_PIECE = 4096  # bytes of a file of roots read at once
_END = b"-----END CERTIFICATE-----"
_CONN_EOF = -0x7280  # MBEDTLS_ERR_SSL_CONN_EOF
_BAD_RECORD = (-0x7200, -0x7180, -0x7100)  # what Mbed TLS says to bytes that are not TLS


def _certificates(data):
    """DER certificates, one by one, from DER or PEM: stock firmware cannot read PEM itself."""
    data = data.encode() if isinstance(data, str) else bytes(data)
    at = data.find(b"-----BEGIN CERTIFICATE-----")
    if at < 0:
        yield data
    while at >= 0:
        end = data.find(b"-----END", at)
        yield binascii.a2b_base64(data[at + 27 : max(end, 0)])
        at = data.find(b"-----BEGIN CERTIFICATE-----", at + 27)


def _file(name):
    """What a PEM or DER file holds, a few certificates at a time: a system's whole bundle is too much for a heap."""
    with open(name, "rb") as f:
        data = more = f.read(_PIECE)
        some = False
        while more:
            more = f.read(_PIECE)
            end = data.rfind(_END) + len(_END)
            if end >= len(_END):
                some = True
                yield data[:end]
                data = data[end:]
            data += more
        if not some:
            yield data  # DER, or nothing of use


def _sources(cafile, cadata):
    if cafile is not None:
        yield from _file(cafile)
    if isinstance(cadata, (list, tuple)):
        yield from cadata
    elif cadata is not None:
        yield cadata


def _connect_error(where, error):
    names = {errno.ECONNREFUSED: "connection refused", errno.EHOSTUNREACH: "no route to host"}
    names[errno.ETIMEDOUT] = "timed out"
    reason = names.get(error.errno) or "error %s" % error.errno
    return ConnectionFailed("%s cannot be reached: %s" % (where, reason))


def _broken(error):
    """Our exception for what reading or writing a TLS socket raised."""
    if isinstance(error, ValueError):
        # Verification failed; Mbed TLS says why, a line for each reason.
        reason = str(error).strip().replace("\n", "; ").rstrip(".")
        return TLSError("the server's certificate is refused: " + reason.lower())
    number = error.errno or 0
    if number == errno.ENOMEM:
        return ConnectionFailed("there is not enough memory for a TLS connection")
    if number > 0:
        return ConnectionFailed("the connection broke: error %d" % number)
    if number == _CONN_EOF:
        return TLSError("the server ended the TLS connection too early")
    if number in _BAD_RECORD:
        return TLSError("the server does not speak TLS on this port")
    return TLSError("the TLS connection failed (%s)" % (error.args[1] if len(error.args) > 1 else number))


def _ready(sock, want):
    # A generator is a coroutine to MicroPython; this is how its own asyncio streams wait.
    from asyncio import core

    if want == select.POLLIN:
        yield core._io_queue.queue_read(sock)
    else:
        yield core._io_queue.queue_write(sock)


class Session:
    """HTTPS requests over one kept-alive connection; one request at a time.

    `cafile` names a PEM or DER file and `cadata` holds PEM text, DER bytes or a list of these: the roots that
    are trusted, at least one. `timeout` bounds a whole request and `connect_timeout` TCP and TLS within it,
    in seconds. `max_header` bytes, `max_headers` lines and `max_body` bytes bound the answer. Raises
    ValueError when there is no root. A connection takes about 33 KB of heap on a board, an answer its own
    size, the session 1.2 KB.
    """

    def __init__(
        self,
        cafile=None,
        cadata=None,
        timeout=60,
        connect_timeout=20,
        max_body=65536,
        max_header=8192,
        max_headers=64,
        user_agent="urequests-compat",
    ):
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self.user_agent = user_agent
        # Mbed TLS returns 0 both for close_notify and for a cut.
        self._reader = Reader(max_header, max_headers, max_body, rest=False)
        self._peer = None
        self._raw = None
        self._sock = None
        self._until = 0
        self._context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        self._context.verify_mode = tls.CERT_REQUIRED
        roots = 0
        try:
            for source in _sources(cafile, cadata):
                for certificate in _certificates(source):
                    self._context.load_verify_locations(certificate)
                    roots += 1
        except (OSError, ValueError):
            roots = 0
        if not roots:
            name = "the data given" if cafile is None else "the file %s" % cafile
            raise ValueError("no CA certificate can be read from %s" % name)

    def request(self, method, url, headers=None, data=None):
        """Send one request and return the `Response`, whatever its status. Redirects are not followed.

        `headers` is a dict of str to str, `data` bytes-like. Raises RequestError for anything that comes from
        outside, ValueError for a URL that is not a plain https one. Other tasks stand still meanwhile.
        """
        poll = None
        waited = None
        done = False
        try:
            for want in self._exchange(method, url, headers, data):
                if waited is not self._sock:
                    waited = self._sock
                    poll = select.poll()
                    poll.register(waited, want)
                else:
                    poll.modify(waited, want)
                poll.poll(self._left())
            done = True
        finally:
            if not done:
                self.close()
        return self._finish()

    async def arequest(self, method, url, headers=None, data=None):
        """`request` as a coroutine: other asyncio tasks run while it waits, except while a name is
        resolved."""
        import asyncio

        done = False
        try:
            for want in self._exchange(method, url, headers, data):
                try:
                    await asyncio.wait_for_ms(_ready(self._sock, want), self._left())
                except asyncio.TimeoutError:
                    continue  # the exchange looks at the time itself
            done = True
        finally:
            if not done:
                self.close()
        return self._finish()

    def close(self):
        """Close the connection. The session may be used again afterwards."""
        for sock in (self._sock, self._raw):
            try:
                if sock is not None:
                    sock.close()
            except OSError:
                continue  # it is gone
        self._sock = self._raw = self._peer = None

    def _finish(self):
        reader = self._reader
        if not reader.keep:
            self.close()
        answer = Response(reader.status, reader.headers, reader.body)
        reader.headers = reader.body = None
        return answer

    def _left(self):
        return max(0, time.ticks_diff(self._until, time.ticks_ms()))

    def _check(self):
        if time.ticks_diff(self._until, time.ticks_ms()) <= 0:
            raise Timeout("the server took too long to answer")

    def _exchange(self, method, url, headers, data):
        """The whole exchange; yields select.POLLIN or POLLOUT when `_sock` is to be waited for until
        `_until`."""
        host, port, target = split(url)
        head = fields.head(method, target, join(host, port), self.user_agent, headers, data)
        start = time.ticks_ms()
        end = time.ticks_add(start, int(self.timeout * 1000))
        reader = self._reader
        if self._peer != (host, port) or self._stale():
            self.close()
        if self._sock is None:
            reader.reset()
            at = yield from self._connect(host, port, head, start, end)
        else:
            at = 0
        self._until = end
        try:
            yield from self._send(head, at)
            if data:
                yield from self._send(data, 0)
            for _ in reader.parse(method):
                reader.filled((yield from self._receive(reader.space())))
        except (OSError, ValueError) as e:
            raise _broken(e)
        except MemoryError:  # a header of some KB wants its room in one piece
            raise TooLarge("there is not enough memory for the server's answer")

    def _stale(self):
        """True when an idle connection has something to say: that can only be its end."""
        if self._sock is None:
            return True
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))

    def _connect(self, host, port, head, start, end):
        """TCP, TLS and the first bytes of `head`, whose number is returned. Tries each address with a share
        of the time."""
        where = join(host, port)
        try:
            found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[:_ADDRESSES]
        except OSError:
            raise ConnectionFailed("the name %s cannot be resolved" % host)
        limit = min(int(self.connect_timeout * 1000), time.ticks_diff(end, start))
        failure = ConnectionFailed("%s cannot be reached: no address" % where)
        for i in range(len(found)):
            left = limit - time.ticks_diff(time.ticks_ms(), start)
            self._until = time.ticks_add(time.ticks_ms(), max(0, left) // (len(found) - i))
            try:
                self._open(host, found[i])
                n = None
                while n is None:
                    yield select.POLLOUT
                    self._check()
                    n = self._sock.write(head)
                self._peer = (host, port)
                return n
            except Timeout as e:
                failure = e
            except ValueError as e:
                raise _broken(e)
            except OSError as e:
                if not e.errno or e.errno < 0 or e.errno == errno.ENOMEM:
                    raise _broken(e)
                failure = _connect_error(where, e)
            self.close()
        raise failure

    def _open(self, host, info):
        self._raw = socket.socket(info[0], info[1], info[2])
        self._raw.setblocking(False)
        try:
            # Head and body go out as two records; without this the second waits for the first's
            # acknowledgement.
            self._raw.setsockopt(_TCP, _NODELAY, 1)
        except OSError:
            pass  # a network stack without it is only slower
        gc.collect()  # TLS wants 16.7 KB in one piece, twice
        try:
            self._raw.connect(info[-1])
        except OSError as e:
            if e.errno != errno.EINPROGRESS:
                raise
        try:
            self._sock = self._context.wrap_socket(
                self._raw, server_hostname=host, do_handshake_on_connect=False
            )
        except MemoryError:
            raise ConnectionFailed("there is not enough memory for a TLS connection")

    def _send(self, data, at):
        view = memoryview(data)
        while at < len(view):
            self._check()
            n = self._sock.write(view[at:])
            if n is None:
                yield select.POLLOUT
            else:
                at += n

    def _receive(self, space):
        while True:
            self._check()
            n = self._sock.readinto(space)
            if n is not None:
                return n
            yield select.POLLIN
