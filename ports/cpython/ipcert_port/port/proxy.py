"""Which proxy a request goes through, by the environment and as curl reads it (curl(1), "Environment").

    https_proxy, HTTPS_PROXY    [http://][USER[:PASSWORD]@]HOST[:PORT]; without a port 1080
    all_proxy, ALL_PROXY        where there is none of the former
    no_proxy, NO_PROXY          hosts asked directly, with commas or blanks between: a name and what is below it, an
                                address, a network (10.0.0.0/8), or "*" alone for all

Of each pair the first counts, and a variable that is empty is one that is not there. The proxy is asked for a tunnel
(CONNECT): it learns which CA we speak to, and TLS is with the CA, verified as ever. Other kinds of proxy, those
reached over TLS and SOCKS, are refused in words: to go past them would show an address that the owner may want hidden.
"""

from __future__ import annotations

import base64
import os

from ipcert.errors import LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from ipaddress import IPv4Address, IPv6Address
    from typing import Optional

    Proxy = tuple[str, int, Optional[str]]

_PORT = 1080
_FIRST = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
_NOT = ("no_proxy", "NO_PROXY")


def _variable(names: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str]:
    """(name, value) of the first that is set, ("", "")."""
    for name in names:
        value = environ.get(name, "").strip()
        if value:
            return name, value
    return "", ""


def chooser(environ: Mapping[str, str] | None = None) -> Callable[[str, int], Proxy | None] | None:
    """What `urequests_compat.Session` takes as `proxy`, or None where no proxy is set. Raises LocalError("config")."""
    environ = os.environ if environ is None else environ
    name, text = _variable(_FIRST, environ)
    if not text:
        return None
    through = _read(name, text)
    direct = _variable(_NOT, environ)[1].replace(",", " ").lower().split()

    def choose(host: str, port: int) -> Proxy | None:
        return None if _listed(host, direct) else through

    return choose


def _read(name: str, text: str) -> Proxy:
    """(host, port, text of Proxy-Authorization or None)."""
    scheme, mark, rest = text.partition("://")
    if not mark:
        scheme, rest = "http", text
    if scheme.lower() != "http":
        # Not the text: it may hold a password.
        raise LocalError(
            "config",
            "%s names a proxy of the kind %s://, which ipcert does not speak; name an http:// proxy, or unset it."
            % (name, ascii(scheme)[1:-1]),
        )
    user, mark, place = rest.split("/")[0].rpartition("@")
    authorization = None
    if mark:
        from urllib.parse import unquote_to_bytes

        user, _, password = user.partition(":")
        pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
        authorization = "Basic " + base64.b64encode(pair).decode()
    host, _, port = place.rpartition(":") if place[-1:] != "]" and ":" in place else (place, "", "")
    bare = host[1:-1] if host[:1] == "[" and host[-1:] == "]" else host
    good = (
        bare
        and bare.isascii()
        and not set(bare) & set(' \t[]"<>\\^`{|}@?#')
        and (":" not in bare or bare != host)
    )
    if not good or port and not (port.isdigit() and 0 < int(port) < 65536):
        raise LocalError("config", "%s does not name a proxy; write it as http://HOST:PORT." % name)
    return bare, int(port or _PORT), authorization


def _listed(host: str, direct: Sequence[str]) -> bool:
    """True for a host that is asked without the proxy. `host` without brackets."""
    if direct == ["*"]:
        return True
    host = host.lower().rstrip(".")
    address = _address(host)
    for entry in direct:
        if address is not None:
            import ipaddress

            try:
                if address in ipaddress.ip_network(entry, strict=False):
                    return True
            except ValueError:
                continue  # a name
        else:
            entry = entry.strip(".")
            if entry and (host == entry or host.endswith("." + entry)):
                return True
    return False


def _address(host: str) -> IPv4Address | IPv6Address | None:
    # The module costs memory that names need not pay.
    if ":" not in host and not host.replace(".", "").isdigit():
        return None
    import ipaddress

    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
