"""What the owner and the port ask for while the device runs: `device.Device.event` brings it here.

What holds. An event is checked and noted at once, and refused with a LocalError that says why; it is carried out when the
scheduler comes to it. Planning waits for the second of the next `Device.next`: an event may come days after the last one, and
a plan that was drawn from an old second would be a wrong one. Whatever concerns a lineage is refused while its own order is in
flight.

Several questions may be waiting. For one lineage the latest wish counts: a renewal takes a revocation back.

What must never happen: an order that the owner did not consent to, where consent is needed; the answer to one question that
is taken for the answer to another one.
"""

from . import limits, notices
from .account import EVERYTHING
from .errors import LocalError, missing
from .order.request import CONTACTS, DEACTIVATION, RECOVERY, REVOCATION, ROLLOVER, Request

# What was asked of a record.
_RENEW = 0
_CONSENTED = 1
_REVOKE = 2


class Revocation:
    """The value of the event "revoke".

    text     the certificate, by its record's `identifiers_text`; reason: one of `order.operations.REASONS`
    by_key   sign with the certificate's own key, where the account is lost: at once, and not tried again
    """

    def __init__(self, text, reason, by_key=False):
        self.text = text
        self.reason = reason
        self.by_key = by_key


def _operations():
    # Loaded when the first operation is asked for. Raises LocalError where the firmware was built without them.
    try:
        from .order import operations
    except ImportError:
        raise missing("account-operations")
    return operations


class _Wish:
    # What was asked of a record, and is planned at the next second that the device is told.
    def __init__(self, record, kind):
        self.record = record
        self.kind = kind


