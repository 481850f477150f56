"""The CPython half: one urllib3 pool of one connection for each host, with a watch on time and bytes.

urllib3 bounds the wait for a single read; a server that sends a byte a second never exceeds that. So each
read of the socket asks `_Watch` how much time and how many bytes are left, and the sum is bounded whatever
the server does.
"""

import http.client
import socket
import ssl
import time

import urllib3.connection
import urllib3.connectionpool
import urllib3.exceptions as _u3

from . import fields
from .errors import BadResponse, ConnectionFailed, RequestError, Timeout, TLSError, TooLarge
from .response import Response
from .url import join, split

_HOSTS = 4  # connections kept at once: a CA uses one host, rarely a second for chains
_ADDRESSES = 6  # addresses of one name that are tried
_SLACK = 16384  # read ahead by buffers, beyond the bytes that count
_PIECE = 4096  # bytes asked for at a time


class _Watch:
    """What the exchange under way may still cost. `deadline` is monotonic; `allow` counts bytes from the
    wire."""

    def __init__(self, connect_timeout):
        self.connect_timeout = connect_timeout
        self.host = ""
        self.deadline = 0.0
        self.allow = 0
        self.ended = False

    def left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Timeout("the server took too long to answer")
        return left

    def took(self, n):
        self.ended = n == 0
        self.allow -= n
        if self.allow < 0:
            raise TooLarge("the server sent more than its answer may hold")


class _Context(ssl.SSLContext):
    """A client context whose sockets obey `watch`."""

    watch = None

    def wrap_socket(self, sock, *args, **options):
        # urllib3 1.26 names no host when it is an address and matches it afterwards by itself; OpenSSL does
        # it better.
        options["server_hostname"] = self.watch.host
        return super().wrap_socket(sock, *args, **options)


class _Socket(ssl.SSLSocket):
    def recv_into(self, buffer, nbytes=None, flags=0):
        watch = self.context.watch
        self.settimeout(watch.left())
        # A connection that ends without close_notify may have been cut: an error, not an end of file.
        self.suppress_ragged_eofs = False
        n = super().recv_into(buffer, nbytes, flags)
        watch.took(n)
        return n

    def send(self, data, flags=0):
        self.settimeout(self.context.watch.left())
        return super().send(data, flags)


class _Connection(urllib3.connection.HTTPSConnection):
    def connect(self):
        watch = self.ssl_context.watch
        total = watch.deadline
        watch.host = self.host.strip("[]")
        watch.deadline = min(total, time.monotonic() + watch.connect_timeout)
        super().connect()
        watch.deadline = total

    def _new_conn(self):
        """Try each address with an equal share of the time left, so that one dead address does not eat it
        all."""
        watch = self.ssl_context.watch
        try:
            found = socket.getaddrinfo(self.host.strip("[]"), self.port, 0, socket.SOCK_STREAM)[:_ADDRESSES]
        except (OSError, UnicodeError):
            raise ConnectionFailed("the name %s cannot be resolved" % self.host) from None
        reason = "no address"
        for i, (family, kind, protocol, _, address) in enumerate(found):
            sock = None
            try:
                sock = socket.socket(family, kind, protocol)
                sock.settimeout(watch.left() / (len(found) - i))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(watch.left())
                return sock
            except (OSError, RequestError) as e:
                if sock is not None:
                    sock.close()
                if isinstance(e, RequestError):
                    raise
                reason = "timed out" if isinstance(e, socket.timeout) else e.strerror or str(e)
        raise ConnectionFailed("%s cannot be reached: %s" % (join(self.host, self.port), reason.lower()))


class _Pool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _Connection


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


def _tls_text(error):
    """A sentence for what urllib3's SSLError or ssl's own error says."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the server's certificate is refused: %s" % (
            error.verify_message or "it does not match"
        ).rstrip(".")
    if isinstance(error, ssl.SSLEOFError):
        return "the server ended the TLS connection too early"
    reason = getattr(error, "reason", None) or str(error)
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
        return "the server does not speak TLS on this port"
    return "the TLS connection failed (%s)" % str(reason).lower().replace("_", " ")


def _translate(error):
    """Our exception for one of urllib3's, or of what it lets through."""
    inner = error
    while isinstance(inner, (_u3.ProtocolError, _u3.SSLError)) and inner.args:
        last = inner.args[-1]
        if not isinstance(last, Exception):
            break
        inner = last
    if isinstance(inner, (_u3.TimeoutError, socket.timeout)) or str(inner) == "The read operation timed out":
        return Timeout("the server took too long to answer")
    if isinstance(inner, (ssl.SSLError, ssl.CertificateError, _u3.SSLError)):
        return TLSError(_tls_text(inner))
    if isinstance(inner, http.client.RemoteDisconnected):
        return ConnectionFailed("the server closed the connection without an answer")
    if isinstance(inner, http.client.HTTPException):
        if "headers" in str(inner):
            return TooLarge("the server sent too many headers")
        return BadResponse("the server's answer is not HTTP, or was cut short (%s)" % type(inner).__name__)
    if isinstance(inner, OSError):
        return ConnectionFailed("the connection broke: %s" % (inner.strerror or type(inner).__name__).lower())
    return BadResponse("the server's answer is not understood (%s)" % type(inner).__name__)


