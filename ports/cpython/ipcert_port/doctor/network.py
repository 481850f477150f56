"""What a validation meets here: the addresses, what answers on port 80 or 443, and where the names lead."""

from __future__ import annotations

import os
import socket
import ssl

from ipcert import identifiers
from ipcert.acme import challenge
from ipcert.errors import Error, LocalError

from ..address import interfaces
from ..address.discovery import doubted, known
from ..port import lock
from .findings import halves
from .port_owner import holder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from ipcert.identifiers import Identifier

    from ..address.interfaces import Own
    from ..config.reader import Config
    from ..port.state import State
    from .findings import Findings

_SECONDS = 5
_HEAD = 4096  # bytes of an answer


def find(config: Config, state: State | None, findings: Findings) -> None:
    """Find the addresses that the configuration wants found. `state`: `state.State` or None."""
    for family in config.address.families:
        text, why = config.address.find(family, known(state, family) if state else ())
        if text is None:
            findings.bad("address", *halves(why))
        else:
            config.found[family] = text
            _doubts(state, family, text, findings)


def _doubts(state: State | None, family: int, text: str, findings: Findings) -> None:
    doubts = doubted(state, family) if state else ()
    for one in doubts:
        if one != text:
            words = "%s is found now, and not %s, whose certificate stays in service until more than that says that it is gone."
            findings.ok("address", words % (text, one))


def check(config: Config, issuers: Sequence[str], findings: Findings) -> None:
    """Look at addresses, ports and names, as far as the chosen challenges need them. `issuers`: the CA's CAA names."""
    own = _own()
    _addresses(config, own, findings)
    ways = _ways(config)
    if "http-01" in ways:
        if config.webroot is None:
            _port(config, findings)
        else:
            _webroot(config, findings)
    if "tls-alpn-01" in ways:
        _alpn(config, findings)
    names = [i for i in config.identifiers if not i.family]
    if names and challenge.find(config.policy.challenge_name).resolves:
        _names(config, names, own, findings)
    elif names:
        _dns(config, names, findings)
    if names and issuers:
        _caa(config, names, issuers, findings)


def _ways(config: Config) -> set[str]:
    families = {bool(i.family) for i in config.identifiers}
    policy = config.policy
    return {policy.challenge_ip if ip else policy.challenge_name for ip in families}


def _own() -> dict[str, Own]:
    """address text -> `interfaces.Own`."""
    try:
        return {identifiers.format_ip(one.raw): one for one in interfaces.read()}
    except OSError:
        return {}


# Addresses.


def _addresses(config: Config, own: Mapping[str, Own], findings: Findings) -> None:
    for one in config.identifiers:
        if not one.family:
            continue
        check = "address"
        try:
            identifiers.check_public(one, config.policy.test_ca)
        except LocalError as e:
            findings.error(check, e)
            continue
        here = own.get(one.value)
        others = [
            text
            for text, o in own.items()
            if len(o.raw) == len(one.raw) and not o.trouble and identifiers.scope(o.raw) == "public"
        ]
        if here is not None and here.trouble in ("temporary", "deprecated", "duplicate", "tentative"):
            text = "%s is %s on %s: it will not be this machine's for long." % (
                one.value,
                here.trouble,
                here.name,
            )
            findings.bad(check, text, _instead([o for o in others if o != one.value]))
        elif here is not None:
            findings.ok(check, "%s, on %s." % (one.value, here.name))
        elif others:
            text = "%s is not this machine's: that has %s." % (one.value, ", ".join(others))
            findings.bad(check, text, _instead(others))
        elif one.family == 6 and own:
            text = "%s is on no interface of this machine." % one.value
            findings.bad(check, text, _instead(others))
        elif one.family in config.found:
            findings.ok(check, "%s, by the router, which must send the CA's connections here." % one.value)
        else:
            text = "%s, by another machine in front of this one, which must send the CA's connections here."
            findings.ok(check, text % one.value)


def _instead(others: Sequence[str]) -> str:
    if others:
        return "Write %s in identifiers.addresses." % " or ".join(others)
    return "Correct identifiers.addresses, or leave it out and certify the name alone."


