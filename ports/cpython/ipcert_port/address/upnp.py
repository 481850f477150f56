"""A program of its own: asks a router for its external IPv4 address over UPnP (WANIPConnection:1 2.4.18), and prints it.

    python upnp.py ROUTER          prints the address, "none" where the router says that it has none, or nothing

What comes back over UPnP is XML from whoever answers in the router's place. miniupnpc reads it, in C; so this process has
little memory, little time, may open no file, and holds nothing worth having: what ends it ends nothing else. Whoever
calls it kills it after some seconds by the clock (`router.upnp`).
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import time

MEMORY = 256 << 20  # bytes of address space: Python and the library take some 30 MB
CPU = 2  # seconds
_SEARCH = (
    b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n'
    b"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
)
_SSDP = ("239.255.255.250", 1900)
_WAIT = 3  # seconds for an offer
_OFFERS = 50  # read in that time, of all devices together
_OFFER = 2048  # bytes
_URL = 256  # bytes of a description's URL


def limit() -> None:
    """Give this process its limits. They hold before the first byte from outside is read."""
    for kind, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(kind, (most, most))


def close_files() -> bool:
    """Open no file from now on (Landlock). False where the kernel has no such thing."""
    import ctypes

    create, restrict, no_new_privileges = 444, 446, 38  # system calls, the same on every processor; prctl(2)
    everything = (1 << 13) - 1  # LANDLOCK_ACCESS_FS_*, as its first version has them
    library = ctypes.CDLL(None, use_errno=True)
    rules = library.syscall(create, ctypes.byref(ctypes.c_uint64(everything)), ctypes.c_size_t(8), 0)
    if rules < 0 or library.prctl(no_new_privileges, 1, 0, 0, 0):
        return False
    return bool(library.syscall(restrict, rules, 0) == 0)


def offered(data: bytes, router: str) -> str | None:
    """The URL of a description at `router` in an answer to our search (bytes), or None."""
    for line in data[:_OFFER].split(b"\n")[:40]:
        name, _, value = line.partition(b":")
        if name.strip().lower() != b"location":
            continue
        url = value.strip()
        start = b"http://" + router.encode()
        # Its own address and nobody else's, whatever follows: a port or a path.
        if url[: len(start)] == start and url[len(start) : len(start) + 1] in (b":", b"/"):
            text = url.decode("latin-1")
            if len(url) <= _URL and "!" <= min(text) and max(text) <= "~" and "@" not in text:
                return text
    return None


def discover(router: str) -> str | None:
    """The URL of the description that the router itself offers, or None.

    Not the library's own search, which believes whatever device answers first.
    """
    end = time.monotonic() + _WAIT
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        sock.sendto(_SEARCH, _SSDP)
        for _ in range(_OFFERS):
            sock.settimeout(max(end - time.monotonic(), 0.01))
            data, sender = sock.recvfrom(_OFFER)
            url = offered(data, router) if sender[0] == router else None
            if url is not None:
                return url
    return None


def main(router: str) -> int:
    """Print what the router says; returns an exit status."""
    try:
        import miniupnpc
    except ImportError:
        return 0  # nobody is asked
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the library's words would be a log that strangers write
    limit()
    close_files()
    try:
        url = discover(router)
        if url is None:
            return 0
        upnp = miniupnpc.UPnP()
        upnp.selectigd(url)
        said = upnp.externalipaddress()
    except Exception:  # noqa: BLE001 - miniupnpc raises Exception itself for whatever went wrong
        return 0
    sys.stdout.write((said or "none")[:64] + "\n")
    return 0


if __name__ == "__main__":
    sys.path.pop(0)  # this folder: its modules are not meant
    sys.exit(main(sys.argv[1]))
