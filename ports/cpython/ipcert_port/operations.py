"""Steps that `ipcert account`, `ipcert revoke` and `ipcert adopt` share."""

from ipcert import action

from .work import clock_error


def begin(work):
    """Match the state with the configuration, so that events find their lineages. Raises LocalError("clock")."""
    if not work.clock.trustworthy():
        raise clock_error()
    work.device.prepare(work.clock.now())
    work.device.last_error = None


def finish(work):
    """Drive until the operation is over and all is on the disk. An order that comes due behind it waits for its own command."""
    device = work.device

    def over(it):
        return device.settled and device.activity == action.ISSUANCE

    while work.drive.step(over):
        continue


def settle(work):
    """Have all of it on the disk without asking the CA anything."""

    def over(it):
        return it.kind == action.SEND or work.device.activity != action.NOTHING

    while work.drive.step(over):
        continue