class Session:
    """HTTPS requests with one kept-alive connection for each host; for one thread at a time.

    `cafile` names a PEM file and `cadata` holds PEM text, DER bytes or a list of these: the roots that are
    trusted. With neither, the system's are. `timeout` bounds a whole request and `connect_timeout` TCP and
    TLS within it, in seconds (name resolution blocks as long as the resolver's own limits). `max_header`
    bytes, `max_headers` lines and `max_body` bytes bound the answer. Raises ValueError when no root can be
    read.
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
        self.max_body = max_body
        self.max_header = max_header
        self.max_headers = max_headers
        self.user_agent = user_agent
        self._watch = _Watch(connect_timeout)
        self._pools = {}
        self._context = _Context(ssl.PROTOCOL_TLS_CLIENT)
        self._context.watch = self._watch
        self._context.sslsocket_class = _Socket
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            _load(self._context, cafile, cadata)
        except (OSError, ValueError) as e:
            reason = (
                e.strerror
                if isinstance(e, OSError) and e.strerror and not isinstance(e, ssl.SSLError)
                else None
            )
            name = "the file %s" % cafile if cafile is not None else "the data given"
            raise ValueError(
                "no CA certificate can be read from %s (%s)" % (name, reason or "not PEM or DER")
            ) from None

    def request(self, method, url, headers=None, data=None):
        """Send one request and return the `Response`, whatever its status. Redirects are not followed.

        `headers` is a dict of str to str, `data` bytes-like. Raises RequestError for anything that comes from
        outside, ValueError for a URL that is not a plain https one.
        """
        host, port, target = split(url)
        fields_out = {"User-Agent": self.user_agent}
        for name in headers or ():
            fields_out[name] = headers[name]
        watch = self._watch
        watch.deadline = time.monotonic() + self.timeout
        watch.allow = self.max_header + _SLACK
        watch.ended = False
        answer = None
        try:
            answer = self._pool(host, port).urlopen(
                method,
                target,
                body=None if data is None else bytes(data),
                headers=fields_out,
                retries=False,
                redirect=False,
                timeout=self.timeout,
                preload_content=False,
                decode_content=False,
                enforce_content_length=True,
            )
            return self._read(answer, method)
        except (_u3.HTTPError, http.client.HTTPException, OSError) as e:
            raise _translate(e) from None
        finally:
            if answer is not None and answer.closed:
                answer.release_conn()
            elif answer is not None:
                answer.close()  # an unread rest: the connection is of no more use

    def _pool(self, host, port):
        pool = self._pools.get((host, port))
        if pool is None:
            if len(self._pools) == _HOSTS:
                self._pools.pop(next(iter(self._pools))).close()
            # ca_certs: Debian's urllib3 would add the system's roots to ours otherwise.
            pool = _Pool(
                host, port, maxsize=1, ssl_context=self._context, cert_reqs="CERT_REQUIRED", ca_certs=None
            )
            self._pools[host, port] = pool
        return pool

    def _read(self, answer, method):
        lines = answer.headers.items()
        headers = {}
        size = 0
        for name, value in lines:
            size += len(name) + len(value) + 4
            fields.add(headers, name, value)
        if size > self.max_header or len(lines) > self.max_headers:
            raise TooLarge(
                "the server's headers are larger than %d bytes or %d lines"
                % (self.max_header, self.max_headers)
            )
        original = getattr(answer, "_original_response", None)
        # http.client takes the end of the connection for the end of the headers.
        if self._watch.ended or original is not None and getattr(original.msg, "defects", None):
            raise BadResponse("the server sent malformed headers")
        length = fields.framing(headers, answer.status, method, self.max_body)
        self._watch.allow = 2 * self.max_body + _SLACK
        body = bytearray()
        while True:
            # An empty body is read too: only then does http.client know that the connection is free.
            try:
                piece = answer.read(_PIECE)
            except ValueError:  # http.client on a negative chunk size
                raise BadResponse("the server's chunks are malformed") from None
            if not piece:
                break
            body += piece
            if len(body) > self.max_body:
                raise TooLarge("the server's answer is larger than %d bytes" % self.max_body)
        if length != -2 and (self._watch.ended or 0 <= length != len(body)):
            raise BadResponse("the server's answer was cut short")
        return Response(answer.status, headers, bytes(body))

    def close(self):
        """Close every connection. The session may be used again afterwards."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()
