"""Reads the server name and the protocols out of a TLS ClientHello (RFC 8446 4.1.2) before anything answers it.

OpenSSL can change certificates in its server-name callback, but session tickets stay with the context that accepted the
connection: their key would be shared by all certificates, and would show that they live in one box. So the choice is
made before.
"""

from __future__ import annotations

import select
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0
_ALPN = 16
_MOST = 16384  # bytes of ClientHello; with post-quantum keys they are about 2,000


class Malformed(Exception):
    """It is no ClientHello, or not one of a size that anyone sends."""


class Hello:
    """server_name: lower-case str without a final dot, or None; protocols: list of bytes (RFC 7301)."""

    def __init__(self, server_name: str | None, protocols: Sequence[bytes]) -> None:
        self.server_name = server_name
        self.protocols = protocols


class _Bytes:
    """A cursor; reading past the end raises Malformed."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, n: int) -> bytes:
        end = self.at + n
        if end > len(self.data):
            raise Malformed
        piece = self.data[self.at : end]
        self.at = end
        return piece

    def number(self, n: int) -> int:
        return int.from_bytes(self.take(n), "big")

    def vector(self, n: int) -> _Bytes:
        return _Bytes(self.take(self.number(n)))

    def more(self) -> bool:
        return self.at < len(self.data)


def parse(data: bytes) -> Hello | None:
    """A `Hello` from the bytes that a client sent first, or None when more of them are needed. Raises Malformed."""
    body = b""
    at = 0
    while True:
        if len(body) >= 4 and len(body) >= 4 + int.from_bytes(body[1:4], "big"):
            return _read(body[4 : 4 + int.from_bytes(body[1:4], "big")])
        if len(data) - at < 5:
            if len(data) > at and data[at] != _HANDSHAKE:
                raise Malformed
            return None
        n = int.from_bytes(data[at + 3 : at + 5], "big")
        if data[at] != _HANDSHAKE or data[at + 1] != 3 or not 0 < n <= _MOST:
            raise Malformed
        if len(data) - at - 5 < n:
            return None
        body += data[at + 5 : at + 5 + n]
        at += 5 + n
        if body[0] != _CLIENT_HELLO or len(body) > _MOST:
            raise Malformed


def _read(body: bytes) -> Hello:
    b = _Bytes(body)
    b.take(34)  # version, random
    b.vector(1)  # session id
    b.vector(2)  # cipher suites
    b.vector(1)  # compression
    name, protocols = None, []
    if b.more():
        extensions = b.vector(2)
        while extensions.more():
            kind = extensions.number(2)
            value = extensions.vector(2)
            if kind == _SERVER_NAME:
                name = _name(value.vector(2))
            elif kind == _ALPN:
                listed = value.vector(2)
                while listed.more():
                    protocols.append(bytes(listed.vector(1).data))
    return Hello(name, protocols)


def _name(entries: _Bytes) -> str:
    # RFC 6066 3: a list of one name, of the one type there is.
    if entries.number(1) != 0:
        raise Malformed
    raw = entries.vector(2).data
    if not raw or len(raw) > 255 or min(raw) <= 32 or max(raw) >= 127:
        raise Malformed
    return raw.decode().lower().rstrip(".")


def peek(sock: socket.socket, seconds: float) -> Hello:
    """The `Hello` that `sock` will read, left unread. Raises Malformed; OSError or TimeoutError where none comes."""
    deadline = time.monotonic() + seconds
    need = 5
    try:
        while True:
            # Readable means: with as many bytes as are needed. No waking up for each packet.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, need)
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([sock], [], [], left)[0]:
                raise TimeoutError("no ClientHello came")
            data = sock.recv(_MOST + 64, socket.MSG_PEEK)
            found = parse(data)
            if found is not None:
                return found
            if len(data) < need or len(data) > _MOST:
                raise Malformed
            need = _missing(data)
    finally:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)


def _missing(data: bytes) -> int:
    """How many bytes there must be for `parse` to get one record further."""
    at = 0
    while len(data) - at >= 5:
        at += 5 + int.from_bytes(data[at + 3 : at + 5], "big")
    return at if at > len(data) else at + 5
