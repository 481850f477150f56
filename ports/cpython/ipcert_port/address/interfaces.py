"""This machine's own addresses, asked of the kernel over rtnetlink(7), and a socket that wakes when they change.

Nothing leaves the machine. Light enough for the waiting daemon.
"""

from __future__ import annotations

import socket
import struct

_NEWADDR, _GETADDR, _DONE, _ERROR = 20, 22, 3, 2
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_GROUPS = 0x10 | 0x100  # RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR
_ADDRESS, _LOCAL, _FLAGS = 1, 2, 8  # IFA_*
_TEMPORARY, _DAD_FAILED, _DEPRECATED, _TENTATIVE = 0x01, 0x08, 0x20, 0x40  # IFA_F_*
_MOST = 1024  # addresses of one machine
_PIECE = 65536


class Own:
    """One address: `raw` (4 or 16 bytes), the interface's `name`, and whether it is there to stay.

    trouble   "" where it can be ordered for as far as the kernel knows; else "temporary" (RFC 8981), "deprecated",
              "tentative" (RFC 4862 5.4), "duplicate" or "local" (not meant for other networks)
    """

    def __init__(self, raw: bytes, name: str, trouble: str) -> None:
        self.raw = raw
        self.name = name
        self.trouble = trouble


def read() -> list[Own]:
    """A list of `Own`. Raises OSError where the kernel does not say."""
    with _socket(0) as sock:
        sock.settimeout(5)
        sock.send(struct.pack("=IHHIIBBBBI", 24, _GETADDR, _REQUEST_DUMP, 1, 0, 0, 0, 0, 0, 0))
        found: list[Own] = []
        while len(found) < _MOST:
            data = sock.recv(_PIECE)
            at = 0
            while at + 16 <= len(data):
                size, kind = struct.unpack_from("=IH", data, at)
                if kind == _DONE:
                    return found
                if kind == _ERROR or size < 16:
                    raise OSError("the kernel does not list its addresses")
                if kind == _NEWADDR:
                    found.append(_own(data[at + 16 : at + size]))
                at += size + 3 & ~3
        return found


def _own(message: bytes) -> Own:
    family, _, flags, scope, index = struct.unpack_from("=BBBBI", message)
    raw = b""
    at = 8
    while at + 4 <= len(message):
        size, kind = struct.unpack_from("=HH", message, at)
        if size < 4:
            break
        value = message[at + 4 : at + size]
        if kind == _LOCAL or kind == _ADDRESS and not raw:
            raw = value  # of a point-to-point link, _ADDRESS is the other end
        elif kind == _FLAGS:
            flags = struct.unpack("=I", value)[0]
        at += size + 3 & ~3
    try:
        name = socket.if_indextoname(index)
    except OSError:
        name = "?"  # gone meanwhile
    return Own(raw, name, _trouble(family, flags, scope))


def _trouble(family: int, flags: int, scope: int) -> str:
    if flags & _DAD_FAILED:
        return "duplicate"
    if flags & _TENTATIVE:
        return "tentative"
    if flags & _TEMPORARY and family == socket.AF_INET6:  # of IPv4 the same bit says "secondary"
        return "temporary"
    if flags & _DEPRECATED:
        return "deprecated"
    return "local" if scope else ""


def watch() -> socket.socket:
    """A socket that is readable after any address of this machine came, went or changed. Raises OSError."""
    sock = _socket(_GROUPS)
    sock.setblocking(False)
    return sock


def drain(sock: socket.socket) -> None:
    """Take what a `watch` socket has to say, so that it waits again."""
    try:
        while sock.recv(_PIECE):
            continue
    except BlockingIOError:
        return
    except OSError:  # ENOBUFS: more happened than fitted, so look as well
        return


def _socket(groups: int) -> socket.socket:
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
    try:
        sock.bind((0, groups))
    except OSError:
        sock.close()
        raise
    return sock