# Port 80.


def _port(config: Config, findings: Findings) -> None:
    """Open what a validation opens, and ask it as the CA would."""
    from ..solvers.responder import Responder, by_port

    token, text = _secret()
    for port, hosts in by_port(config.listen).items():
        check = "port %d" % port
        responder = Responder(hosts, port)
        responder.publish(token, text)
        try:
            responder.start()
            head, body = _fetch((hosts or ["127.0.0.1"])[0], port, token)
        except LocalError as e:
            _taken(config, check, port, e, "Stop it; or let it answer for us: http01.webroot.", findings)
            continue
        except OSError as e:
            text = "It is free, but nothing gets through to it: %s." % (e.strerror or str(e)).lower()
            findings.bad(
                check, text, "Look for a firewall on this machine (nft list ruleset), and for http01.listen."
            )
            continue
        finally:
            responder.close()
        if body == text:
            findings.ok(check, "It is free, and answers.")
        else:
            findings.bad(check, *_foreign(head, port))


def _taken(config: Config, check: str, port: int, error: Error, fix: str, findings: Findings) -> None:
    """A port that could not be had."""
    pid, who = holder(port)
    if pid and pid == lock.holder(config.state, lock.ORDERS):
        findings.ok(check, "ipcert has it: a validation is under way.")
    elif pid:
        findings.bad(check, "%s has port %d, where the CA validates." % (who, port), fix)
    else:
        findings.error(check, error)


def _webroot(config: Config, findings: Findings) -> None:
    """Put a file where a validation puts one, ask the web server for it, and take it away again."""
    from ..solvers.responder import Webroot

    port = config.listen[0][1]
    host = config.listen[0][0] or "127.0.0.1"
    token, text = _secret()
    if not os.path.isdir(config.webroot):
        findings.bad("webroot", "There is no folder %s." % config.webroot, "Correct http01.webroot.")
        return
    made = _missing(os.path.join(config.webroot, ".well-known", "acme-challenge"))
    way = Webroot(config.webroot)
    try:
        way.publish(token, text)
        head, body = _fetch(host, port, token)
    except LocalError as e:
        findings.error("webroot", e)
        return
    except OSError as e:
        text = "Nothing answers on port %d: %s." % (port, (e.strerror or str(e)).lower())
        findings.bad("webroot", text, "Start the web server whose folder that is, or remove http01.webroot.")
        return
    finally:
        _quietly(way.withdraw, token)
        for folder in made:
            _quietly(os.rmdir, folder)
    if body == text:
        findings.ok("webroot", "%s is what port %d shows." % (config.webroot, port))
    elif head.split(b" ")[1:2] in ([b"301"], [b"302"], [b"307"], [b"308"]):
        findings.skipped("webroot", "port %d redirects; the CA follows, and doctor does not." % port)
    else:
        findings.bad("webroot", *_foreign(head, port, config.webroot))


def _foreign(head: bytes, port: int, webroot: str | None = None) -> tuple[str, str]:
    who = holder(port)[1] or "Something else"
    status = head.split(b"\r\n")[0].decode("latin-1")[:80]
    text = "%s answers on port %d, and does not show the CA what we have for it (%r)." % (who, port, status)
    if webroot:
        return (
            text,
            "Make http01.webroot that server's folder for /.well-known/acme-challenge/; now it is %s."
            % webroot,
        )
    return (
        text,
        "Stop it; or remove what leads port %d elsewhere (containers: docker ps; rules: nft list ruleset)."
        % port,
    )


def _missing(folder: str) -> list[str]:
    """The folders of a path that are not there yet, the innermost first."""
    out = []
    while not os.path.lexists(folder):
        out.append(folder)
        folder = os.path.dirname(folder)
    return out


def _quietly(act: Callable[[str], object], what: str) -> None:
    try:
        act(what)
    except (OSError, Error):
        return  # what could not be put there cannot be taken away


def _secret() -> tuple[str, str]:
    """(token, key authorization) that nobody can guess, in the CA's form."""
    import base64

    token = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
    return token, token + "." + base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


