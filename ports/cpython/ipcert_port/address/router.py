"""The home's public IPv4 address as the router knows it: NAT-PMP (RFC 6886 3.2), else UPnP (WANIPConnection:1 2.4.18).

Only the router itself is asked, on the home's own network, and nobody outside learns of it. Neither protocol is
authenticated: who sits in that network and lies makes an order fail, and gets no certificate by it.
"""

from __future__ import annotations

import re
import socket
import struct
import time

_NAT_PMP = 5351
_SSDP = ("239.255.255.250", 1900)
_SEARCH = (
    'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n'
    "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n"
)
_SERVICE = re.compile(
    r"<serviceType>\s*(urn:schemas-upnp-org:service:WAN(?:IP|PPP)Connection:[12])\s*</serviceType>(.*?)</service>",
    re.S,
)
_CONTROL = re.compile(r"<controlURL>\s*(.*?)\s*</controlURL>", re.S)
_ANSWER = re.compile(r"<NewExternalIPAddress>\s*([0-9.]{0,15})\s*</NewExternalIPAddress>")
_LOCATION = re.compile(r"^location:\s*http://([0-9.]+):(\d{1,5})(/\S*)\s*$", re.I | re.M)
_GET = "GET %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n\r\n"
_ASK = (
    '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
    '<u:GetExternalIPAddress xmlns:u="%s"></u:GetExternalIPAddress></s:Body></s:Envelope>'
)
_SECONDS = 3
_DOCUMENT = 65536  # bytes of a description


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
    first = _nat_pmp(router)
    return first or _upnp(router) or first


def _nat_pmp(router: str) -> bytes | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        # Connected, so that only the router's own answer is heard.
        sock.connect((router, _NAT_PMP))
        wait = 0.25
        while wait <= 1:
            try:
                sock.send(b"\0\0")
                sock.settimeout(wait)
                answer = sock.recv(64)
            except socket.timeout:
                wait *= 2
                continue
            except OSError:
                return None  # nobody listens there
            if len(answer) < 12 or answer[:2] != b"\0\x80":
                return None
            # Result 3: it has none itself.
            return answer[8:12] if answer[2:4] == b"\0\0" and any(answer[8:12]) else b""
    return None


def _upnp(router: str) -> bytes | None:
    found = _discover(router)
    if found is None:
        return None
    try:
        text = _http(router, found[0], _GET % (found[1], router, found[0]))
        service = _SERVICE.search(text)
        control = service and _CONTROL.search(service.group(2))
        if not service or not control:
            return None
        path = re.sub(r"^http://[^/]*", "", control.group(1))
        body = _ASK % service.group(1)
        head = (
            'POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: text/xml; charset="utf-8"\r\n'
            'SOAPAction: "%s#GetExternalIPAddress"\r\nContent-Length: %d\r\nConnection: close\r\n\r\n'
        )
        path = path if path[:1] == "/" else "/" + path
        if re.search(r"\s", path):
            return None
        text = _http(router, found[0], head % (path, router, found[0], service.group(1), len(body)) + body)
        answer = _ANSWER.search(text)
        if answer is None:
            return None
        raw = socket.inet_aton(answer.group(1)) if answer.group(1) else b""
    except OSError:
        return None
    return raw if any(raw) else b""


def _discover(router: str) -> tuple[int, str] | None:
    """(port, path) of the description that the router offers, or None. Other devices' offers do not count."""
    end = time.monotonic() + _SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
        try:
            sock.sendto(_SEARCH.encode(), _SSDP)
            while time.monotonic() < end:
                sock.settimeout(max(end - time.monotonic(), 0.01))
                data, sender = sock.recvfrom(2048)
                location = _LOCATION.search(data.decode("latin-1").replace("\r", ""))
                if location and sender[0] == location.group(1) == router:
                    return int(location.group(2)), location.group(3)
        except OSError:  # no answer in time, or no network
            return None
    return None


def _http(router: str, port: int, request: str) -> str:
    """The answer to one request, as text. Raises OSError."""
    end = time.monotonic() + _SECONDS
    with socket.create_connection((router, port), _SECONDS) as sock:
        sock.sendall(request.encode())
        data = b""
        while len(data) < _DOCUMENT and time.monotonic() < end:
            sock.settimeout(max(end - time.monotonic(), 0.01))
            piece = sock.recv(4096)
            if not piece:
                break
            data += piece
    return data.decode("utf-8", "replace")
