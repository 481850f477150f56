"""`ipcert revoke NAME`: one lineage at a time, and two never at one moment (docs/privacy.md#p14)."""

from __future__ import annotations

from ipcert import limits
from ipcert.operation_commands import Revocation

from .. import exit_codes
from ..formatting import local, planned, span
from ..session import Session
from . import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config.reader import Config
    from .progress import Quiet

REASONS = {
    "unspecified": 0,
    "keycompromise": 1,
    "affiliationchanged": 3,
    "superseded": 4,
    "cessationofoperation": 5,
}


def run(
    config: Config, progress: Quiet, name: str, reason: str = "unspecified", by_key: bool = False
) -> tuple[int, dict[str, Any]]:
    """Revoke the certificate that `name` is in; returns (exit code, the JSON object). Raises Error."""
    ids = config.group_of(name)
    with Session(config, progress, patient=True) as session:
        operations.begin(session)
        device = session.device
        device.event("revoke", Revocation(ids, REASONS[reason], by_key))
        record = [r for r in device.journal.records() if r.identifiers_text.text() == ids][0]
        operations.finish(session)
        error = device.last_error
        now = session.clock.now()
        out = {"identifiers": ids.split(","), "revoked": not record.file_id, "plan": planned(record)}
    progress.close()
    if error is not None:
        raise error
    if not record.file_id:
        progress.say(
            "The certificate for %s is revoked and its key erased. 'ipcert issue --now %s' gets another."
            % (ids, ids.split(",")[0])
        )
    elif record.planned_at < limits.NEVER:
        text = "%s is revoked on %s, in %s: another one was revoked today, and no list should show two at one moment."
        progress.say(text % (ids, local(record.planned_at), span(record.planned_at - now)))
        progress.say("Keep 'ipcert run' running, or run 'ipcert issue' then.")
    return exit_codes.OK, out
