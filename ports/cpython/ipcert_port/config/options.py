"""Every setting there is, once: the reader, `ipcert init`, `--help` and the router's reader take it from this table.

A row says how the setting is written, what it means, and where it goes. Whoever adds a choice of the owner's adds it to
`ipcert.policy.Policy` and a row here, and runs `tools/docs`, which writes the router's rows. A default stands here as the owner
would write it, and is read as theirs is.
"""

from __future__ import annotations

from collections import namedtuple

from ipcert import limits

from . import kinds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Callable, Union

    Kind = Union[Callable[[str, Any, str], Any], dict[str, Any]]

HEAD = """\
# ipcert: one certificate for your name, one for your address, and nothing in the public record that ties them together.
# Copy to /etc/ipcert.toml and change what stands under [identifiers]. What is commented out shows the default.
"""


class Option(namedtuple("Option", "name kind default shown active policy router explanation")):
    """A setting.

    name       "section.key"
    kind       a function of `kinds`, or a dictionary: the texts that may stand there, and what each is used as
    default    as in the file; None: nothing
    shown      what the example has in its place, where the default would not say how it is written
    active     the example sets it, not only a comment
    policy     the parameter of `ipcert.policy.Policy` that it is, or None; router: its name in a router's file, or None
    explanation   for the owner, in lines; "" where the option before has said it
    """

    def read(self, value: Any, folder: str) -> Any:
        """The value that is used for the one in the file. Raises LocalError("config")."""
        if isinstance(self.kind, dict):
            return kinds.choice(self.name, value, self.kind)
        return self.kind(self.name, value, folder)

    def preset(self) -> Any:
        """The value that is used where the file has none."""
        return None if self.default is None else self.read(self.default, "/")


def _option(
    name: str,
    kind: Kind,
    default: Any,
    explanation: str = "",
    shown: Any = None,
    active: bool = False,
    policy: str | None = None,
    router: str | None = None,
) -> Option:
    return Option(name, kind, default, shown, active, policy, router, explanation)


