"""The CPython half: kept-alive connections over `socket` and `ssl`, one for each host.

A timeout of Python's bounds the wait for a single read; a server that sends a byte a second never exceeds that. So before
each read and write the socket's timeout is set to what is left of the whole exchange, and `_http1` bounds the bytes.
"""

import select
import socket
import ssl
import time

from . import fields
from ._http1 import Reader
from .errors import ConnectionFailed, RequestError, Timeout, TLSError
from .response import Response
from .url import join, split

_HOSTS = 4  # connections kept at once: a CA uses one host, rarely a second for chains
_ADDRESSES = 6  # addresses of one name that are tried
_PIECE = 4096  # bytes asked for at a time
_TUNNEL = 8192  # bytes of a proxy's answer to CONNECT
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")


def _load(context, cafile, cadata):
    if cafile is None and cadata is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return
    for data in [cadata] if isinstance(cadata, (str, bytes, bytearray)) else cadata or ():
        if not isinstance(data, str):
            data = bytes(data)
            if b"-----BEGIN" in data:
                data = data.decode("ascii")
        context.load_verify_locations(cadata=data)
    if cafile is not None:
        context.load_verify_locations(cafile=cafile)


def _translate(error):
    """Our exception for one of socket's or ssl's."""
    if isinstance(error, socket.timeout):
        return Timeout("the server took too long to answer")
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = (error.verify_message or "it does not match").rstrip(".")
        return TLSError("the server's certificate is refused: %s" % reason)
    if isinstance(error, ssl.SSLEOFError):
        return TLSError("the server ended the TLS connection too early")
    if isinstance(error, ssl.SSLError):
        if error.reason in _NOT_TLS:
            return TLSError("the server does not speak TLS on this port")
        reason = str(error.reason or error).lower().replace("_", " ")
        return TLSError("the TLS connection failed (%s)" % reason)
    return ConnectionFailed("the connection broke: %s" % (error.strerror or type(error).__name__).lower())


class Session:
    """HTTPS requests with one kept-alive connection for each host; for one thread at a time.

    `cafile` names a PEM file and `cadata` holds PEM text, DER bytes or a list of these: the roots that are
    trusted. With neither, the system's are. `timeout` bounds a whole request and `connect_timeout` TCP and
    TLS within it, in seconds (name resolution blocks as long as the resolver's own limits). `max_header`
    bytes, `max_headers` lines and `max_body` bytes bound the answer. Raises ValueError when no root can be
    read.

    `proxy(host, port)` says for each connection whether it goes through an HTTP proxy, by a CONNECT tunnel (RFC 9110
    9.3.6): None, or its (host, port, text of Proxy-Authorization or None). The environment is not looked at.
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
        proxy=None,
    ):
        self._proxy = proxy
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self.user_agent = user_agent
        self._reader = Reader(max_header, max_headers, max_body, _PIECE)
        self._open = {}  # (host, port) -> TLS socket
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python 3.10 and Debian 12's 3.11 set this, and take an answer that was cut for a whole one.
        self._context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        try:
            _load(self._context, cafile, cadata)
        except (OSError, ValueError) as e:
            no_file = isinstance(e, OSError) and not isinstance(e, ssl.SSLError)
            reason = no_file and e.strerror or "not PEM or DER"
            name = "the file %s" % cafile if cafile is not None else "the data given"
            raise ValueError("no CA certificate can be read from %s (%s)" % (name, reason)) from None

    def request(self, method, url, headers=None, data=None):
        """Send one request and return the `Response`, whatever its status. Redirects are not followed.

        `headers` is a dict of str to str, `data` bytes-like. Raises RequestError for anything that comes from
        outside, ValueError for a URL that is not a plain https one.
        """
        host, port, target = split(url)
        data = None if data is None else bytes(data)
        head = fields.head(method, target, join(host, port), self.user_agent, headers, data)
        deadline = time.monotonic() + self.timeout
        reader = self._reader
        sock = self._idle(host, port)
        try:
            reader.reset()
            if sock is None:
                sock = self._connect(host, port, min(deadline, time.monotonic() + self.connect_timeout))
            _send(sock, head + (data or b""), deadline)
            for pieces, _ in enumerate(reader.parse(method)):
                sock.settimeout(_left(deadline))
                n = sock.recv_into(reader.space())
                if not n and not pieces:
                    raise ConnectionFailed("the server closed the connection without an answer")
                reader.filled(n)
            if reader.keep:
                self._keep(host, port, sock)
                sock = None
        except OSError as e:
            raise _translate(e) from None
        finally:
            if sock is not None:
                sock.close()
        return Response(reader.status, reader.headers, reader.body)

    def _idle(self, host, port):
        """The connection that was kept for a host, or None. One that has something to say by now can only have ended."""
        sock = self._open.pop((host, port), None)
        if sock is not None:
            poll = select.poll()
            poll.register(sock, select.POLLIN)
            if poll.poll(0):
                sock.close()
                return None
        return sock

    def _keep(self, host, port, sock):
        if len(self._open) == _HOSTS:
            self._open.pop(next(iter(self._open))).close()
        self._open[host, port] = sock

    def _connect(self, host, port, deadline):
        """TCP, a proxy's tunnel where there is one, and TLS until `deadline`."""
        through = None if self._proxy is None else self._proxy(host, port)
        if through is None:
            return self._handshake(_reach(host, port, deadline), host, deadline)
        sock = _reach(through[0], through[1], deadline, "the proxy ")
        try:
            _tunnel(sock, through, join(host, port, True), self.user_agent, deadline)
        except OSError as e:
            sock.close()
            raise ConnectionFailed(
                "the proxy %s does not answer: %s" % (join(*through[:2], True), _why(e))
            ) from None
        except BaseException:
            sock.close()
            raise
        return self._handshake(sock, host, deadline)

    def _handshake(self, sock, host, deadline):
        try:
            sock.settimeout(_left(deadline))  # of the handshake as a whole
            # A connection that ends without close_notify may have been cut: an error, not an end of file.
            return self._context.wrap_socket(sock, server_hostname=host.encode(), suppress_ragged_eofs=False)
        except BaseException:
            sock.close()
            raise

    def close(self):
        """Close every connection. The session may be used again afterwards."""
        for sock in self._open.values():
            sock.close()
        self._open.clear()


