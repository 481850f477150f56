"""`ipcert-nginx`: the nginx configuration that shows a scanner nothing more than it knew (docs/privacy.md#p11), from what is deployed.

nginx by itself cannot tell a connection without a server name from one with a wrong name: both get `default_server`. Its
stream module can: port 443 is a stream server that reads the ClientHello and hands the connection on, to the address's
server, to the name's, or to one that answers unrecognized_name. Each of those has a certificate and session ticket keys
of its own, and answers 421 to a Host that its certificate does not cover.

It runs as root, because nginx does. `handover` takes chains and keys from ipcert's folder, and nginx is shown copies in a
folder of root's: so nginx starts whatever lies in ipcert's folder. What certificates say they are for is written into the
configuration as data: whoever has taken over ipcert's user writes no directive, and keeps no other certificate from its place.

The text is put together by str.format and not by Jinja2: root would read what one more package writes, Jinja2 escapes for HTML
and not for nginx, and what keeps directives out is that names are written as expressions, with either.
"""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
import sys

from ipcert import identifiers
from ipcert.errors import Error, LocalError

from .. import exit_codes
from ..port import files
from . import handover
from .folders import FULLCHAIN, KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import NoReturn

SOCKETS = "/run/ipcert-nginx"
FOLDER = "/etc/nginx/ipcert"
COPIES = "/var/lib/ipcert-nginx"
STREAM, HTTP = "stream.conf", "http.conf"
_SECONDS = 60  # for nginx's own look at its configuration
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
    # nginx's own is the size of a cache line, too small for a name of 47 letters, on 32-bit ARM for one of 20.
    map_hash_bucket_size 512;
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
    """One deployed lineage: `texts`, its identifiers in canonical form; `folder`, the name of its folder; `path`, where its
    chain and key are; `since`, when its certificate began (a Unix second)."""

    def __init__(self, folder: str, texts: Sequence[str], path: str, since: float = 0) -> None:
        self.folder = folder
        self.texts = sorted(texts)
        self.path = path
        self.since = since
        self.names = [t for t in self.texts if not identifiers.parse(t).family]

    def addresses(self, family: int) -> list[str]:
        """Its addresses of family 4 or 6, as text."""
        return [t for t in self.texts if identifiers.parse(t).family == family]


def deployed(
    folder: str,
    copies: handover.Copies | None = None,
    passed_over: Callable[[str, str], object] = lambda name, reason: None,
) -> list[Site]:
    """The `Site`s under a deploy folder, sorted by name. What is not exactly as ipcert leaves it is passed over, with a reason.

    copies    `handover.Copies` where what was taken is kept, and served from; None: it is only looked at
    """
    found = []
    for one in handover.take(folder, passed_over):
        path = os.path.join(folder, one.folder)
        if copies is not None:
            try:
                path = copies.put(one)
            except handover.Refused as e:
                passed_over(one.folder, str(e))
                continue
        found.append(Site(one.folder, one.texts, path, one.since))
    return found


