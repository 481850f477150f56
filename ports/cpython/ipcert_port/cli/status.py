"""`ipcert status`: what there is. It only reads."""

from __future__ import annotations

import os
import sys

from ipcert import limits
from ipcert.errors import RemoteError

from .. import exit_codes
from ..deploy.folders import folder_name
from ..formatting import certificate, local, planned, span, utc, waits
from ..port import lock
from ..port.clock import Clock
from ..port.state import State, accounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ipcert.journal import Record

    from ..config.reader import Config
    from .progress import Quiet


def run(config: Config, progress: Quiet) -> tuple[int, dict[str, Any]]:
    """What there is. Reads only, and says so when there is nothing. (exit code, object)."""
    state = State(config.state)
    records = state.records()
    live = certificates(config, state)
    waiting = state.found and unconsented(config, records)
    daemon = lock.holder(config.state)
    out = {
        "ca": config.directory,
        "account": accounts(state.journal)[0][0] or None,
        "certificates": live,
        "plans": [planned(r) for r in records],
        "failures": {r.identifiers_text.text(): r.failures for r in records},
        "consent": {r.identifiers_text.text(): utc(r.consent_at) for r in records if r.consent_at},
        "consent_needed": bool(waiting),
        "doubted": {r.identifiers_text.text(): r.doubt_answers for r in records if r.doubted_at},
        "daemon": daemon or None,
    }
    if not state.found:
        progress.say("There is no state in %s yet: 'ipcert issue' starts." % config.state)
        return exit_codes.OK, out
    now = now_of(state)
    by_ids = {",".join(c["identifiers"]): c for c in live}
    for r in records:
        ids = r.identifiers_text.text()
        c = by_ids.get(ids)
        if c is None:
            progress.say("%s: no certificate yet." % ids)
        else:
            left = r.not_after - now
            when = "valid for %s more" % span(left) if left > 0 else "EXPIRED %s ago" % span(-left)
            progress.say("%s: %s, until %s." % (ids, when, local(r.not_after)))
            progress.say("    files    %s" % c["path"])
            progress.say("    key      %s" % c["spki_sha256"])
            progress.say("    profile  %s" % (c["profile"] or "none"))
        if r.failures:
            progress.say(
                "    failed   %s" % ("once" if r.failures == 1 else "%d times in a row" % r.failures)
            )
        if r.doubted_at:
            progress.say("    doubted  another address is found in its place (%d answers)" % r.doubt_answers)
        if r.consent_at:
            progress.say("    consent  given on %s" % local(r.consent_at))
        progress.say("    next     " + plan_line(r, now, waiting)[len(ids) + 2 :])
        if not waiting:
            for line in wait_lines(r):
                progress.say("    waits    " + line)
    progress.say(
        "The daemon runs as process %d." % daemon if daemon else "The daemon does not run ('ipcert run')."
    )
    return exit_codes.OK, out


def certificates(config: Config, state: State) -> list[dict[str, Any]]:
    """The live certificates as dicts for --json."""
    out = []
    for r in state.records():
        chain = state.chain(r)
        if chain is None:
            continue
        path = os.path.join(config.deploy, folder_name(r.identifiers_text.text().split(",")))
        try:
            out.append(certificate(r, chain, path))
        except RemoteError:
            print(
                "ipcert: the chain of %s on the disk is damaged; the next start replaces it."
                % r.identifiers_text.text(),
                file=sys.stderr,
            )
    return out


def plan_line(r: Record, now: int, waiting: bool) -> str:
    """One lineage's plan as a line."""
    ids = r.identifiers_text.text()
    if waiting:
        return "%s: waits for your consent; run 'ipcert consent'." % ids
    if r.planned_at >= limits.NEVER:
        return "%s: nothing is planned." % ids
    if r.planned_at <= now:
        return "%s: due since %s; 'ipcert issue' fetches it." % (ids, local(r.planned_at))
    return "%s: %s, in %s." % (ids, local(r.planned_at), span(r.planned_at - now))


def wait_lines(r: Record) -> list[str]:
    """Where a certificate waits after a long absence: until when, why, and what having it now costs."""
    if not waits(r):
        return []
    name = r.identifiers_text.text().split(",")[0]
    return [
        "At the latest it comes on %s: this device was away too long for the ordinary renewal."
        % local(r.window_end),
        "Coming back together with the other certificate would show that the two belong to one home.",
        "'ipcert issue --now %s' fetches it now, and shows that." % name,
        "policy.recovery sets how long it waits at most: fast 1 h, balanced 14 d, private 28 d.",
    ]


def unconsented(config: Config, records: Sequence[Record]) -> bool:
    """True when a combined certificate is configured that the owner has not agreed to."""
    mixed = [one.text for one in config.certificates() if one.is_mixed()]
    if config.policy.setting != "home" or not mixed:
        return False
    combined = mixed[0]
    return not [r for r in records if r.identifiers_text.text() == combined and r.consent_at]


def now_of(state: State) -> int:
    """The time, never before what the journal knows to be past."""
    return Clock(state.journal.clock_floor).now()
