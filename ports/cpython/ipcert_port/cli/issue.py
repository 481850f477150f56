"""`ipcert issue`: fetch what is due, say when the rest comes. The daemon's short-lived child is this too."""

from __future__ import annotations

import signal
import sys

from ipcert import limits
from ipcert.errors import LocalError

from .. import exit_codes
from ..formatting import local, planned, sentence, span
from ..port.state import State, active, upcoming
from ..session import Session, clock_error
from .status import certificates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ipcert.errors import Error

    from ..config.reader import Config
    from ..port.alarm import Alarm
    from .progress import Quiet

_TRIES = 3  # failures in a row of one certificate after which --wait gives up
OVERRIDE = (
    "You override the plan: if {0} is fetched right after another certificate of this home, the public record shows "
    "the two moments side by side for ever."
)


def run(
    config: Config, progress: Quiet, wait: bool = False, now: Sequence[str] = (), child: bool = False
) -> tuple[int, dict[str, Any]]:
    """Drive until nothing is due; returns (exit code, the JSON object). Raises Error where nothing could be done.

    `wait` stays until every certificate is there; `now` lists identifiers to fetch at once; `child` is how `ipcert run`
    calls: it waits for its turn, stays for short pauses and never mentions a plan.
    """
    with Session(config, progress, patient=child) as session:
        alarm = None
        try:
            wanted = _wanted(config, now)
            error = _orders(session, progress)
            for ids in wanted:
                progress.warn(OVERRIDE.format(ids))
                session.device.event("renew", ids)
                session.device.last_error = None
                error = _orders(session, progress) or error
            while True:
                journal = session.device.journal
                missing = [r for r in active(journal) if not r.file_id]
                until = upcoming(journal)
                pause = until - session.clock.now()
                if not (child and pause <= limits.TASK_WAIT or wait and missing and until < limits.NEVER):
                    break
                if wait and (
                    isinstance(error, LocalError) or max([r.failures for r in active(journal)]) >= _TRIES
                ):
                    break
                alarm = alarm or _alarm()
                progress.countdown(alarm, until, "The next one comes")
                if alarm.caught:
                    raise KeyboardInterrupt
                it = session.device.next(session.clock.now())
                session.device.done(it.number)
                error = _orders(session, progress)
        finally:
            progress.close()
            if alarm is not None:
                alarm.close()
        return _report(session, config, progress, error, child)


def _alarm() -> Alarm:
    from ..port.alarm import Alarm

    return Alarm(signal.SIGTERM, signal.SIGINT)


def _wanted(config: Config, now: Sequence[str]) -> list[str]:
    out = []
    for text in now:
        ids = config.group_of(text)
        if ids not in out:
            out.append(ids)
    return out


def _orders(session: Session, progress: Quiet) -> Error | None:
    """Everything that is due, and the error of what failed, or None."""
    device = session.device
    device.last_error = None
    failures = device.failures
    until = session.drive.run()
    if until is None:
        return clock_error()
    error = device.last_error
    # An order that was taken up again after a hiccup is not a failure.
    if (
        error is not None
        and device.failures == failures
        and exit_codes.code(error) not in (exit_codes.HOOK, exit_codes.STATE)
    ):
        return None
    return error


def _report(
    session: Session, config: Config, progress: Quiet, error: Error | None, child: bool
) -> tuple[int, dict[str, Any]]:
    journal = session.device.journal
    code = exit_codes.code(error)
    if session.device.consent_challenge() and [r for r in active(journal) if not r.consent_at]:
        code = code or exit_codes.CONSENT
        error = error or LocalError(
            "consent", "A combined certificate waits for your consent; run: ipcert consent"
        )
    out = {
        "issued": session.device.issued,
        "deployed": session.deployer.changed,
        "certificates": certificates(config, State(config.state)),
        "plans": [planned(r) for r in active(journal)],
        "notices": [{"code": c, "severity": s, "text": t} for c, s, t in progress.notices],
        "error": None if error is None else {"code": error.code, "text": sentence(error)},
        "exit": code,
    }
    if error is not None:
        print("ipcert: " + sentence(error), file=sys.stderr, flush=True)
    if not child:
        now = session.clock.now()
        for r in active(journal):
            ids = r.identifiers_text.text()
            if r.planned_at >= limits.NEVER:
                continue
            verb = "is renewed" if r.file_id else "comes"
            progress.say("%s %s on %s, in %s." % (ids, verb, local(r.planned_at), span(r.planned_at - now)))
        if [r for r in active(journal) if r.planned_at < limits.NEVER]:
            progress.say("Keep 'ipcert run' running, or run 'ipcert issue' again then.")
    return code, out
