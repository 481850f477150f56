"""The owner's consent to a certificate that says more than it must: a name with an address, or addresses of both families.

What holds. Such a certificate waits without a plan until the owner has answered with the challenge: eight digits that are bound
to exactly its identifiers and to this asking. Who agreed to what is in the journal (`consent_at`). A public server in a data
centre is not asked (`policy.setting`).

What must never happen: an order that the owner did not consent to; an old answer that counts again; the answer to one question
that is taken for the answer to another one.

A firmware that never asks for a combined certificate leaves this file out (the feature `combined`).
"""

from . import limits, notices
from .errors import LocalError


class Consent:
    """Of a device at home, for `certificates`, which need it. The other parts are the device's."""

    def __init__(self, certificates, port, storage, planner, outbox):
        self._texts = [certificate.text for certificate in certificates]
        self._port = port
        self._storage = storage
        self._planner = planner
        self._outbox = outbox

    def covers(self, record):
        """True for a record that needs no consent, or has it."""
        return record.identifiers_text.text() not in self._texts or record.consent_at != 0

    def ask(self):
        """Ask the owner about what is not agreed to yet, and plan none of it."""
        for record in self._storage.journal.records():
            if not self.covers(record):
                self._planner.never(record)  # until the owner has agreed
                nonce = self._storage.journal.consent_nonce
                # The same question keeps its challenge over a restart: the owner may be typing the answer.
                if not any(nonce):
                    self._port.entropy.fill(nonce)
                self._storage.changed = True
                self._outbox.notice(notices.CONSENT_NEEDED, record.identifiers_text.text())

    def _wanted(self):
        # The text of the certificate that the owner is asked about: the first without consent, else the first.
        given = [
            record.identifiers_text.text() for record in self._storage.journal.records() if record.consent_at
        ]
        return ([text for text in self._texts if text not in given] or self._texts)[0]

    def challenge(self):
        """Eight hexadecimal digits, bound to exactly these identifiers and to this asking."""
        # The nonce makes an old answer worthless, the identifiers make it good for nothing else.
        data = self._storage.journal.consent_nonce + self._wanted().encode()
        digest = bytearray(32)
        self._storage.sha256(data, 0, len(data), digest, 0)
        return digest[:4].hex()

    def answered(self, answer):
        """The records that the owner's answer is for. Raises LocalError("consent") where it is not the one asked for."""
        if answer.strip().lower() != self.challenge():
            raise LocalError("consent", "That is not the answer asked for; nothing was ordered.")
        text = self._wanted()
        # An answer is good for once: whatever is asked next has another challenge.
        self._storage.journal.consent_nonce[:] = bytes(limits.HASH)
        self._outbox.notice(notices.CONSENT_GIVEN, text)
        return [
            record for record in self._storage.journal.records() if record.identifiers_text.text() == text
        ]
