"""The policy of before, as a policy to attack: short windows, and a name that is back within three days of an absence.

What the gate must refuse at 45 days, and what the table of privacy.md was first measured on. `renewal`, `missed` and `retry` are here as they
were before the return after a long absence became a first issuance; everything else is ipcert.plan's. Pure functions, with
ipcert.plan's arguments.
"""

from typing import Any

from ipcert import plan as shipped
from ipcert.plan import BACK, DAY, HOUR, SOON, below

plan: Any = shipped  # its private parts are used here, too

ADDRESS_START, ADDRESS_END, ADDRESS_LATEST = 300, 510, 650  # thousandths of the lifetime
NAME_START, NAME_END, NAME_LATEST = 450, 677, 840
LATE = 50  # of 1000 draws
RECOVERY = 3 * DAY


def __getattr__(name):
    return getattr(plan, name)


def _at(not_before, not_after, thousandths):
    return not_before + plan._part(plan._lifetime(not_before, not_after), thousandths)


def renewal(p, words, is_address, not_before, not_after, now=0, recovery=RECOVERY):
    """One draw from the lineage's window, or late on purpose; where that is already past at `now`, as `missed`."""
    start = ADDRESS_START if is_address else NAME_START
    end = ADDRESS_END if is_address else NAME_END
    if below(words, 1000) < LATE:
        start = end
        end = ADDRESS_LATEST if is_address else NAME_LATEST
    start, end = _at(not_before, not_after, start), _at(not_before, not_after, end)
    plan._draw(p, words, start, end, plan.RENEWAL)
    if p.planned_at < now + SOON:
        missed(p, words, is_address, now, not_before, not_after, recovery)


def missed(p, words, is_address, now, not_before, not_after, recovery=RECOVERY):
    """A plan that passed while the device was off. `recovery`: the longest wait of a lapsed name, seconds."""
    if not not_after:
        return plan.missed(p, words, is_address, now, not_before, not_after, recovery)
    left = not_after - now
    if left < SOON:
        most = BACK if is_address else recovery - recovery // 32
        return plan._within(p, words, now, 0, most, plan.LAPSED)
    rest = _at(not_before, not_after, ADDRESS_END if is_address else NAME_END) - now
    if (6 * HOUR if is_address else 2 * DAY) < rest < left:
        return plan._within(p, words, now, 0, rest, plan.REST)
    if is_address:
        if left > 36 * HOUR:
            return plan._within(p, words, now, 0, min(left - 24 * HOUR, 36 * HOUR), plan.VALID)
        if left > 6 * HOUR:
            return plan._within(p, words, now, 0, min(left - 5 * HOUR, 2 * HOUR), plan.HURRY)
        return plan._within(p, words, now, 0, min(left // 2, BACK), plan.HURRY)
    if left > 60 * HOUR:
        return plan._within(p, words, now, 0, min(left - 2 * DAY, 14 * DAY), plan.VALID)
    plan._within(p, words, now, 0, left * 3 // 4, plan.HURRY)


def retry(
    p, words, now, failures, failure, not_after, retry_after=0, is_address=True, not_before=0, recovery=RECOVERY
):  # fmt: skip
    """After `failures` attempts in a row that failed: a name that twice found no way to the CA is treated as one whose device
    was off; one whose validation failed is tried again as an address is."""
    if failure == plan.TRANSPORT and not is_address and not_after and failures > 1:
        missed(p, words, is_address, now + SOON, not_before, not_after, recovery)
        if retry_after <= p.planned_at - now:
            return
    if failure == plan.VALIDATION and not is_address:
        failure = plan.REFUSED  # a name's validation was not told from other refusals
    # BACK: what waits no longer is not planned anew as if it was missed.
    plan.retry(p, words, now, failures, failure, not_after, retry_after, is_address, not_before, BACK)
