"""A hub's TLS server on 443, for firmware with the C module `tlsserver`: it keeps the two certificates apart (P11).

No server name, or literally an address of ours: that address's certificate. Exactly our name: the name's. Anything
else: the alert unrecognized_name. A Host that the certificate is not for: 421. There are no session tickets, no
cookies, and nothing redirects from one to the other. ALPN acme-tls/1 and the name under validation: the challenge's
certificate (RFC 8737), and not a byte after the handshake.
"""

import asyncio
import gc
import socket
from asyncio import core

import tls
import tlsserver

from ipcert import identifiers
from ipcert.errors import LocalError
from ipcert_port.solvers import tlsalpn

_WAITING = 4  # connections that may wait for their turn; each costs a socket and a task, a kilobyte
_SECONDS = 10  # for one connection, once it is its turn
_PROVING = 4  # the same while the CA is on its way, so that an idle browser does not keep it out for long
_HEAD = 2048  # bytes of a request's head
_FATAL = b"\x15\x03\x03\x00\x02\x02"  # record and alert header (RFC 5246 6.2.1, 7.2), before any ServerHello
_INTERNAL_ERROR = 80

PAGE = b"<!doctype html><html lang=en><title>Hub</title><p>This hub is running.</html>\n"


# A generator is a coroutine to MicroPython; this is how its own asyncio streams wait.
def _readable(sock):
    yield core._io_queue.queue_read(sock)


def _writable(sock):
    yield core._io_queue.queue_write(sock)


def _address(text):
    """An Identifier where `text` is an address, else None."""
    try:
        found = identifiers.parse(text)
    except LocalError:
        return None
    return found if found.family else None


class _Lineage:
    """One deployed certificate: its identifiers' texts, the families of its addresses, its tlsserver.Certificate."""

    def __init__(self, texts, certificate):
        self.texts = texts
        self.certificate = certificate
        self.families = [a.family for a in map(_address, texts) if a]

    def covers(self, host):
        return host in self.texts or "*." + host[host.find(".") + 1 :] in self.texts