def configuration(
    sites: Sequence[Site],
    name_on: str = "all",
    alpn: str | None = None,
    port: int = 443,
    ipv6: bool = True,
    folder: str = FOLDER,
    found: Sequence[int] = (),
) -> dict[str, str]:
    """{file name: text} for nginx.

    sites     list of `Site`
    name_on   "lan": names are shown to local clients only
    alpn      "host:port" where ipcert answers tls-alpn-01, or None
    port      that nginx listens on; ipv6: listen there, too
    folder    where site-name.conf and site-address.conf may be, with what the owner wants served
    found     families whose address was found by looking: of several that are served, all but one are doubted
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
        named.update({'"~*^%s$"' % _pattern(name): target for name in site.names})
    servers = ""
    for family in (4, 6) if ipv6 else (4,):
        own = {a: "unix:" + sockets[s.folder] for s in sites for a in s.addresses(family)}
        # Behind NAT the connection's own address is a private one; there is one public one it can stand for: of those that were
        # found one after the other, the one that the CA has seen last.
        mine = [s for s in sites if s.addresses(family)]
        alone = _reject()
        if len(mine) == 1 or mine and family in found:
            alone = "unix:" + sockets[max(mine, key=lambda s: s.since).folder]
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
        http += _site(site, sockets[site.folder], folder)
    uses = "Link to it from /etc/nginx/%s, with a name that ends in .conf."
    return {
        STREAM: _TOP.format(use=uses % "modules-enabled") + _STREAM.format(maps=maps, servers=servers),
        HTTP: _TOP.format(use=uses % "conf.d") + http,
    }


def _site(site: Site, socket: str, folder: str) -> str:
    content = os.path.join(folder, "site-name.conf" if site.names else "site-address.conf")
    hosts = ['"~^%s$"' % _pattern("[%s]" % text if ":" in text else text) for text in site.texts]
    return _SITE.format(
        title=", ".join(site.texts),
        socket=socket,
        chain=os.path.join(site.path, FULLCHAIN),
        key=os.path.join(site.path, KEY),
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


def _pattern(text: str) -> str:
    """An identifier as a regular expression for nginx, inside quotes and without its ends.

    Expressions and not plain words: a plain "default", "include" or "hostnames" is a directive to a map, and a long name
    more than its table takes. A wildcard stands for one label, where nginx's own would take more.
    """
    if text[:2] == "*.":
        return "[^.]+" + re.escape(text[1:]).replace("\\-", "-")
    return re.escape(text).replace("\\-", "-").replace("\\:", ":")


def write(folder: str, texts: Mapping[str, str]) -> Callable[[], None]:
    """Write {name: text} into `folder`; returns what undoes it, a function. Raises LocalError("deploy")."""
    before = {}
    try:
        files.folder(folder)
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
    with open(files.create(path + ".new", 0o644), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".new", path)


def reload(undo: Callable[[], None]) -> None:
    """Check nginx's configuration and let it be read. Raises LocalError("hook") after `undo` where nginx refuses it."""
    try:
        done = subprocess.run(
            ["nginx", "-q", "-t"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        undo()
        raise LocalError(
            "hook", "nginx did not say within %d s what it thinks of its configuration." % _SECONDS
        ) from None
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
    # Without waiting: nginx may take its time.
    command = ["systemctl", "--no-block", "try-reload-or-restart", "nginx.service"]
    if subprocess.run(command, stdin=subprocess.DEVNULL).returncode:
        raise LocalError("hook", "systemctl could not reload nginx; see: systemctl status nginx")


def main(argv: list[str] | None = None) -> NoReturn:
    """Print the configuration; or, with --write and --reload, put it in place. Exits like `ipcert` does."""
    import argparse

    from ..cli.output import Output
    from ..config.reader import DEFAULT, load

    output = Output()
    parser = argparse.ArgumentParser(
        prog="ipcert-nginx",
        description="nginx's configuration for the certificates that ipcert has deployed.",
    )
    parser.add_argument("--config", metavar="FILE", default=DEFAULT, help="ipcert's (%(default)s)")
    parser.add_argument("--port", type=int, default=443, help="that nginx listens on (%(default)s)")
    parser.add_argument(
        "--write", metavar="FOLDER", nargs="?", const=FOLDER, help="write it there (%(const)s) instead"
    )
    parser.add_argument(
        "--copies", metavar="FOLDER", default=COPIES, help="of root's, for chains and keys (%(default)s)"
    )
    parser.add_argument("--reload", action="store_true", help="have nginx check and read it")
    parser.add_argument("--flag", metavar="FILE", help="by which the service says that something changed")
    args = parser.parse_args(argv)
    try:
        # First, so that a deploy from now on starts this again.
        if args.flag:
            handover.acknowledge(args.flag)
        config = load(args.config)
        local = [e for e in config.alpn_listen if e[0] in ("127.0.0.1", "::1")]
        alpn = ("[%s]:%d" if ":" in local[0][0] else "%s:%d") % local[0] if local else None
        kept = handover.Copies(args.copies) if args.write else None
        sites = deployed(config.deploy, kept, _passed_over)
        texts = configuration(
            sites,
            config.name_on,
            alpn,
            args.port,
            os.path.exists("/proc/net/if_inet6"),
            args.write or FOLDER,
            config.address.families,
        )
        undo = write(args.write, texts) if args.write else None
        if args.reload:
            reload(undo or (lambda: None))
        if kept is not None:
            kept.sweep([site.path for site in sites])
        if not args.write:
            print("\n".join("# %s\n%s" % (name, texts[name]) for name in sorted(texts)))
    except Error as e:
        print("ipcert-nginx: %s" % e, file=sys.stderr)
        sys.exit(exit_codes.code(e))
    sys.exit(exit_codes.OUTPUT if output.lost() else exit_codes.OK)


def _passed_over(name: str, reason: str) -> None:
    # The name is a stranger's too.
    print("ipcert-nginx: passed over %r: %s" % (name[:64], reason), file=sys.stderr)


if __name__ == "__main__":
    main()