def _fetch(host: str, port: int, token: str) -> tuple[bytes, str]:
    """(head, body as text) of the answer to the CA's question, asked from here. Raises OSError."""
    with socket.create_connection((host, port), _SECONDS) as sock:
        sock.settimeout(_SECONDS)
        where = "[%s]" % host if ":" in host else host
        request = "GET /.well-known/acme-challenge/%s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\n\r\n"
        sock.sendall((request % (token, where, port)).encode())
        data = b""
        while len(data) < _HEAD:
            piece = sock.recv(_HEAD)
            if not piece:
                break
            data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    return head, body.decode("latin-1").strip()


# Port 443, for tls-alpn-01.


def _alpn(config: Config, findings: Findings) -> None:
    from ..deploy import tls_server
    from ..solvers.shelf import PROTOCOL

    if config.alpn_shared is not None:
        from .machine import folder

        trouble = folder(config.alpn_shared, "tlsalpn.shared", 0o022)
        if trouble:
            findings.bad("tls-alpn-01", *trouble)
        else:
            findings.ok("tls-alpn-01", "Answered by 'ipcert serve', by way of %s." % config.alpn_shared)
        return
    host, port = config.alpn_listen[0]
    check = "port %d" % port
    try:
        server = tls_server.Server(tls_server.Chooser([]), config.alpn_listen)
    except LocalError as e:
        fix = "Stop it; or let it pass validations on: tlsalpn.listen and nginx.example.conf, or tlsalpn.shared."
        _taken(config, check, port, e, fix, findings)
        return
    try:
        server.start()
        reason = _handshake(host or "127.0.0.1", port, PROTOCOL.decode())
    finally:
        server.close()
    if "NO_APPLICATION_PROTOCOL" in reason:  # what ours says to a validation that it does not know
        findings.ok(check, "It is free, and answers.")
    else:
        text = "It is free, but what answers there is not us (%s)." % reason
        findings.bad(
            check,
            text,
            "Remove what leads port %d elsewhere (containers: docker ps; rules: nft list ruleset)." % port,
        )


def _handshake(host: str, port: int, protocol: str) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent or believed: only who answers is looked at
    context.set_alpn_protocols([protocol])
    try:
        with socket.create_connection((host, port), _SECONDS) as sock:
            sock.settimeout(_SECONDS)
            with context.wrap_socket(sock):
                return "a certificate is shown"
    except ssl.SSLError as e:
        return (e.reason or str(e)).replace(" ", "_").upper()  # not every OpenSSL's words are known to Python
    except OSError as e:
        return (e.strerror or str(e)).lower()


# Names.


def _names(config: Config, names: Sequence[Identifier], own: Mapping[str, Own], findings: Findings) -> None:
    """Each name must lead to this home: to its addresses, or to this machine's."""
    ours = {i.value for i in config.identifiers if i.family}
    ours |= {text for text in own if config.policy.test_ca or own[text].trouble != "local"}
    # Of a family that has none of ours in public view, nothing can be said here.
    known = {
        family
        for family, size in ((4, 4), (6, 16))
        if any(i.family == family for i in config.identifiers)
        or any(
            len(one.raw) == size and not one.trouble and identifiers.scope(one.raw) == "public"
            for one in own.values()
        )
        or family == 6
        and own
    }
    for name in names:
        check = "name"
        if name.value[:2] == "*.":
            text = "%s is a wildcard, which %s cannot prove." % (name.value, config.policy.challenge_name)
            findings.bad(check, text, 'Set challenge.name = "dns-01" or "dns-persist-01".')
            continue
        try:
            found = _resolve(config, name.value)
        except LocalError as e:
            findings.error(check, e)
            continue
        if not found:
            text = "%s does not resolve: the DNS has no address for it." % name.value
            fix = 'Give it an A or AAAA record that is this home\'s address; or prove it without: challenge.name = "dns-01".'
            findings.bad(check, text, fix)
            continue
        strange = [a for a in found if a not in ours and (6 if ":" in a else 4) in known]
        if strange:
            findings.bad(check, *_elsewhere(name.value, strange, ours, config))
        elif [a for a in found if a in ours]:
            findings.ok(check, "%s is at %s." % (name.value, ", ".join(found)))
        else:
            text = "%s is at %s; whether that is this home cannot be known from here."
            findings.ok(check, text % (name.value, ", ".join(found)))