class Commands:
    """The events of a device, and the wishes that came with them. Its parts are the device's."""

    def __init__(self, sha256, storage, configuration, lineages, planner, account, outbox):
        self._sha256 = sha256
        self._storage = storage
        self._configuration = configuration
        self._lineages = lineages
        self._planner = planner
        self._account = account
        self._outbox = outbox
        self._wishes = []

    def event(self, now, kind, value, in_flight):
        """Note one event, as `Device.event` describes them. Raises LocalError.

        `now`: the last second that the device was told; `in_flight`: the record of the order under way, or None.
        """
        if kind == "consent":
            self._consent(value)
        elif kind == "renew":
            self._renew(value)
        elif kind == "revoke":
            self._revoke(value, in_flight)
        elif kind == "deauthorize":
            self._deauthorize(value, in_flight)
        elif kind == "account":
            self._account_operation(value)
        elif kind == "recover":
            self._recover(value)
        elif kind == "adopt":
            self._adopt(now, value, in_flight)
        else:
            raise LocalError("event", "There is no event '%s'." % kind)

    def plan(self, now):
        """Plan what was asked for; False where nothing was."""
        if not self._wishes:
            return False
        wishes, self._wishes = self._wishes, []
        for wish in wishes:
            record = wish.record
            if record not in self._storage.journal.records():
                continue  # another configuration came in between
            if wish.kind == _REVOKE:
                self._planner.revocation(record, now)
            else:
                if wish.kind == _CONSENTED:
                    record.consent_at = now
                record.revocation_reason = None  # the latest wish counts
                self._planner.at_once(record, now)
            self._storage.changed = True
        return True

    def waiting(self):
        """True while something that was asked for is not planned yet."""
        return bool(self._wishes)

    # Consent.

    def consent_challenge(self):
        """Eight hexadecimal digits, bound to exactly these identifiers and to this asking; "" where none is needed."""
        text = self._configuration.consent_wanted()
        if not text:
            return ""
        # The nonce makes an old answer worthless, the identifiers make it good for nothing else.
        data = self._storage.journal.consent_nonce + text.encode()
        digest = bytearray(32)
        self._sha256(data, 0, len(data), digest, 0)
        return digest[:4].hex()

    def _consent(self, answer):
        challenge = self.consent_challenge()
        if not challenge:
            raise LocalError("consent", "Nothing here needs consent.")
        if not self._configuration.applied:
            raise LocalError("consent", "Ask again when the device has read its state.")
        if answer.strip().lower() != challenge:
            raise LocalError("consent", "That is not the answer asked for; nothing was ordered.")
        text = self._configuration.consent_wanted()
        # An answer is good for once: whatever is asked next has another challenge.
        self._storage.journal.consent_nonce[:] = bytes(limits.HASH)
        for record in self._storage.journal.records():
            if record.identifiers_text.text() == text:
                self._wishes.append(_Wish(record, _CONSENTED))
        self._outbox.notice(notices.CONSENT_GIVEN, text)

    # Certificates.

    def _find(self, text, in_flight, code, sentence):
        # The record of a text. Raises LocalError where there is none, or while its own order is in flight.
        for record in self._storage.journal.records():
            if record.identifiers_text.text() == text:
                if record is in_flight:
                    raise LocalError("busy", "Its order is in flight; say so again when it is over.")
                return record
        raise LocalError(code, sentence % text)

    def _renew(self, text):
        for record in self._storage.journal.records():
            if record.identifiers_text.text() == text and self._configuration.may_order(record):
                self._wishes.append(_Wish(record, _RENEW))
                return
        raise LocalError("event", "There is no certificate for '%s' to renew." % text)

    def _revoke(self, revocation, in_flight):
        operations = _operations()
        if revocation.reason not in operations.REASONS:
            raise LocalError(
                "revoke",
                "The reason must be one of %s." % ", ".join([str(reason) for reason in operations.REASONS]),
            )
        sentence = "There is no certificate for '%s' to revoke."
        record = self._find(revocation.text, in_flight, "revoke", sentence)
        if not record.file_id:
            raise LocalError("revoke", sentence % revocation.text)
        if revocation.by_key:
            request = Request(REVOCATION, record.certificate_role)
            request.record = record
            request.by_key = True
            self._queue([request])
        else:
            self._wishes.append(_Wish(record, _REVOKE))
        # Noted now, so that it is in the journal with the plan; an order that was in flight is given up.
        record.revocation_reason = revocation.reason
        record.ordered_at = 0
        self._storage.changed = True

    def _deauthorize(self, text, in_flight):
        _operations()
        sentence = "Nothing was proved for '%s' that the CA could forget."
        record = self._find(text, in_flight, "account", sentence)
        if not record.order_url.size:
            raise LocalError("account", sentence % text)
        self._lineages.give_back(record)

    def _adopt(self, now, value, in_flight):
        try:
            from . import adoption
        except ImportError:
            raise missing("adopt")
        if not self._configuration.applied:
            raise LocalError("adopt", "Ask again when the device has read its state.")
        record = self._find(
            value.text,
            in_flight,
            "adopt",
            "'%s' is not what one certificate of this configuration is for.",
        )
        adoption.adopt(value, record, self._storage.journal.ring)
        self._planner.renewal(record, now)
        self._storage.changed = True

    # The account.

    def _queue(self, requests):
        # One operation at a time that the owner asked for: two of them could undo each other.
        if self._lineages.requests:
            raise LocalError("busy", "Another operation waits for its turn; say so again when it is done.")
        self._lineages.requests.extend(requests)

    def _account_operation(self, name):
        kind = {"contacts": CONTACTS, "rollover": ROLLOVER, "deactivate": DEACTIVATION}.get(name)
        if kind is None:
            raise LocalError("event", "There is no account operation '%s'." % name)
        _operations()
        # Where there are two accounts, what the owner asks for is for both.
        roles = self._account.roles()
        if not roles:
            raise LocalError("account", "There is no account yet.")
        self._queue([Request(kind, role) for role in roles])

    def _recover(self, scalar):
        _operations()
        # In three steps, so that a refusal of any kind leaves nothing behind.
        self._account.take_pending_key(scalar)
        self._queue([Request(RECOVERY, EVERYTHING)])
        self._account.keep_pending_key()
