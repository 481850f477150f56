"""A small TLS server that chooses certificates so that a scanner learns nothing more than it knew (docs/privacy.md#p11).

No server name, or literally our address: that address's certificate. Exactly our name: the name's certificate.
Anything else: the alert unrecognized_name. Each certificate has a context, and so session ticket keys, of its own;
a Host that the certificate does not cover is answered with 421; nothing redirects from one to the other.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading

from ipcert import identifiers
from ipcert.errors import LocalError

from ..solvers.shelf import PROTOCOL
from . import client_hello
from .folders import FULLCHAIN, KEY, folder_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ipcert.identifiers import Identifier

    from ..config.kinds import Endpoint
    from ..config.reader import Config
    from ..solvers.shelf import Shelf

_SECONDS = 10  # for one connection
_CONNECTIONS = 32  # at once
_HEAD = 8192  # bytes of one request's head
_UNRECOGNIZED_NAME = 112
_NO_APPLICATION_PROTOCOL = 120
_DECODE_ERROR = 50


class Lineage:
    """One deployed certificate: its identifiers (canonical texts), its folder, and a context that follows it.

    found    its address was found by looking: there may be an earlier one that is doubted, and still served
    """

    def __init__(self, texts: Sequence[str], folder: str, found: bool = False) -> None:
        self.texts = texts
        self.found = found
        self.path = os.path.join(folder, folder_name(texts))
        self._version: str | None = None
        self._context: ssl.SSLContext | None = None

    def since(self) -> float:
        """When what is deployed came here, seconds; 0 where nothing is."""
        try:
            return os.stat(self.path).st_mtime
        except OSError:
            return 0

    def context(self) -> ssl.SSLContext | None:
        """The context of the certificate that is deployed now, or None where there is none. A renewal is a new one."""
        try:
            version = os.readlink(self.path)
        except OSError:
            return None
        if version != self._version:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.set_alpn_protocols(["http/1.1"])
            # Through the version, so that chain and key are of one moment.
            where = os.path.join(os.path.dirname(self.path), version)
            try:
                context.load_cert_chain(os.path.join(where, FULLCHAIN), os.path.join(where, KEY))
            except OSError:
                return self._context  # switched again meanwhile; the next connection gets it
            self._context, self._version = context, version
        return self._context


class Chooser:
    """Which certificate a connection gets. `name_on` "lan" shows names to local clients only."""

    def __init__(self, lineages: Sequence[Lineage], name_on: str = "all") -> None:
        self._lineages = lineages
        self._name_on = name_on

    def choose(self, server_name: str | None, local: str, peer: str) -> Lineage | None:
        """The Lineage, or None for unrecognized_name. `local` and `peer` are addresses (str) of the connection."""
        here = _address(local)
        if server_name is None:
            return self._by_address(here, False)
        asked = _address(server_name)
        if asked is not None:
            # Only what was connected to: the other family's certificate would tie the two together.
            return self._by_address(asked, True) if here and asked.family == here.family else None
        if self._name_on == "lan" and not _is_local(_address(peer), here):
            return None
        for lineage in self._lineages:
            if _covers(lineage.texts, server_name):
                return lineage
        return None

    def _by_address(self, address: Identifier | None, exact: bool) -> Lineage | None:
        if address is None:
            return None
        family = []
        for lineage in self._lineages:
            own = [a for a in map(_address, lineage.texts) if a is not None and a.family == address.family]
            if address in own:
                return lineage
            if own:
                family.append(lineage)
        if exact or not family:
            return None
        if len(family) > 1:
            # Of addresses that were found one after the other, the one that the CA has seen last.
            family = [max(family, key=Lineage.since)] if all(one.found for one in family) else []
        # Behind NAT the connection's address is a private one; there is one public one it can stand for.
        return family[0] if family else None


def _address(text: str) -> Identifier | None:
    """An Identifier where `text` is an address, else None. A mapped one is the IPv4 address in it."""
    text = text.split("%")[0]
    if text[:7] == "::ffff:" and "." in text:
        text = text[7:]
    try:
        found = identifiers.parse(text)
    except LocalError:
        return None
    return found if found.family else None


def _is_local(peer: Identifier | None, here: Identifier | None) -> bool:
    if peer is None or here is None:
        return False
    return peer.scope != "public" or peer.family == 6 and peer.raw[:8] == here.raw[:8]


def _covers(texts: Sequence[str], host: str) -> bool:
    return host in texts or "*." + host.partition(".")[2] in texts


class Server:
    """Serves on `listen`, a list of (host, port), host None for every address. `start`, then `close`.

    `shelf` (`solvers.shelf.Shelf`, or None) has the certificates for ALPN acme-tls/1.
    ports    the ports really used, one for each listener: for port 0. Raises LocalError("port").
    """

    def __init__(self, chooser: Chooser, listen: Sequence[Endpoint], shelf: Shelf | None = None) -> None:
        self._chooser = chooser
        self._shelf = shelf
        self._room = threading.BoundedSemaphore(_CONNECTIONS)
        self._listeners = []
        try:
            for host, port in listen:
                for one in ("::", "0.0.0.0") if host is None else (host,):
                    self._listeners.append(_listen(one, port))
        except OSError as e:
            self.close()
            raise LocalError(
                "port",
                "Cannot listen on port %d: %s; choose another one." % (port, (e.strerror or str(e)).lower()),
            ) from None
        self.ports = [one.getsockname()[1] for one in self._listeners]

    def start(self) -> None:
        """Accept in threads of their own, until `close`."""
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Stop accepting. Connections under way end by themselves, within seconds."""
        for listener in self._listeners:
            try:
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept
            except OSError:
                pass
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, peer = listener.accept()
            except OSError:
                return
            if not self._room.acquire(blocking=False):
                sock.close()
                continue
            threading.Thread(target=self._serve, args=(sock, peer[0]), daemon=True).start()

    def _serve(self, sock: socket.socket, peer: str) -> None:
        try:
            self._talk(sock, peer)
        except (OSError, ValueError):
            pass  # the client's trouble, not ours
        finally:
            sock.close()
            self._room.release()

    def _talk(self, sock: socket.socket, peer: str) -> None:
        try:
            asked = client_hello.peek(sock, _SECONDS)
        except client_hello.Malformed:
            return _alert(sock, _DECODE_ERROR)
        if PROTOCOL in asked.protocols:
            return self._prove(sock, asked.server_name)
        if asked.protocols and b"http/1.1" not in asked.protocols:
            return _alert(sock, _NO_APPLICATION_PROTOCOL)
        lineage = self._chooser.choose(asked.server_name, sock.getsockname()[0], peer)
        context = None if lineage is None else lineage.context()
        if lineage is None or context is None:
            return _alert(sock, _UNRECOGNIZED_NAME)
        sock.settimeout(_SECONDS)
        with context.wrap_socket(sock, server_side=True) as tls:
            tls.sendall(_answer(_head(tls), lineage.texts))
            tls.unwrap()

    def _prove(self, sock: socket.socket, server_name: str | None) -> None:
        """The handshake of a tls-alpn-01 validation (RFC 8737 3), or the alert for a name that nobody validates."""
        context = None if self._shelf is None else self._shelf.context(server_name)
        if context is None:
            return _alert(sock, _NO_APPLICATION_PROTOCOL)
        sock.settimeout(_SECONDS)
        with context.wrap_socket(sock, server_side=True) as tls:
            tls.recv(1)  # the validator closes


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in host:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener


