"""What the owner asks for besides certificates: revoking one, giving back what was proved, and all that concerns the account.

What holds. An event is checked here, and refused with a LocalError that says why, before anything has changed; what it asks for
waits in `lineage.Lineages.requests` until the scheduler has it carried out (`order.operations`).

What must never happen: two operations of the owner's that wait at once, since they could undo each other.

A firmware that needs none of them leaves this file out (the feature `account-operations`).
"""

from .account import ADDRESSES, EVERYTHING
from .commands import REVOKE
from .errors import LocalError
from .order.operations import REASONS
from .order.request import CONTACTS, DEACTIVATION, RECOVERY, REVOCATION, ROLLOVER, Request
from .pending_key import keep, take

_ACCOUNT = {"contacts": CONTACTS, "rollover": ROLLOVER, "deactivate": DEACTIVATION}


class Revocation:
    """The value of the event "revoke".

    text     the certificate, by its record's `identifiers_text`; reason: one of `order.operations.REASONS`
    by_key   sign with the certificate's own key, where the account is lost: at once, and not tried again
    """

    def __init__(self, text, reason, by_key=False):
        self.text = text
        self.reason = reason
        self.by_key = by_key


def event(commands, kind, value, in_flight):
    """Note one event of a device's `commands.Commands`: "revoke", "deauthorize", "account" or "recover". Raises LocalError.

    `in_flight`: the record of the order under way, or None.
    """
    if kind == "revoke":
        _revoke(commands, value, in_flight)
    elif kind == "deauthorize":
        _deauthorize(commands, value, in_flight)
    elif kind == "account":
        _account(commands, value)
    else:
        _recover(commands, value)


def _queue(commands, requests):
    # One operation at a time that the owner asked for: two of them could undo each other.
    if commands.lineages.requests:
        raise LocalError("busy", "Another operation waits for its turn; say so again when it is done.")
    commands.lineages.requests.extend(requests)


def _revoke(commands, revocation, in_flight):
    if revocation.reason not in REASONS:
        raise LocalError(
            "revoke", "The reason must be one of %s." % ", ".join([str(reason) for reason in REASONS])
        )
    sentence = "There is no certificate for '%s' to revoke."
    record = commands.find(revocation.text, in_flight, "revoke", sentence)
    if not record.file_id:
        raise LocalError("revoke", sentence % revocation.text)
    if revocation.by_key:
        request = Request(REVOCATION, record.certificate_role)
        request.record = record
        request.by_key = True
        _queue(commands, [request])
    else:
        commands.wish(record, REVOKE)
    # Noted now, so that it is in the journal with the plan; an order that was in flight is given up.
    record.revocation_reason = revocation.reason
    record.ordered_at = 0
    commands.storage.changed = True


def _deauthorize(commands, text, in_flight):
    sentence = "Nothing was proved for '%s' that the CA could forget."
    record = commands.find(text, in_flight, "account", sentence)
    if not record.order_url.size:
        raise LocalError("account", sentence % text)
    commands.lineages.give_back(record)


def _account(commands, name):
    kind = _ACCOUNT.get(name)
    if kind is None:
        raise LocalError("event", "There is no account operation '%s'." % name)
    # Where there are two accounts, what the owner asks for is for both.
    requests = [Request(kind, role) for role in _roles(commands.storage.journal)]
    if not requests:
        raise LocalError("account", "There is no account yet.")
    _queue(commands, requests)


def _roles(journal):
    # The roles of the accounts that there are.
    found = []
    for role in (EVERYTHING, ADDRESSES):
        url = journal.account_url if role == journal.account_role else journal.other_account_url
        if url.size:
            found.append(role)
    return found


def _recover(commands, scalar):
    # In three steps, so that a refusal of any kind leaves nothing behind.
    take(commands.account, scalar)
    _queue(commands, [Request(RECOVERY, EVERYTHING)])
    keep(commands.account)
