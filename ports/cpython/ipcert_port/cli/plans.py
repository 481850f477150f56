"""`ipcert plan`: what will happen when, what becomes public by it, and among how many."""

from __future__ import annotations

from ipcert import explanations, limits, notices, split

from .. import exit_codes
from ..formatting import local, planned
from ..port.state import State
from . import anonymity, fleet
from .status import now_of, plan_line, unconsented, wait_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config.reader import Config
    from .progress import Quiet


def published(config: Config) -> list[dict[str, Any]]:
    """The notices about what will be public, as dicts."""
    mask = split.warn(config.certificates(), config.policy.urgent == "both")
    out = []
    for k in range(len(notices.CODES)):
        if mask >> k & 1:
            subject = split.subject(k, config.identifiers)
            severity = notices.SEVERITY[notices.severity(k)]
            out.append({"code": notices.code(k), "severity": severity, "text": notices.text(k, subject)})
    return out + fleet.warnings(config)


def settled(config: Config, progress: Quiet) -> State:
    """The state, after its plans were made where some are missing."""
    state = State(config.state)
    if not state.found or sorted(r.identifiers_text.text() for r in state.journal.records()) != sorted(
        config.groups()
    ):
        from ..session import Session

        with Session(config, progress, orders=False) as session:
            session.settle()
        state = State(config.state)
    return state


def run(config: Config, progress: Quiet, explain: bool = False) -> tuple[int, dict[str, Any]]:
    """The plans, made durably first where there are none yet; otherwise this only reads. (exit code, object)."""
    from .progress import Quiet

    state = settled(config, Quiet())
    records = state.records()
    public = published(config)
    waiting = unconsented(config, records)
    out: dict[str, Any] = {
        "plans": [planned(r) for r in records],
        "public": public,
        "consent_needed": waiting,
    }
    out["crowd"] = anonymity.lines(config)
    now = now_of(state)
    for r in records:
        progress.say(plan_line(r, now, waiting))
        for line in [] if waiting else wait_lines(r):
            progress.say("    " + line)
        if explain:
            progress.say("    " + explanations.reason_text(r.reason if r.planned_at < limits.NEVER else 0))
            if r.planned_at < limits.NEVER and r.window_start < r.window_end:
                progress.say("    Drawn from %s to %s." % (local(r.window_start), local(r.window_end)))
    if public:
        progress.say("")
        progress.say("What becomes public:")
        for p in public:
            progress.say("  %s: %s" % (p["severity"], p["text"]))
    progress.say("")
    progress.say("The crowd in which you hide:")
    for line in out["crowd"]:
        progress.say("  " + line)
    if explain:
        progress.say("")
        progress.say("What you can set in [policy]:")
        for name, default, line in explanations.settings():
            progress.say("  %-12s %-9s %s" % (name, default, line))
    return exit_codes.OK, out
