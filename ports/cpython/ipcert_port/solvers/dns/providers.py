"""Who changes the zone for dns-01. A provider is any object with three methods:

    add(name, text)      have a TXT record `text` (str) at `name` (no final dot), beside those that stand there
    remove(name, text)   take exactly that one away again; harmless where it is gone
    look(name)           see that it could be asked for a record at `name`, and change nothing

All raise LocalError("dns") with a sentence that says what to do.
"""

from __future__ import annotations

import subprocess

from ipcert.errors import LocalError, RemoteError

from . import queries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from .queries import Dns

    class Provider(Protocol):
        def add(self, name: str, text: str) -> None: ...
        def remove(self, name: str, text: str) -> None: ...
        def look(self, name: str) -> None: ...


_TTL = 60
_SECONDS = 30
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")


class Rfc2136:
    """Dynamic updates (RFC 2136) with TSIG (RFC 8945), over TCP.

    server   (host, port) of the zone's primary; ask: `dnsask.Dns`
    key_name, secret (base64 text), algorithm   the TSIG key, as in named's `key` statement
    zone     the zone, "" to ask the DNS for it
    """

    def __init__(
        self,
        server: tuple[str, int],
        ask: Dns,
        key_name: str,
        secret: str,
        algorithm: str = "hmac-sha256",
        zone: str = "",
    ) -> None:
        self._dns = queries.library()
        import dns.tsigkeyring

        self._server = server
        self._ask = ask
        self._zone = zone.rstrip(".")
        self._algorithm = algorithm
        try:
            self._keyring = dns.tsigkeyring.from_text({key_name.rstrip(".") + ".": secret})
        except ValueError:
            raise LocalError(
                "dns",
                "The TSIG key in dns.key_file is not base64; copy the secret alone, as tsig-keygen prints it.",
            ) from None

    def add(self, name: str, text: str) -> None:
        """See the module."""
        self._update(name, lambda update, relative: update.add(relative, _TTL, "TXT", _quoted(text)))

    def remove(self, name: str, text: str) -> None:
        """See the module."""
        self._update(name, lambda update, relative: update.delete(relative, "TXT", _quoted(text)))

    def look(self, name: str) -> None:
        """Ask the primary for the zone's SOA under our key: a key that it does not know shows here."""
        import dns.message
        import dns.query
        import dns.rcode

        zone = self._zone or self._ask.zone(name)
        question = dns.message.make_query(zone + ".", "SOA")
        question.use_tsig(self._keyring, algorithm=self._algorithm + ".")
        try:
            answer = dns.query.tcp(question, self._server[0], _SECONDS, self._server[1])
        except (self._dns.exception.DNSException, OSError) as e:
            reason = (str(e) or type(e).__name__).rstrip(".")
            text = (
                "%s does not answer about %s with our key: %s; see dns.server, dns.key_name and dns.key_file."
            )
            raise LocalError("dns", text % (self._server[0], zone, reason)) from None
        if answer.rcode() != dns.rcode.NOERROR or not answer.answer:
            text = "%s does not serve the zone %s (%s); see dns.server and dns.zone."
            raise LocalError("dns", text % (self._server[0], zone, dns.rcode.to_text(answer.rcode())))

    def _update(self, name: str, change: Callable[[Any, Any], object]) -> None:
        import dns.query
        import dns.rcode
        import dns.update

        zone = self._zone or self._ask.zone(name)
        if name != zone and not name.endswith("." + zone):
            raise LocalError("dns", "%s is not in the zone %s; see dns.zone." % (name, zone))
        update = dns.update.Update(zone + ".", keyring=self._keyring, keyalgorithm=self._algorithm + ".")
        try:
            change(update, self._dns.name.from_text(name + "."))
            answer = dns.query.tcp(update, self._server[0], _SECONDS, self._server[1])
        except (self._dns.exception.DNSException, OSError) as e:
            reason = (str(e) or type(e).__name__).rstrip(".")
            raise LocalError(
                "dns", "%s did not take the update of %s: %s; see [dns]." % (self._server[0], zone, reason)
            ) from None
        if answer.rcode() != dns.rcode.NOERROR:
            code = dns.rcode.to_text(answer.rcode())
            raise LocalError(
                "dns",
                "%s refused the update of %s (%s); see its key and its update policy."
                % (self._server[0], zone, code),
            )


