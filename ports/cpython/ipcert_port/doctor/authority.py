"""What the CA's directory tells before an order: whether it is reached, trusted, agrees on the time, and takes us."""

from __future__ import annotations

import time

from ipcert import limits
from ipcert.acme import dates, message
from ipcert.acme import directory as _directory
from ipcert.errors import Error, LocalError, RemoteError

from ..formatting import utc
from ..port.clock import Clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config.reader import Config
    from ..port.net import Response
    from ..port.state import State
    from .findings import Findings

_NAMES = 16  # of one CA
_SKEW = 5 * limits.MINUTE
_TIME = ("expired", "not yet valid")  # OpenSSL's words, X509_V_ERR_CERT_HAS_EXPIRED and _NOT_YET_VALID
_SET = "Set it, best for good with NTP: timedatectl set-ntp true (or by hand: date -s)."


def check(config: Config, state: State | None, findings: Findings) -> list[str]:
    """Look at the clock and the CA. `state`: `state.State` or None.

    Returns the names under which CAA records know the CA, [] where it does not say.
    """
    clock = Clock(state.journal.clock_floor if state else 0)
    believed = clock.trustworthy()
    if not believed:
        findings.bad("clock", "It says %s, which it cannot be." % _now(), _SET)
    try:
        answer = _ask(config)
    except LocalError as e:
        if believed:
            findings.ok("clock", "%s; not compared with the CA's." % _now())
        findings.skipped("CA reachable", "not looked at, for want of roots to check it with.")
        findings.error("CA trusted", e)
        return []
    except RemoteError as e:
        _refused(config, e, believed, findings)
        return []
    if believed:
        _compare(answer, findings)
    return _content(config, answer, findings)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _ask(config: Config) -> Response:
    from ..port.net import Net, user_agent
    from ..session import readable

    readable(config.roots)
    net = Net(config.roots, user_agent(), 30)
    try:
        return net.request("GET", config.directory)
    finally:
        net.close()


def _refused(config: Config, e: Error, believed: bool, findings: Findings) -> None:
    untimely = e.code == "tls" and [w for w in _TIME if w in str(e)]
    if untimely and believed:
        text = "It says %s, and by that the certificate of the CA's own site is not valid: %s."
        findings.bad("clock", text % (_now(), str(e).split("refused: ")[-1].split(";")[0]), _SET)
    elif believed:
        findings.ok("clock", "%s; not compared with the CA's." % _now())
    if e.code != "tls":
        findings.error("CA reachable", e)
        findings.skipped("CA trusted", "not looked at: it does not answer.")
        return
    findings.ok("CA reachable", "%s takes connections." % config.directory)
    if untimely:
        findings.skipped("CA trusted", "not looked at: the clock first.")
        return
    where = (
        "the system's roots (Debian: package ca-certificates)"
        if config.roots is None
        else "%s (ca.roots)" % config.roots
    )
    text = "What answers at %s is not trusted: %s."
    reason = str(e).split(": ", 1)[-1].split(";")[0]
    findings.bad(
        "CA trusted",
        text % (config.directory, reason),
        "Put its root into %s; or correct ca.directory." % where,
    )


def _compare(answer: Response, findings: Findings) -> None:
    theirs = dates.http_date(answer.headers.get("date", ""))
    ours = int(time.time()) - limits.EPOCH_UNIX
    if not theirs:
        findings.ok("clock", "%s; the CA does not say what it has." % _now())
    elif abs(ours - theirs) > _SKEW:
        findings.bad("clock", "It says %s, where the CA has %s." % (_now(), utc(theirs)), _SET)
    else:
        findings.ok("clock", "%s, as the CA has it." % _now())


def _content(config: Config, answer: Response, findings: Findings) -> list[str]:
    try:
        if answer.status != 200:
            raise RemoteError("status", "%s answers with status %d." % (config.directory, answer.status))
        read = message.parse(answer.body)
        directory = _directory.Directory(read)
    except RemoteError as e:
        findings.bad(
            "CA reachable",
            "What answers is not an ACME CA: %s" % str(e).split(";")[0],
            "Correct ca.directory.",
        )
        return []
    findings.ok("CA reachable", config.directory)
    findings.ok("CA trusted", "by %s." % (config.roots or "the system's roots"))
    _account(config, directory, findings)
    _profiles(config, directory, findings)
    meta = read.get("meta")
    names = meta.get("caaIdentities") if isinstance(meta, dict) else None
    return [n.lower() for n in names[:_NAMES] if isinstance(n, str)] if isinstance(names, list) else []


def _account(config: Config, directory: _directory.Directory, findings: Findings) -> None:
    if directory.external_account and not config.policy.eab_kid:
        text = "The CA gives accounts to its customers only."
        findings.bad("account", text, "Set ca.eab_kid and ca.eab_key_file to what it gave you.")
    elif directory.terms and not config.policy.agree_terms:
        findings.bad(
            "account",
            "You have not agreed to the CA's terms of service.",
            "Read %s and set ca.agree_terms = true." % directory.terms,
        )
    else:
        findings.ok("account", "The CA asks for nothing that is not configured.")


def _profiles(config: Config, directory: _directory.Directory, findings: Findings) -> None:
    policy = config.policy
    try:
        for ip in sorted({bool(i.family) for i in config.identifiers}):
            _directory.choose_profile(
                directory.profiles, ip, policy.profile_ip if ip else policy.profile_name, ""
            )
    except Error as e:
        findings.bad("profiles", str(e), "Set policy.profile_name or policy.profile_ip to one of those.")
        return
    findings.ok("profiles", ", ".join(directory.profiles) or "The CA has none.")
