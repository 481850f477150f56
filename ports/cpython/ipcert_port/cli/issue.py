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

_TRIES = 3  # failures in a row of one certificate after which --wait does not wait for it any more
OVERRIDE = (
    "You override the plan: if {0} is fetched right after another certificate of this home, the public record shows "
    "the two moments side by side for ever."
)


def run(
    config: Config, progress: Quiet, wait: bool = False, now: Sequence[str] = (), child: bool = False
) -> tuple[int, dict[str, Any]]:
    """Drive until nothing is due; returns (exit code, the JSON object). Raises Error where nothing could be done.

    `wait` stays until every certificate is there, or says why it is not; `now` lists identifiers to fetch at once; `child` is how
    `ipcert run` calls: it waits for its turn, stays for short pauses and never mentions a plan. What fails for one certificate
    never keeps the others from being fetched.
    """
    with Session(config, progress, patient=child) as session:
        alarm = None
        try:
            wanted = _wanted(config, now)
            before = {r.identifiers_text.text(): r.failures for r in active(session.device.journal)}
            error = _orders(session)
            for ids in wanted:
                error = _at_once(session, progress, ids) or error
            while True:
                journal = session.device.journal
                until = upcoming(journal)
                pause = until - session.clock.now()
                stay = child and pause <= limits.TASK_WAIT or wait and _missing(session, before)
                if not stay or error is not None and error.code == "clock":
                    break
                alarm = alarm or _alarm()
                progress.countdown(alarm, until, "The next one comes")
                if alarm.caught:
                    raise KeyboardInterrupt
                it = session.device.next(session.clock.now())
                session.device.done(it.number)
                error = _orders(session) or _lasting(error)
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


def _at_once(session: Session, progress: Quiet, ids: str) -> Error | None:
    """Fetch one certificate now, unless that was tried a moment ago because it was due; the error, or None."""
    device = session.device
    live = [r for r in active(device.journal) if r.identifiers_text.text() == ids and r.file_id]
    if ids in device.errors and (live or device.errors[ids] is not None):
        return None
    progress.warn(OVERRIDE.format(ids))
    try:
        device.event("renew", ids)
    except LocalError as e:  # about this one; the others may be fetched
        return e
    return _orders(session)


def _missing(session: Session, before: dict[str, int]) -> bool:
    """True while a certificate is not there and may still come; `before`: how often each had failed at the start."""
    for r in active(session.device.journal):
        ids = r.identifiers_text.text()
        tried = r.failures - before.get(ids, 0) >= _TRIES
        hopeless = tried or isinstance(session.device.errors.get(ids), LocalError)
        if not r.file_id and r.planned_at < limits.NEVER and not hopeless:
            return True
    return False


def _lasting(error: Error | None) -> Error | None:
    """The error, where no later success makes it good: the hook's or the state's."""
    return error if exit_codes.code(error) in (exit_codes.HOOK, exit_codes.STATE) else None


def _orders(session: Session) -> Error | None:
    """Carry out everything that is due; the error of what is not there now, or None."""
    device = session.device
    device.last_error = None
    if session.drive.run() is None:
        return clock_error()
    # An order that was taken up again after a hiccup is not a failure.
    failed = [error for error in device.errors.values() if error is not None]
    return _lasting(device.last_error) or (failed[-1] if failed else None)


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
    said = [one for one in session.device.errors.values() if one is not None and one is not error]
    for one in [*said, error]:
        if one is not None:
            print("ipcert: " + sentence(one), file=sys.stderr, flush=True)
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