def _elsewhere(name: str, strange: Sequence[str], ours: Collection[str], config: Config) -> tuple[str, str]:
    text = "%s leads elsewhere: to %s." % (name, ", ".join(strange))
    if not config.dns.resolvers and [a for a in strange if identifiers.parse(a).scope != "public"]:
        return (
            text,
            "Your network may answer for itself; name a public resolver in dns.resolvers to see what the CA sees.",
        )
    kind = "AAAA" if ":" in strange[0] else "A"
    want = sorted(
        [a for a in ours if (":" in a) == (kind == "AAAA") and identifiers.parse(a).scope == "public"]
    )
    fix = "Change its %s record%s" % (kind, " to " + " or ".join(want) if want else ", or remove it")
    return text, fix + '; or prove the name without it: challenge.name = "dns-01".'


def _resolve(config: Config, name: str) -> list[str]:
    """The addresses (texts) of a name. Raises LocalError("dns") where nobody answers."""
    if config.dns.resolvers:
        from ..solvers.dns.queries import Dns

        return Dns(config.dns.resolvers).addresses(name)
    try:
        found = socket.getaddrinfo(name, None, 0, socket.SOCK_STREAM)
    except socket.gaierror as e:
        if e.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)):
            return []
        text = "The DNS does not say where %s is: %s; check this machine's resolver (/etc/resolv.conf)."
        raise LocalError("dns", text % (name, (e.strerror or "no answer").lower())) from None
    return sorted({str(address[4][0]) for address in found})


def _dns(config: Config, names: Sequence[Identifier], findings: Findings) -> None:
    """For the DNS challenges: that there is a zone, and someone who changes it."""
    try:
        ask, provider = config.dns.make()
        row = challenge.find(config.policy.challenge_name)
        if provider is None and not row.lasting:
            findings.bad("dns", "%s needs to know who changes your zone." % row.name, "Set dns.provider.")
            return
        for name in names:
            # The account need not be there yet: any label is in the same zone, but for one that was delegated by itself.
            record = row.record.replace("%s", "account") + (
                name.value[2:] if name.value[:2] == "*." else name.value
            )
            record = ask.target(record)
            ask.servers(record)
            if provider is not None:
                provider.look(record)
    except LocalError as e:
        findings.error("dns", e)
        return
    if provider is None:
        findings.ok(
            "dns", "The zone's servers are known; its record is yours to make ('ipcert issue' says which)."
        )
    else:
        findings.ok("dns", "The zone's servers are known, and so is who changes it.")


def _caa(config: Config, names: Sequence[Identifier], issuers: Sequence[str], findings: Findings) -> None:
    """Whether the names' zones let this CA certify them (RFC 8659)."""
    from ..solvers.dns.queries import Dns

    try:
        ask = Dns(config.dns.resolvers)
        for name in names:
            wild = name.value[:2] == "*."
            at, found = ask.caa(name.value[2:] if wild else name.value)
            tags = [tag for tag, _ in found]
            tag = "issuewild" if wild and "issuewild" in tags else "issue"
            granted = [value.split(";")[0].strip().lower() for t, value in found if t == tag]
            if granted and not [issuer for issuer in granted if issuer in issuers]:
                text = "The CAA records of %s let others certify %s (%s), not this CA."
                fix = 'Add one there: 0 %s "%s".' % (tag, issuers[0])
                findings.bad("CAA", text % (at, name.value, ", ".join([g or "nobody" for g in granted])), fix)
                return
    except LocalError as e:
        if "dnspython" in str(e):
            findings.skipped("CAA", "not looked at, for want of the package dnspython.")
        else:
            findings.error("CAA", e)
        return
    findings.ok("CAA", "The DNS lets this CA certify the names.")
