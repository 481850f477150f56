"""What the owner and the port ask for while the device runs: `device.Device.event` brings it here.

What holds. An event is checked and noted at once, and refused with a LocalError that says why; it is carried out when the
scheduler comes to it. Planning waits for the second of the next `Device.next`: an event may come days after the last one, and
a plan that was drawn from an old second would be a wrong one. Whatever concerns a lineage is refused while its own order is in
flight.

Several questions may be waiting. For one lineage the latest wish counts: a renewal takes a revocation back.

What must never happen: a wish that is planned from a second that has passed; an event that is taken and then forgotten.
"""

from . import features
from .errors import LocalError

# The events that `operation_commands` has: what is done with an account or a certificate besides ordering one.
_OPERATIONS = ("revoke", "deauthorize", "account", "recover")

# What was asked of a record.
RENEW = 0
CONSENTED = 1
REVOKE = 2


class _Wish:
    # What was asked of a record, and is planned at the next second that the device is told.
    def __init__(self, record, kind):
        self.record = record
        self.kind = kind


class Commands:
    """The events of a device, and the wishes that came with them.

    storage, lineages, account    the device's, for `operation_commands`
    """

    def __init__(self, storage, configuration, lineages, planner, account):
        self.storage = storage
        self._configuration = configuration
        self.lineages = lineages
        self._planner = planner
        self.account = account
        self._wishes = []

    def event(self, now, kind, value, in_flight):
        """Note one event, as `Device.event` describes them. Raises LocalError.

        `now`: the last second that the device was told; `in_flight`: the record of the order under way, or None.
        """
        if kind == "consent":
            self._consent(value)
        elif kind == "renew":
            self._renew(value)
        elif kind in _OPERATIONS:
            features.part("operation_commands").event(self, kind, value, in_flight)
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
            if record not in self.storage.journal.records():
                continue  # another configuration came in between
            if wish.kind == REVOKE:
                self._planner.revocation(record, now)
            else:
                if wish.kind == CONSENTED:
                    record.consent_at = now
                record.revocation_reason = None  # the latest wish counts
                self._planner.at_once(record, now)
            self.storage.changed = True
        return True

    def wish(self, record, kind):
        """Have it planned at the next second that the device is told: RENEW, CONSENTED or REVOKE."""
        self._wishes.append(_Wish(record, kind))

    def waiting(self):
        """True while something that was asked for is not planned yet."""
        return bool(self._wishes)

    # Consent.

    def consent_challenge(self):
        """Eight hexadecimal digits, bound to exactly these identifiers and to this asking; "" where none is needed."""
        consent = self._configuration.consent
        return "" if consent is None else consent.challenge()

    def _consent(self, answer):
        consent = self._configuration.consent
        if consent is None:
            raise LocalError("consent", "Nothing here needs consent.")
        if not self._configuration.applied:
            raise LocalError("consent", "Ask again when the device has read its state.")
        for record in consent.answered(answer):
            self.wish(record, CONSENTED)

    # Certificates.

    def find(self, text, in_flight, code, sentence):
        """The record of a text. Raises LocalError where there is none, or while its own order is in flight."""
        for record in self.storage.journal.records():
            if record.identifiers_text.text() == text:
                if record is in_flight:
                    raise LocalError("busy", "Its order is in flight; say so again when it is over.")
                return record
        raise LocalError(code, sentence % text)

    def _renew(self, text):
        for record in self.storage.journal.records():
            if record.identifiers_text.text() == text and self._configuration.may_order(record):
                self.wish(record, RENEW)
                return
        raise LocalError("event", "There is no certificate for '%s' to renew." % text)

    def _adopt(self, now, value, in_flight):
        adoption = features.part("adoption")
        if not self._configuration.applied:
            raise LocalError("adopt", "Ask again when the device has read its state.")
        record = self.find(
            value.text,
            in_flight,
            "adopt",
            "'%s' is not what one certificate of this configuration is for.",
        )
        adoption.adopt(value, record, self.storage.journal.ring)
        self._planner.renewal(record, now)
        self.storage.changed = True