def _alert(sock: socket.socket, number: int) -> None:
    """A fatal alert (RFC 8446 6) in place of a handshake, and the client's bytes read so that it arrives."""
    sock.settimeout(_SECONDS)
    sock.sendall(bytes((21, 3, 3, 0, 2, 2, number)))
    sock.shutdown(socket.SHUT_WR)
    sock.recv(client_hello._MOST)


def _head(tls: ssl.SSLSocket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < _HEAD:
        piece = tls.recv(2048)
        if not piece:
            break
        data += piece
    return data


def _answer(head: bytes, texts: Sequence[str]) -> bytes:
    """The whole HTTP answer to a request's head, for the certificate of `texts`."""
    lines = head.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    hosts = [line.split(":", 1)[1].strip() for line in lines[1:] if line.lower().startswith("host:")]
    if len(words) != 3 or len(hosts) != 1 or b"\r\n\r\n" not in head:
        return _response("400 Bad Request", "This is no HTTP/1.1 request.\n", False)
    bare = words[0] == "HEAD"
    if words[0] not in ("GET", "HEAD"):
        return _response("405 Method Not Allowed", "Only GET and HEAD.\n", False)
    host = _host(hosts[0])
    if not _covers(texts, host):
        return _response("421 Misdirected Request", "This certificate is for another name.\n", bare)
    return _response("200 OK", "ipcert serves %s\n" % host, bare)


def _host(value: str) -> str:
    """A Host header's name or address in canonical form, port and brackets taken off."""
    value = value.lower()
    if value[:1] == "[":
        value = value[1:].partition("]")[0]
    elif value.count(":") == 1:
        value = value.partition(":")[0]
    address = _address(value)
    return address.value if address is not None else value.rstrip(".")


def _response(status: str, text: str, bare: bool) -> bytes:
    body = text.encode()
    head = "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    return (head % (status, len(body))).encode() + (b"" if bare else body)


def lineages(config: Config) -> list[Lineage]:
    """The configuration's lineages, deployed or not."""
    from ..address.discovery import doubted
    from ..port.state import State

    texts = config.groups()
    families = config.address.families
    if families:
        state = State(config.state)
        texts += [text for family in families for text in doubted(state, family) if text not in texts]
    return [
        Lineage(
            text.split(","),
            config.deploy,
            any(identifiers.parse(one).family in families for one in text.split(",")),
        )
        for text in texts
    ]
