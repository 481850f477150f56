"""`ipcert-nginx`: the nginx configuration that shows a scanner nothing more than it knew (docs/privacy.md#p11), from what is deployed.

nginx by itself cannot tell a connection without a server name from one with a wrong name: both get `default_server`. Its
stream module can: port 443 is a stream server that reads the ClientHello and hands the connection on, to the address's
server, to the name's, or to one that answers unrecognized_name. Each of those has a certificate and session ticket keys
of its own, and answers 421 to a Host that its certificate does not cover.

It runs as root, because nginx does, and takes nothing from ipcert's folder but names of folders and what certificates
say they are for, both checked: whoever has taken over ipcert's user cannot write directives.

The text is put together by str.format and not by Jinja2: root would read what one more package writes, Jinja2 escapes for HTML
and not for nginx, and what keeps directives out are the checks above, with either.
"""

from __future__ import annotations

import ipaddress
import os
import subprocess
import sys

from ipcert import identifiers
from ipcert.errors import Error, LocalError

from .. import exit_codes
from .folders import CERT, FULLCHAIN, KEY, folder_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import NoReturn

SOCKETS = "/run/ipcert-nginx"
FOLDER = "/etc/nginx/ipcert"
STREAM, HTTP = "stream.conf", "http.conf"
_LINEAGES = 64  # as many folders are looked at
_CERTIFICATE = 65536  # bytes of one cert.pem
_LOCAL = (
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "::1",
    "fc00::/7",
    "fe80::/10",
)

_TOP = """# Written by ipcert-nginx from what is deployed; written again after every change there.
# {use}
"""
_STREAM = """stream {{
{maps}
    # TLS servers on this machine; what they send carries the client's address.
    proxy_protocol on;
    proxy_connect_timeout 10s;
    ssl_preread on;
    preread_timeout 10s;
{servers}}}
"""
_LISTEN = """
    server {{
        listen {listen};
        proxy_pass ${target};
    }}
"""
_ALPN = """
    # tls-alpn-01 (RFC 8737): the CA's validations go to ipcert, which knows no PROXY protocol.
    server {{
        listen unix:{sockets}/alpn.sock proxy_protocol;
        ssl_preread off;
        proxy_protocol off;
        proxy_pass {alpn};
    }}
"""
_COMMON = """    ssl_protocols TLSv1.2 TLSv1.3;
    set_real_ip_from unix:;
    real_ip_header proxy_protocol;
    server_tokens off;
"""
_REJECT = """
# Any other server name: the alert unrecognized_name.
server {{
    listen unix:{sockets}/reject.sock ssl proxy_protocol;
    ssl_reject_handshake on;
    server_tokens off;
}}
"""
_SITE = """
# {title}
server {{
    listen unix:{socket} ssl http2 proxy_protocol default_server;
    ssl_certificate {chain};
    ssl_certificate_key {key};
{common}    # A Host that this certificate is not for.
    return 421;
}}
server {{
    listen unix:{socket} ssl http2 proxy_protocol;
    server_name {hosts};
    ssl_certificate {chain};
    ssl_certificate_key {key};
{common}    {content}
}}
"""


class Site:
    """One deployed lineage: `texts`, its identifiers in canonical form; `folder`, the name of its folder."""

    def __init__(self, folder: str, texts: Sequence[str]) -> None:
        self.folder = folder
        self.texts = sorted(texts)
        self.names = [t for t in self.texts if not identifiers.parse(t).family]

    def addresses(self, family: int) -> list[str]:
        """Its addresses of family 4 or 6, as text."""
        return [t for t in self.texts if identifiers.parse(t).family == family]


def deployed(folder: str) -> list[Site]:
    """The `Site`s under a deploy folder, sorted by name. What is not exactly as ipcert leaves it is passed over."""
    found: list[Site] = []
    try:
        entries = sorted(os.listdir(folder))
    except FileNotFoundError:
        return found
    for entry in [e for e in entries if not e.startswith(".")][:_LINEAGES]:
        link = os.path.join(folder, entry)
        if os.path.islink(link) and os.readlink(link).startswith(".%s@" % entry):
            texts = _texts(os.path.join(link, CERT))
            # Its name is that of one of its identifiers, and so holds no character that means anything to nginx.
            if entry in [folder_name([text]) for text in texts]:
                found.append(Site(entry, texts))
    return found


