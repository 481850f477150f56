"""Steps that `ipcert account`, `ipcert revoke` and `ipcert adopt` share."""

from __future__ import annotations

from ipcert import action

from ..session import clock_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipcert.action import Action

    from ..session import Session


def begin(session: Session) -> None:
    """Match the state with the configuration, so that events find their lineages. Raises LocalError("clock")."""
    if not session.clock.trustworthy():
        raise clock_error()
    session.device.prepare(session.clock.now())
    session.device.last_error = None


def finish(session: Session) -> None:
    """Drive until the operation is over and all is on the disk. An order that comes due behind it waits for its own command."""
    device = session.device

    def over(it: Action) -> bool:
        return device.settled and device.activity == action.ISSUANCE

    while session.drive.step(over):
        continue


def settle(session: Session) -> None:
    """Have all of it on the disk without asking the CA anything."""

    def over(it: Action) -> bool:
        return it.kind == action.SEND or session.device.activity != action.NOTHING

    while session.drive.step(over):
        continue