# fmt: off
TABLE = (
    _option("identifiers.names", kinds.texts, [], shown=["nas.example.net"], active=True, router="names", explanation="""
        All names share one certificate; every address has its own. International names may be written as they are spelt.
        Instead of an address "ipv4" or "ipv6": this home's own is found, and followed when it changes; see [address]."""),
    _option("identifiers.addresses", kinds.texts, [], shown=["198.51.100.42"], active=True, router="addresses"),
    _option("identifiers.combined", kinds.flag, False, policy="combined", explanation="""
        One certificate for names and addresses together. It tells everyone for ever whose address this was; you are shown the
        warning and asked for your consent first ('ipcert consent')."""),

    _option("ca.directory", kinds.text, "letsencrypt", router="directory", explanation="""
        A URL, or one of: letsencrypt, letsencrypt-staging, zerossl, google, google-staging; or a private step-ca:
        "step-ca:HOST", "step-ca:HOST:PORT/PROVISIONER" (set roots and test, too). ipcert never changes it by itself."""),
    _option("ca.eab_kid", kinds.text, "", policy="eab_kid", router="eab_kid", explanation="""
        CAs that know their customers (ZeroSSL, Google) give you these two: a key's identifier, and a file with the key."""),
    _option("ca.eab_key_file", kinds.path, None, shown="/etc/ipcert-eab.key"),
    _option("ca.agree_terms", kinds.flag, False, active=True, policy="agree_terms", router="agree_terms", explanation="""
        The CA's terms of service; nothing is ordered before you agree."""),
    _option("ca.contacts", kinds.contacts, [], shown=["you@example.net"], policy="contacts", router="contacts", explanation="""
        Optional: who the CA may write to."""),
    _option("ca.roots", kinds.path, None, shown="/etc/ipcert-roots.pem", explanation="""
        A PEM file with the roots that the CA's own web site is checked against; without it, the system's."""),
    _option("ca.test", kinds.flag, False, policy="test_ca", router="test", explanation="""
        A private test CA, such as Pebble: private and loopback addresses are allowed there."""),

    _option("address.source", {word: word for word in ("auto", "interface", "router", "command")}, "auto", """
        Where "ipv4" and "ipv6" come from. "auto": this machine's interfaces; where those have no public IPv4 address, the
        router is asked (NAT-PMP, UPnP). "interface", "router": only those. "command": a program prints it. Nobody outside is
        asked, unless that program does. Temporary IPv6 addresses are never taken; private and shared ones (CGNAT) refused."""),
    _option("address.interfaces", kinds.texts, [], """
        Only these interfaces; by default all."""),
    _option("address.command", kinds.texts, [], """
        With source = "command": a program and its arguments, no shell; run once a minute by 'ipcert run'."""),

    _option("policy.urgent", kinds.text, "ip", policy="urgent", router="urgent", explanation="""
        Which certificate is wanted at once: "ip", "domain" or "both". The other one waits a random time up to first_delay, so
        that nobody can match the two by the moment they appeared. ("both" makes that one day.)"""),
    _option("policy.first_delay", kinds.duration, None, shown="14d", policy="first_delay", router="first_delay"),
    _option("policy.recovery", {"fast": limits.HOUR, "balanced": 14 * limits.DAY, "private": 28 * limits.DAY}, "balanced",
        policy="recovery", router="recovery", explanation="""
        After a long absence the urgent certificate is back at once, and the other one within a random time up to this, even if it
        expires meanwhile: "fast" (1 h), "balanced" (14 d), "private" (28 d). The sooner, the easier the two are matched."""),
    _option("policy.setting", kinds.text, "home", policy="setting", explanation="""
        "public": a server in a data centre, whose name and address are no secret."""),
    _option("policy.strict_ari", kinds.flag, False, policy="strict_ari", router="strict_ari", explanation="""
        Renew inside the window that the CA suggests. That window is narrow, so it hides less."""),
    _option("policy.min_ip_age", kinds.duration, "24h", policy="min_ip_age", router="min_ip_age", explanation="""
        How long a new address must have lasted before it gets a certificate, where the last one lasted less than 72 h."""),
    _option("policy.profile_name", kinds.text, "", policy="profile_name", router="profile_name", explanation="""
        Certificate profiles by the CA's names; by default "shortlived" for addresses and the longest one for names."""),
    _option("policy.profile_ip", kinds.text, "", policy="profile_ip", router="profile_ip"),
    _option("policy.preferred_chain", kinds.text, "", policy="preferred_chain", router="preferred_chain", explanation="""
        Where the CA offers several chains: "smallest", or a part of the top issuer's name."""),
    _option("policy.compress", kinds.number, 1, policy="compress", router="compress", explanation="""
        Divides the random delays. For demonstrations with a test CA only."""),

    _option("challenge.name", kinds.text, "http-01", policy="challenge_name", router="challenge_name", explanation="""
        How control is proved: "http-01", "tls-alpn-01", and for names "dns-01", "dns-account-01" or "dns-persist-01" too.
        The DNS ones need no name that resolves to your address, so they are preferred for the name; a wildcard needs one of them."""),
    _option("challenge.address", kinds.text, "http-01", policy="challenge_ip"),
    _option("challenge.accounturi", kinds.flag, None, shown=False, policy="accounturi", explanation="""
        Does your zone name the ACME account (accounturi)? dns-account-01 and dns-persist-01 do, and a CAA record may. Then
        addresses get a second account, so that nothing in DNS speaks of the one that orders for them. By default: with the
        first two. (Where eab_kid is good for one account only, as Google's is, write false.)"""),

    _option("http01.listen", kinds.endpoints, ["*:80"], """
        Where the CA's validation is answered. Open only while one is under way."""),
    _option("http01.webroot", kinds.path, None, shown="/var/www/html", explanation="""
        Or let a web server answer that has port 80 already: its document root."""),

    _option("tlsalpn.listen", kinds.endpoints, ["*:443"], """
        Where the CA's validation is answered. Open only while one is under way."""),
    _option("tlsalpn.shared", kinds.path, None, shown="/run/ipcert-alpn", explanation="""
        Or a folder that 'ipcert serve' shares with us, where it has port 443."""),

    _option("dns.provider", {word: word for word in ("", "rfc2136", "webhook", "exec")}, "", """
        Who changes the zone: "rfc2136" (dynamic updates with a TSIG key), "webhook" (lego's httpreq), "exec" (a program)."""),
    _option("dns.server", kinds.text, "", shown="192.0.2.53:53", explanation="""
        With "rfc2136": its server, the zone (asked for where it is empty), and the key."""),
    _option("dns.zone", kinds.text, ""),
    _option("dns.key_name", kinds.text, ""),
    _option("dns.key_file", kinds.path, None, shown="/etc/ipcert-tsig.key"),
    _option("dns.algorithm", kinds.text, "hmac-sha256"),
    _option("dns.url", kinds.text, "", shown="https://dns.example.net", explanation="""
        With "webhook": its URL, a PEM file with the roots to check it against, and a file with the token (sent as a Bearer)."""),
    _option("dns.roots", kinds.path, None, shown="/etc/ipcert-roots.pem"),
    _option("dns.token_file", kinds.path, None, shown="/etc/ipcert-dns.token"),
    _option("dns.command", kinds.texts, [], shown=["/usr/local/bin/set-txt"], explanation="""
        With "exec": a program, called with present|cleanup, the name and the text. No shell."""),
    _option("dns.timeout", kinds.duration, "5m", """
        How long the zone's own servers may take to show a record."""),
    _option("dns.resolvers", kinds.servers, [], """
        Resolvers to ask, and servers to check instead of the zone's own; addresses, such as ["192.0.2.53:53"]."""),
    _option("dns.authoritative", kinds.servers, []),

    _option("fleet.devices_per_week", kinds.number, 0, """
        For makers: devices with names under one domain share the CA's limit of 50 certificates in a week. How many devices
        enrol in a week, so that 'ipcert plan' can say in time that it is too many; and the domain the CA counts, where the
        public suffix list (Python package publicsuffixlist) does not know it."""),
    _option("fleet.domain", kinds.text, ""),
    _option("fleet.spread", kinds.duration, "0s", policy="spread", router="spread", explanation="""
        After an update that brings ipcert to all devices at once: the first contact waits a random time up to this, too."""),

    _option("state.dir", kinds.path, "/var/lib/ipcert/state"),

    _option("deploy.dir", kinds.path, "/var/lib/ipcert/live", """
        DIR/<name>/ gets fullchain.pem, privkey.pem, chain.pem and cert.pem; each change is one atomic switch."""),
    _option("deploy.server", kinds.text, "", """
        "nginx" or "caddy": the server is told to read the files again after each change. See nginx.example.conf and
        Caddyfile.example for what to write there; a server's own configuration file is only needed where it is another one."""),
    _option("deploy.server_config", kinds.path, None, shown="/etc/nginx/nginx.conf"),
    _option("deploy.group", kinds.text, "", """
        A group that may read the keys (0640 instead of 0600), for a server that does not start as root, such as Caddy."""),
    _option("deploy.copy", kinds.texts, [], shown=["nas.example.net/combined.pem:/etc/lighttpd/{name}.pem"], explanation="""
        Copies for programs that want a file at a place of their own: "NAME/FILE:PATH", where "*" is every certificate and
        {name} its name. FILE may also be combined.pem: key and chain together. Tell the program with a hook."""),
    _option("deploy.hook", kinds.texts, [], """
        Run after each change: a program and its arguments, no shell. See IPCERT_LINEAGE, IPCERT_DIR, IPCERT_FULLCHAIN,
        IPCERT_PRIVKEY, IPCERT_CHAIN, IPCERT_CERT, IPCERT_IDENTIFIERS, IPCERT_NOT_AFTER, IPCERT_EVENT (deployed | retired).""", shown=["systemctl", "reload", "nginx"]),
    _option("deploy.hook_timeout", kinds.duration, "2m"),

    _option("serve.listen", kinds.endpoints, [], shown=["*:8443"], explanation="""
        For 'ipcert serve', a page to try the certificates with."""),
    _option("serve.name_on", {word: word for word in ("all", "lan")}, "all", """
        "lan" shows the name's certificate to local clients only."""),
)
# fmt: on

SECTIONS: dict[str, dict[str, Option]] = {}
"""section -> key -> Option"""
for _one in TABLE:
    SECTIONS.setdefault(_one.name.partition(".")[0], {})[_one.name.partition(".")[2]] = _one


def instead(name: str) -> str:
    """The words of `--help` about an argument that stands for the option `name` during one run."""
    section, _, key = name.partition(".")
    first = " ".join(SECTIONS[section][key].explanation.split()).partition(". ")[0].rstrip(".")
    return "instead of %s, for this run. %s." % (name, first)


def example(given: Mapping[str, Any]) -> str:
    """The file that explains every setting; `given`: name -> another value than the one that is shown."""
    import json

    lines = [HEAD]
    for section in SECTIONS:
        lines.append("[%s]" % section)
        for key, option in SECTIONS[section].items():
            lines += ["# " + line.strip() for line in option.explanation.strip().splitlines()]
            shown = option.default if option.shown is None else option.shown
            value = json.dumps(given.get(option.name, shown), ensure_ascii=False)
            active = option.active or option.name in given
            lines.append("%s%s = %s" % ("" if active else "# ", key, value))
        lines.append("")
    return "\n".join(lines)
