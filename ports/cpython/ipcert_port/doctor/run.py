"""`ipcert doctor`: what would make an order fail, found before one is made.

It orders nothing and changes nothing: the CA is asked for its directory and no more, the DNS only for the names, and
nobody outside is told a name and an address together. What it opens for a moment (port 80, a file in the web server's
folder) is what a validation would open, and it is gone afterwards.
"""

from __future__ import annotations

from ipcert.errors import LocalError

from .. import exit_codes
from .findings import Findings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..cli.progress import Quiet
    from ..config.reader import Config

_WIDTH = 14
_REST = "What cannot be seen from here: whether the CA reaches this machine from outside, through router, firewall and provider."


def run(path: str, progress: Quiet) -> tuple[int, dict[str, Any]]:
    """Look at everything; returns (exit code, the JSON object)."""
    findings = Findings(lambda finding: _print(progress, finding))
    config = _configuration(path, findings)
    if config is not None:
        from . import authority, machine, network

        state = machine.state(config, findings)
        network.find(config, state, findings)
        issuers = authority.check(config, state, findings)
        machine.check(config, findings)
        network.check(config, issuers, findings)
    wrong = findings.wrong()
    progress.say("")
    if wrong:
        progress.say("Not ok: %s." % ", ".join([f["check"] for f in wrong]))
    else:
        progress.say("Nothing here stands in the way of an order.")
    if config is not None:
        progress.say(_REST)
    code = exit_codes.DOCTOR if wrong else exit_codes.OK
    return code, {"ok": not wrong, "checks": findings.all, "exit": code}


def _configuration(path: str, findings: Findings) -> Config | None:
    from ..config.reader import load

    try:
        config = load(path, public=False)
    except LocalError as e:
        findings.error("configuration", e)
        return None
    findings.ok("configuration", "%s is understood." % config.path)
    return config


def _print(progress: Quiet, finding: dict[str, Any]) -> None:
    word = {True: "ok", False: "NOT OK", None: "-"}[finding["ok"]]
    progress.say("%-7s %-*s %s" % (word, _WIDTH, finding["check"], finding["text"]))
    if finding["fix"]:
        progress.say("%-7s %-*s %s" % ("", _WIDTH, "  to fix:", finding["fix"]))