class Webhook:
    """POSTs {"fqdn", "value"} to URL/present and URL/cleanup, which is what lego's `httpreq` servers understand.

    roots: PEM file that the server is checked against, None for the system's; token: sent as a Bearer, "" for none.
    """

    def __init__(self, url: str, roots: str | None = None, token: str = "") -> None:
        self._url = url.rstrip("/")
        self._roots = roots
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = "Bearer " + token

    def add(self, name: str, text: str) -> None:
        """See the module."""
        self._post("present", name, text)

    def remove(self, name: str, text: str) -> None:
        """See the module."""
        self._post("cleanup", name, text)

    def look(self, name: str) -> None:
        """See that its host answers; nothing is asked of it."""
        import socket

        from urequests_compat import url

        from ...port import proxy

        host, port, _ = url.split(self._url)
        choose = proxy.chooser()
        host, port = (choose and choose(host, port) or (host, port))[:2]
        try:
            socket.create_connection((host, port), _SECONDS).close()
        except OSError as e:
            text = "The DNS webhook at %s cannot be reached: %s; see dns.url."
            raise LocalError("dns", text % (self._url, (e.strerror or str(e)).lower())) from None

    def _post(self, what: str, name: str, text: str) -> None:
        import json

        from ...port.net import Net, user_agent

        net = Net(self._roots, user_agent(), _SECONDS)
        try:
            body = json.dumps({"fqdn": name + ".", "value": text}).encode()
            answer = net.request("POST", "%s/%s" % (self._url, what), self._headers, body)
        except RemoteError as e:
            raise LocalError("dns", "The DNS webhook failed: %s" % e.text) from None
        finally:
            net.close()
        if not 200 <= answer.status < 300:
            raise LocalError(
                "dns", "The DNS webhook answered %s with status %d; see its own log." % (what, answer.status)
            )


class Exec:
    """Runs a program: the argument list `command`, then `present` or `cleanup`, the name with its final dot, the text.

    No shell. `timeout` in seconds. What it prints on stderr is shown when it fails.
    """

    def __init__(self, command: Sequence[str], timeout: float = 120) -> None:
        self._command = list(command)
        self._timeout = timeout

    def add(self, name: str, text: str) -> None:
        """See the module."""
        self._run("present", name, text)

    def remove(self, name: str, text: str) -> None:
        """See the module."""
        self._run("cleanup", name, text)

    def look(self, name: str) -> None:
        """That the program is there."""
        import shutil

        if shutil.which(self._command[0]) is None:
            text = "%s, which is to change the zone, is not there or not executable; see dns.command."
            raise LocalError("dns", text % self._command[0])

    def _run(self, what: str, name: str, text: str) -> None:
        program = self._command[0]
        command = [*self._command, what, name + ".", text]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=self._timeout,
            )
        except subprocess.TimeoutExpired:
            raise LocalError(
                "dns",
                "%s took longer than %d seconds to %s; see dns.command." % (program, self._timeout, what),
            ) from None
        except OSError as e:
            raise LocalError(
                "dns", "%s cannot be run: %s; see dns.command." % (program, (e.strerror or "").lower())
            ) from None
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().split("\n")
            said = "".join([c if c.isprintable() else "?" for c in lines[-1][:200]])
            raise LocalError(
                "dns",
                "%s %s ended with status %d%s." % (program, what, done.returncode, said and ": " + said),
            )


def _quoted(text: str) -> str:
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')