def _reach(host, port, deadline, what=""):
    """A TCP connection until `deadline`. Each address gets an equal share of the time, so that a dead one does not eat it all."""
    try:
        # As bytes, here and below: a str would load Python's tables for international names, and a URL is ASCII.
        found = socket.getaddrinfo(host.encode(), port, 0, socket.SOCK_STREAM)[:_ADDRESSES]
    except OSError:
        raise ConnectionFailed(
            "%s %s cannot be resolved" % (what and "the proxy's name" or "the name", host)
        ) from None
    reason = "no address"
    for i, (family, kind, protocol, _, address) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_left(deadline) / (len(found) - i))
            sock.connect(address)
            # Else the request would wait until the handshake's last bytes are acknowledged.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as e:
            sock.close()
            reason = _why(e)
            continue
        except RequestError:
            sock.close()
            raise
        return sock
    raise ConnectionFailed("%s%s cannot be reached: %s" % (what, join(host, port), reason))


def _why(error):
    return "timed out" if isinstance(error, socket.timeout) else (error.strerror or str(error)).lower()


def _tunnel(sock, through, target, user_agent, deadline):
    """Have the proxy connect to `target`, "host:port" (RFC 9110 9.3.6). Raises ConnectionFailed, OSError."""
    text = "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n" % (target, target, user_agent)
    if through[2] is not None:
        text += "Proxy-Authorization: %s\r\n" % through[2]
    _send(sock, (text + "\r\n").encode(), deadline)
    where = join(*through[:2], True)
    head = b""
    # Byte by byte: what follows the head belongs to TLS.
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        sock.settimeout(_left(deadline))
        piece = sock.recv(1)
        if not piece or len(head) == _TUNNEL:
            raise ConnectionFailed("the proxy %s gives no answer that is HTTP" % where)
        head += piece
    first = head.split(b"\n")[0].split(b" ", 2)
    if (
        len(first) < 2
        or not first[0].startswith(b"HTTP/1.")
        or not (len(first[1]) == 3 and first[1].isdigit())
    ):
        raise ConnectionFailed("the proxy %s gives no answer that is HTTP" % where)
    status = int(first[1])
    if status in (401, 407):  # 401: tinyproxy, where there was no password at all
        raise ConnectionFailed(
            "the proxy %s wants another user name or password (status %d)" % (where, status)
        )
    if not 200 <= status < 300:
        raise ConnectionFailed("the proxy %s does not connect to %s (status %d)" % (where, target, status))


def _left(deadline):
    left = deadline - time.monotonic()
    if left <= 0:
        raise Timeout("the server took too long to answer")
    return left


def _send(sock, data, deadline):
    view = memoryview(data)
    while view:
        sock.settimeout(_left(deadline))
        view = view[sock.send(view) :]