class Front:
    """Serves `page` (bytes) over TLS on `port` of `host`: "0.0.0.0", or "::" for IPv6 and, on lwIP, IPv4 as well.

    `sessions` TLS connections at once, others wait their turn; leave one place for the connection to the CA. Where
    there is no memory for one more, or too many wait, the client gets a TLS alert, not silence.
    `proof` (`tlsalpn.Proof`) answers tls-alpn-01: put it into `drive.Drive.solvers`. Fronts can share one.
    Raises LocalError("port") from `start` when the port cannot be had.
    """

    def __init__(self, host="0.0.0.0", port=443, page=PAGE, sessions=1, seconds=_SECONDS, proof=None):
        self._host = host
        self._port = port
        self._page = page
        self._seconds = seconds
        self._places = sessions
        self._most = sessions + _WAITING
        self._inside = 0
        self._left = asyncio.Event()
        self._lineages = []
        self._listener = self._task = None
        self._family = 4  # of the connection that is being read from
        self.proof = proof or tlsalpn.Proof()
        # All connections begin here; the certificate is chosen when the client has said what it wants.
        self._context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
        tlsserver.choose(self._context, ("http/1.1", tlsalpn.PROTOCOL), self._choose)

    def deploy(self, ids, key, chain):
        """Serve a new certificate from now on; connections that are open keep the old one.

        `ids` is its identifiers joined by commas, `key` PKCS#8 DER, `chain` PEM; both empty to take it down.
        Raises LocalError("deploy") when they cannot be used: what was served before stays.
        """
        texts = ids.split(",")
        kept = [lineage for lineage in self._lineages if lineage.texts != texts]
        if chain:
            gc.collect()  # what lives long goes low in the heap, so that the free part stays in one piece
            try:
                certificate = tlsserver.Certificate(bytes(chain), key)
            except (OSError, ValueError, MemoryError) as e:
                raise LocalError(
                    "deploy",
                    "The new certificate cannot be served (%s); the old one stays." % (e or "no memory"),
                )
            kept.append(_Lineage(texts, certificate))
        self._lineages = kept
        gc.collect()

    def _choose(self, name, protocol):
        """Called by Mbed TLS in the middle of a handshake: the Certificate to use, None for unrecognized_name, or False
        for no_application_protocol."""
        if protocol == tlsalpn.PROTOCOL:
            return self.proof.find(name)
        lineage = self._find(name)
        return lineage.certificate if lineage else None

    def _find(self, name):
        address = name and _address(name)
        if name is None or address:
            if address and address.family != self._family:
                return None  # the other family's certificate would tie the two together
            mine = [one for one in self._lineages if self._family in one.families]
            if address:
                mine = [one for one in mine if address.value in one.texts]
            # Behind NAT we cannot know which of several addresses was connected to.
            return mine[0] if len(mine) == 1 else None
        for lineage in self._lineages:
            if not lineage.families and lineage.covers(name.lower()):
                return lineage
        return None

    def start(self):
        """Listen, and serve until `close` in tasks of asyncio's loop. Does nothing when it runs already."""
        if self._listener:
            return
        info = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0]
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setblocking(False)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(info[-1])
            listener.listen(self._most)
        except OSError as e:
            listener.close()
            raise LocalError("port", "Cannot listen on port %d (error %s)." % (self._port, e.errno))
        self._listener = listener
        self._task = asyncio.create_task(self._accept(listener))

    def close(self):
        """Stop listening. Connections under way end by themselves, within seconds."""
        if self._listener:
            self._task.cancel()
            self._listener.close()
            self._listener = self._task = None

    async def _accept(self, listener):
        while True:
            await _readable(listener)
            try:
                sock, peer = listener.accept()
            except OSError:
                await asyncio.sleep_ms(50)  # out of sockets: some will be over soon
                continue
            sock.setblocking(False)
            if self._inside >= self._most:
                _refuse(sock)
            else:
                self._inside += 1
                asyncio.create_task(self._serve(sock, _family(peer)))

    async def _serve(self, sock, family):
        secure = None
        try:
            await asyncio.wait_for(self._turn(), self._seconds * _WAITING)
            try:
                gc.collect()  # a connection wants large pieces of memory
                secure = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
                await asyncio.wait_for(
                    self._talk(secure, family), _PROVING if self.proof.name else self._seconds
                )
            finally:
                if secure:
                    secure.close()
                self._places += 1
                self._left.set()
        except (OSError, ValueError, MemoryError, asyncio.TimeoutError):
            # Slow, gone, the wrong name, no TLS at all: the client's trouble, and Mbed TLS told it. Without a TLS session
            # it was ours: its turn never came, or there was no memory for it.
            if not secure:
                _refuse(sock)
        finally:
            self._inside -= 1
            sock.close()

    async def _turn(self):
        while not self._places:
            self._left.clear()
            await self._left.wait()
        self._places -= 1

    async def _talk(self, secure, family):
        head = b""
        piece = bytearray(256)
        while b"\r\n\r\n" not in head and len(head) < _HEAD:
            await _readable(secure)
            self._family = family  # for _choose, which is called from within
            n = secure.readinto(piece)
            if n == 0 or n and tlsserver.protocol(secure) == tlsalpn.PROTOCOL:
                return
            if n:
                head += piece[:n]
        used = tlsserver.chosen(secure)
        answer = self._answer(head, [one for one in self._lineages if one.certificate is used])
        while answer:
            await _writable(secure)
            answer = answer[secure.write(answer) or 0 :]

    def _answer(self, head, shown):
        """The whole HTTP answer to a request's head; `shown` holds the lineage that the client was shown, if it is
        still in service."""
        try:
            lines = str(head[: head.find(b"\r\n\r\n")], "utf-8").split("\r\n")
        except UnicodeError:
            lines = [""]
        words = lines[0].split(" ")
        hosts = [line[5:].strip() for line in lines[1:] if line[:5].lower() == "host:"]
        if len(words) != 3 or len(hosts) != 1 or b"\r\n\r\n" not in head:
            return _response("400 Bad Request", b"", True)
        if words[0] not in ("GET", "HEAD"):
            return _response("405 Method Not Allowed", b"", True)
        if self._find(_host(hosts[0])) not in shown:
            return _response("421 Misdirected Request", b"", True)
        return _response("200 OK", self._page, words[0] == "GET")


def _family(peer):
    """4 or 6: the family that a connection from `peer` came in by."""
    # The unix port has the operating system's structure here.
    host = peer[0] if isinstance(peer, tuple) else socket.inet_ntop(*socket.sockaddr(peer)[:2])
    return 6 if ":" in host and "." not in host else 4


def _host(value):
    """A Host header's name or address, port and brackets taken off."""
    if value[:1] == "[":
        return value[1:].split("]")[0]
    return value.split(":")[0] if value.count(":") == 1 else value


def _response(status, body, whole):
    head = "HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    return (head % (status, len(body))).encode() + (body if whole else b"")


def _refuse(sock):
    """Say no to a client in words that TLS has for it, without the memory that TLS takes."""
    try:
        sock.write(_FATAL + bytes((_INTERNAL_ERROR,)))
        sock.close()
    except OSError:
        pass  # gone already