def _texts(path: str) -> list[str]:
    """The identifiers of the certificate in a PEM file in canonical form; none where it cannot be read."""
    from cryptography import x509

    try:
        with open(path, "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read(_CERTIFICATE))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        texts = names.get_values_for_type(x509.DNSName)
        texts += [str(a) for a in names.get_values_for_type(x509.IPAddress)]
        return [identifiers.parse(text).value for text in texts]
    except (OSError, ValueError, x509.ExtensionNotFound, Error):
        return []


def configuration(
    sites: Sequence[Site],
    live: str,
    name_on: str = "all",
    alpn: str | None = None,
    port: int = 443,
    ipv6: bool = True,
    folder: str = FOLDER,
) -> dict[str, str]:
    """{file name: text} for nginx.

    sites     list of `Site`; live: the folder that holds theirs
    name_on   "lan": names are shown to local clients only
    alpn      "host:port" where ipcert answers tls-alpn-01, or None
    port      that nginx listens on; ipv6: listen there, too
    folder    where site-name.conf and site-address.conf may be, with what the owner wants served
    """
    sockets = {site.folder: "%s/%d.sock" % (SOCKETS, k) for k, site in enumerate(sites)}
    maps = _geo(sites) if name_on == "lan" else ""
    named = {}
    for site in sites:
        target = "unix:" + sockets[site.folder]
        if name_on == "lan" and site.names:
            variable = "ipcert_lan%d" % list(sockets).index(site.folder)
            maps += _map("ipcert_local", variable, _reject(), [("1", target)])
            target = "$" + variable
        named.update({_server_name(name): target for name in site.names})
    servers = ""
    for family in (4, 6) if ipv6 else (4,):
        own = {a: "unix:" + sockets[s.folder] for s in sites for a in s.addresses(family)}
        # Behind NAT the connection's own address is a private one; there is one public one it can stand for.
        alone = list(own.values())[0] if len(set(own.values())) == 1 else _reject()
        here, target = "ipcert_here%d" % family, "ipcert_to%d" % family
        maps += _map("server_addr", here, alone, own.items())
        pairs = [('""', "$" + here), *own.items(), *named.items()]
        chosen = "ipcert_by_name%d" % family if alpn else target
        maps += _map("ssl_preread_server_name", chosen, _reject(), pairs)
        if alpn:
            maps += _map(
                "ssl_preread_alpn_protocols",
                target,
                "$" + chosen,
                [("acme-tls/1", "unix:%s/alpn.sock" % SOCKETS)],
            )
        listen = "[::]:%d ipv6only=on" % port if family == 6 else "0.0.0.0:%d" % port
        servers += _LISTEN.format(listen=listen, target=target)
    if alpn:
        servers += _ALPN.format(sockets=SOCKETS, alpn=alpn)
    http = _REJECT.format(sockets=SOCKETS)
    for site in sites:
        http += _site(site, sockets[site.folder], os.path.join(live, site.folder), folder)
    uses = "Link to it from /etc/nginx/%s, with a name that ends in .conf."
    return {
        STREAM: _TOP.format(use=uses % "modules-enabled") + _STREAM.format(maps=maps, servers=servers),
        HTTP: _TOP.format(use=uses % "conf.d") + http,
    }


def _site(site: Site, socket: str, path: str, folder: str) -> str:
    content = os.path.join(folder, "site-name.conf" if site.names else "site-address.conf")
    hosts = [_host(text) for text in site.texts]
    return _SITE.format(
        title=", ".join(site.texts),
        socket=socket,
        chain=os.path.join(path, FULLCHAIN),
        key=os.path.join(path, KEY),
        hosts=" ".join(hosts),
        common=_COMMON,
        content="include %s;" % content if os.path.exists(content) else "return 404; # or %s" % content,
    )


def _reject() -> str:
    return "unix:%s/reject.sock" % SOCKETS


def _geo(sites: Sequence[Site]) -> str:
    """Which clients are local: private addresses, and those that share a certified IPv6 address's /64."""
    near = [str(ipaddress.ip_network(a + "/64", strict=False)) for s in sites for a in s.addresses(6)]
    rows = "".join("        %s 1;\n" % net for net in [*_LOCAL, *sorted(set(near))])
    return "\n    geo $ipcert_local {\n        default 0;\n%s    }\n" % rows


def _map(source: str, name: str, default: str, pairs: Iterable[tuple[str, str]]) -> str:
    rows = "".join("        %s %s;\n" % pair for pair in pairs)
    return "\n    map $%s $%s {\n        default %s;\n%s    }\n" % (source, name, default, rows)


def _server_name(name: str) -> str:
    """A name as a key of a map. A wildcard stands for one label, where nginx's own would take more."""
    return '"~*^[^.]+%s$"' % name[1:].replace(".", r"\.") if name[:2] == "*." else name


def _host(text: str) -> str:
    """An identifier as `server_name` wants it."""
    if text[:2] == "*.":
        return '"~^[^.]+%s$"' % text[1:].replace(".", r"\.")
    return "[%s]" % text if ":" in text else text


def write(folder: str, texts: Mapping[str, str]) -> Callable[[], None]:
    """Write {name: text} into `folder`; returns what undoes it, a function. Raises LocalError("deploy")."""
    before = {}
    try:
        os.makedirs(folder, 0o755, exist_ok=True)
        for name in texts:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    before[name] = file.read()
            _replace(path, texts[name])
    except OSError as e:
        raise LocalError(
            "deploy", "Cannot write to %s: %s; run this as root." % (folder, (e.strerror or str(e)).lower())
        ) from None

    def undo() -> None:
        for name in texts:
            if name in before:
                _replace(os.path.join(folder, name), before[name])
            else:
                os.unlink(os.path.join(folder, name))

    return undo


def _replace(path: str, text: str) -> None:
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def reload(undo: Callable[[], None]) -> None:
    """Check nginx's configuration and let it be read. Raises LocalError("hook") after `undo` where nginx refuses it."""
    try:
        done = subprocess.run(
            ["nginx", "-q", "-t"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as e:
        undo()
        raise LocalError(
            "hook", "Cannot run nginx: %s; install it." % (e.strerror or str(e)).lower()
        ) from None
    if done.returncode:
        undo()
        last = done.stdout.decode("utf-8", "replace").strip().splitlines()[-2:]
        text = "nginx refuses its configuration and goes on with the one it has: %s"
        raise LocalError("hook", text % (" / ".join(last) or "no reason given"))
    # Without waiting: at boot we are what nginx waits for.
    command = ["systemctl", "--no-block", "try-reload-or-restart", "nginx.service"]
    if subprocess.run(command, stdin=subprocess.DEVNULL).returncode:
        raise LocalError("hook", "systemctl could not reload nginx; see: systemctl status nginx")


def main(argv: list[str] | None = None) -> NoReturn:
    """Print the configuration; or, with --write and --reload, put it in place. Exits like `ipcert` does."""
    import argparse

    from ..config.reader import DEFAULT, load

    parser = argparse.ArgumentParser(
        prog="ipcert-nginx",
        description="nginx's configuration for the certificates that ipcert has deployed.",
    )
    parser.add_argument("--config", metavar="FILE", default=DEFAULT, help="ipcert's (%(default)s)")
    parser.add_argument("--port", type=int, default=443, help="that nginx listens on (%(default)s)")
    parser.add_argument(
        "--write", metavar="FOLDER", nargs="?", const=FOLDER, help="write it there (%(const)s) instead"
    )
    parser.add_argument("--reload", action="store_true", help="have nginx check and read it")
    args = parser.parse_args(argv)
    try:
        config = load(args.config)
        local = [e for e in config.alpn_listen if e[0] in ("127.0.0.1", "::1")]
        alpn = ("[%s]:%d" if ":" in local[0][0] else "%s:%d") % local[0] if local else None
        texts = configuration(
            deployed(config.deploy),
            config.deploy,
            config.name_on,
            alpn,
            args.port,
            os.path.exists("/proc/net/if_inet6"),
            args.write or FOLDER,
        )
        undo = write(args.write, texts) if args.write else None
        if args.reload:
            reload(undo or (lambda: None))
        if not args.write:
            print("\n".join("# %s\n%s" % (name, texts[name]) for name in sorted(texts)))
    except Error as e:
        print("ipcert-nginx: %s" % e, file=sys.stderr)
        sys.exit(exit_codes.code(e))
    sys.exit(exit_codes.OK)


if __name__ == "__main__":
    main()
