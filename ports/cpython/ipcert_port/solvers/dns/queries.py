"""Asking the DNS, through dnspython: which zone a name is in, and what the zone's own servers say."""

from __future__ import annotations

import time

from ipcert.errors import LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

_CHAIN = 8  # CNAMEs that are followed
_SERVERS = 16  # a zone's servers that are asked
_SECONDS = 5  # for one question


def library() -> ModuleType:
    """dnspython, or LocalError("dns") where it is not installed."""
    try:
        import dns.resolver

        return dns
    except ImportError:
        raise LocalError(
            "dns", "DNS challenges need the package dnspython; install it (Debian: python3-dnspython)."
        ) from None


class Dns:
    """Questions to the DNS.

    resolvers       list of (host, port) that answer for everybody, [] for the system's
    authoritative   list of (host, port) to ask instead of the zone's own servers, [] for those: for a hidden primary,
                    or where a firewall keeps us from asking the others
    """

    def __init__(
        self, resolvers: Sequence[tuple[str, int]] = (), authoritative: Sequence[tuple[str, int]] = ()
    ) -> None:
        self._dns = library()
        self._authoritative = list(authoritative)
        try:
            self._resolver = self._dns.resolver.Resolver(configure=not resolvers)
        except self._dns.exception.DNSException:
            raise LocalError("dns", "This system names no DNS resolver; set dns.resolvers.") from None
        if resolvers:
            self._resolver.nameservers = [host for host, _ in resolvers]
            self._resolver.nameserver_ports = dict(resolvers)
        self._resolver.lifetime = 4 * _SECONDS

    def target(self, name: str) -> str:
        """Where the TXT records of `name` really stand: CNAMEs followed. No final dot."""
        for _ in range(_CHAIN):
            try:
                answer = self._resolver.resolve(name + ".", "CNAME", raise_on_no_answer=False)
            except self._dns.resolver.NXDOMAIN:
                return name
            except self._dns.exception.DNSException as e:
                raise LocalError(
                    "dns", "The DNS does not say where %s stands: %s." % (name, _reason(e))
                ) from None
            if answer.rrset is None:
                return name
            name = answer.rrset[0].target.to_text().rstrip(".").lower()
        raise LocalError("dns", "More than %d CNAMEs lead away from %s; mend that." % (_CHAIN, name))

    def addresses(self, name: str) -> list[str]:
        """The addresses (texts) that `name` stands for, IPv4 first; [] where there are none. Raises LocalError("dns")."""
        out = []
        for kind in ("A", "AAAA"):
            try:
                answer = self._resolver.resolve(name + ".", kind, raise_on_no_answer=False)
            except self._dns.resolver.NXDOMAIN:
                return []
            except self._dns.exception.DNSException as e:
                raise LocalError(
                    "dns", "The DNS does not say where %s is: %s." % (name, _reason(e))
                ) from None
            out += [record.address for record in answer.rrset or ()]
        return out

    def caa(self, name: str) -> tuple[str, list[tuple[str, str]]]:
        """(where they stand, list of (tag, value)) of the CAA records that count for `name` (RFC 8659 3); ("", []) for none.

        Raises LocalError("dns").
        """
        labels = name.split(".")
        for k in range(len(labels)):
            at = ".".join(labels[k:])
            try:
                answer = self._resolver.resolve(at + ".", "CAA", raise_on_no_answer=False)
            except self._dns.resolver.NXDOMAIN:
                continue
            except self._dns.exception.DNSException as e:
                raise LocalError(
                    "dns", "The DNS does not say who may certify %s: %s." % (name, _reason(e))
                ) from None
            if answer.rrset:
                return at, [
                    (r.tag.decode("ascii", "replace").lower(), r.value.decode("ascii", "replace"))
                    for r in answer.rrset
                ]
        return "", []

    def zone(self, name: str) -> str:
        """The zone that `name` is in, without a final dot."""
        try:
            found = self._dns.resolver.zone_for_name(name + ".", resolver=self._resolver)
        except self._dns.exception.DNSException as e:
            raise LocalError(
                "dns", "The DNS does not say which zone %s is in: %s; set dns.zone." % (name, _reason(e))
            ) from None
        return str(found.to_text()).rstrip(".").lower()

    def servers(self, name: str) -> list[tuple[str, int]]:
        """(host, port) of every address of every server that is authoritative for `name`."""
        if self._authoritative:
            return self._authoritative
        zone = self.zone(name)
        out = []
        try:
            for server in self._resolver.resolve(zone + ".", "NS"):
                for kind in ("A", "AAAA"):
                    answer = self._resolver.resolve(server.target, kind, raise_on_no_answer=False)
                    out += [(a.address, 53) for a in answer.rrset or ()]
        except self._dns.exception.DNSException as e:
            raise LocalError(
                "dns", "The DNS does not name the servers of %s: %s." % (zone, _reason(e))
            ) from None
        if not out:
            raise LocalError("dns", "The servers of %s have no addresses; mend the zone." % zone)
        return out[:_SERVERS]

    def texts(self, name: str, server: tuple[str, int]) -> list[bytes] | None:
        """The TXT records (list of bytes) that one server, a (host, port), has for `name`; None without an answer."""
        dns = self._dns
        question = dns.message.make_query(name + ".", "TXT")
        question.flags &= ~dns.flags.RD
        try:
            answer, _ = dns.query.udp_with_fallback(question, server[0], _SECONDS, server[1])
        except (dns.exception.DNSException, OSError):
            return None
        out = []
        for rrset in answer.answer:
            if rrset.rdtype == dns.rdatatype.TXT:
                out += [b"".join(record.strings) for record in rrset]
        return out

    def await_text(self, name: str, shown: Callable[[list[bytes]], bool], seconds: float) -> None:
        """Wait until every authoritative server shows TXT records of `name` for which `shown(list of bytes)` is true.

        Servers that do not answer at all are passed over as long as one does. Raises LocalError("dns") after `seconds`.
        """
        servers = self.servers(name)
        end = time.monotonic() + seconds
        pause = 0.5
        while True:
            answers = [self.texts(name, server) for server in servers]
            missing = [s for s, a in zip(servers, answers) if a is not None and not shown(a)]
            silent = [s for s, a in zip(servers, answers) if a is None]
            if not missing and len(silent) < len(servers):
                return
            left = end - time.monotonic()
            if left <= 0:
                who = ", ".join([s[0] for s in missing or silent])
                what = "does not show the record for" if missing else "does not answer about"
                raise LocalError(
                    "dns",
                    "After %d seconds %s still %s %s; mend the zone or raise dns.timeout."
                    % (seconds, who, what, name),
                )
            time.sleep(min(pause, left))
            pause = min(pause * 2, 15)


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n")[0].rstrip(".")[:200]
