"""The home's public IPv4 address as its router knows it: NAT-PMP (RFC 6886), PCP (RFC 6887), else UPnP.

Only the router itself is asked, on the home's own network, and nobody outside learns of it. None of the three is
authenticated: who sits in that network can answer in the router's place. So what is read here is taken for hostile, and
what it says is one kind of evidence and no more (`ipcert.presence`). A failed, slow or malformed answer is no answer.

NAT-PMP and PCP are a few datagrams of a fixed size, for which no maintained library was found; so they are written here,
and fuzzed (`tools/fuzz router`). UPnP is XML over HTTP: the library miniupnpc reads it, in a process of its own
(`upnp`) with limits on time and memory.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
import time

from ipcert import identifiers
from ipcert.errors import LocalError

from . import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PORT = 5351  # of NAT-PMP and of PCP
_FIRST_WAIT = 0.25  # seconds for an answer to the first datagram; twice as many for each further one
_TRIES = 3
_DATAGRAM = 1100  # bytes: the longest PCP message (RFC 6887 7)
_UPNP_SECONDS = 10  # by the clock, for the whole process
_MAPPED = bytes(10) + b"\xff\xff"  # before an IPv4 address in an IPv6 one
_DISCARD = 9  # RFC 6887 11.6: a mapping of this port is what teaches a client its external address
_UDP = 17
_LIFETIME = 60  # seconds of that mapping, which is taken back at once


def gateway() -> str | None:
    """The default route's next hop (text), or None."""
    try:
        with open("/proc/net/route") as file:
            for line in file:
                words = line.split()
                if (
                    len(words) > 7 and words[1] == words[7] == "00000000" and int(words[3], 16) & 2
                ):  # RTF_GATEWAY
                    return socket.inet_ntoa(struct.pack("=I", int(words[2], 16)))
    except (OSError, ValueError):
        return None
    return None


def address() -> bytes | None:
    """The router's external IPv4 address (4 bytes); b"" where it says that it has none, None where it says nothing.

    Takes some seconds at most.
    """
    router = gateway()
    if router is None:
        return None
    first = nat_pmp(router)
    return first or pcp(router) or upnp(router) or first


def nat_pmp(router: str) -> bytes | None:
    """What the router's NAT-PMP says, as in `address`."""
    return _exchange(router, lambda own: b"\0\0", read_nat_pmp)


def pcp(router: str) -> bytes | None:
    """What the router's PCP says, as in `address`. The mapping that this takes is given back."""
    nonce = os.urandom(12)
    return _exchange(
        router,
        lambda own: write_pcp(nonce, own, _LIFETIME),
        lambda data: read_pcp(data, nonce),
        lambda own: write_pcp(nonce, own, 0),
    )


def upnp(router: str) -> bytes | None:
    """What the router's UPnP says, as in `address`; None where miniupnpc is not installed, too."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "upnp.py")
    try:
        said = child.run([sys.executable, "-E", "-B", script, router], _UPNP_SECONDS)
    except OSError:
        return None
    return read_upnp(said)


def _exchange(
    router: str,
    request: Callable[[bytes], bytes],
    read: Callable[[bytes], bytes | None],
    after: Callable[[bytes], bytes] | None = None,
) -> bytes | None:
    # `request` and `after` are given our own address, packed.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            # Connected, so that only datagrams from the router's own address and port are heard.
            sock.connect((router, _PORT))
            own = socket.inet_aton(sock.getsockname()[0])
            for number in range(_TRIES):
                sock.send(request(own))
                end = time.monotonic() + _FIRST_WAIT * 2**number
                answer = _receive(sock, end)
                if answer is None:
                    continue
                found = read(answer)
                if found and after is not None:
                    sock.send(after(own))
                return found
        except OSError:
            return None  # nobody listens there
    return None


def _receive(sock: socket.socket, end: float) -> bytes | None:
    left = end - time.monotonic()
    if left <= 0:
        return None
    sock.settimeout(left)
    try:
        return sock.recv(_DATAGRAM)
    except socket.timeout:
        return None


def read_nat_pmp(data: bytes) -> bytes | None:
    """The address in an answer to a NAT-PMP request for it (RFC 6886 3.2): as in `address`, None for anything else."""
    if len(data) != 12 or data[:2] != b"\0\x80":
        return None
    # Result 3: it has none itself.
    return data[8:12] if data[2:4] == b"\0\0" and any(data[8:12]) else b""


def write_pcp(nonce: bytes, own: bytes, lifetime: int) -> bytes:
    """A PCP request for a mapping of UDP port 9 (RFC 6887 7.1 and 11.1): 60 bytes. `nonce`: 12 bytes; `own`: 4 bytes.

    lifetime   seconds; 0 takes it back
    """
    head = struct.pack(">BBHI16s", 2, 1, 0, lifetime, _MAPPED + own)
    return head + struct.pack(">12sB3xHH16s", nonce, _UDP, _DISCARD, 0, _MAPPED + bytes(4))


def read_pcp(data: bytes, nonce: bytes) -> bytes | None:
    """The external address in an answer to `write_pcp` (RFC 6887 7.2 and 11.1): as in `address`, None for anything else."""
    # Version, the opcode MAP with the bit of a response, the result SUCCESS; the nonce is ours.
    if len(data) < 60 or len(data) > _DATAGRAM or data[:2] != b"\2\x81" or data[3] or data[24:36] != nonce:
        return None
    if data[36] != _UDP or data[40:42] != b"\0\x09" or data[44:56] != _MAPPED:
        return None
    return data[56:60] if any(data[56:60]) else b""


def read_upnp(said: bytes) -> bytes | None:
    """What the process `upnp` printed (bytes): as in `address`, None for anything that is no address."""
    words = said[:64].decode("ascii", "replace").split()
    if words == ["none"]:
        return b""
    if len(words) != 1:
        return None
    try:
        found = identifiers.parse(words[0])
    except LocalError:
        return None
    if found.family != 4:
        return None
    return found.raw if any(found.raw) else b""
