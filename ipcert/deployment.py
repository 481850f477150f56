"""Deployments that are due: at every start each live certificate, later what was taken down, and what failed before.

What holds. Deploying is repeatable: the port changes nothing where the same chain is in place. So the core does not remember
what was deployed; it hands over every live certificate after a start, and nothing is lost by a power cut. A certificate that is
issued while the device runs is handed over by its issuance. What the port could not deploy is tried again after
`limits.DEPLOY_AGAIN`, long before the old certificate ends.

A certificate or key that the medium lost, or that is damaged, is not deployed; the owner is told, and the lineage starts again.
"""

from . import limits, notices
from .encoding import key_file


class Deployment:
    """One record's files to hand over; `file_id` 0: the certificate is to be taken down."""

    def __init__(self, record, file_id):
        self.record = record
        self.file_id = file_id


class Deployments:
    """What waits to be deployed. `lineages` (`lineage.Lineages`) says what was taken down."""

    def __init__(self, port, storage, outbox, lineages):
        self._port = port
        self._lineages = lineages
        self._storage = storage
        self._outbox = outbox
        self._due = []
        self._failed = []
        self._again_at = 0  # when the failed ones are tried again; 0: not planned yet

    def add(self, record):
        """Have what a record has deployed, if it still has the same when its turn comes."""
        self._due.append(Deployment(record, record.file_id))

    def failed(self, record):
        """The port could not deploy what the record has."""
        self._failed.append(Deployment(record, record.file_id))
        self._again_at = 0  # an hour from the next look, for all that failed

    def next(self, action):
        """Fill the action with the next deployment; False where none is due."""
        while self._due:
            one = self._due.pop(0)
            if not one.file_id:  # a certificate that was taken down and could not be told
                action.deploy(one.record, b"", b"")
                return True
            # Another certificate may have come since it was noted: then that one was handed over already.
            if one.record.file_id == one.file_id and self._hand_over(one.record, action):
                return True
        if self._lineages.taken_down:
            action.deploy(self._lineages.taken_down.pop(0), b"", b"")
            return True
        return False

    def _hand_over(self, record, action):
        chain = self._storage.read("chain-%d" % record.file_id)
        key = self._storage.read("key-%d" % record.file_id)
        digest = bytearray(32)
        if chain is not None:
            self._storage.sha256(chain, 0, len(chain), digest, 0)
        # The hash is in the journal: a medium that rots must not be served to visitors.
        if chain is None or key is None or digest[: limits.HASH] != record.chain_hash:
            self._lineages.lost(record)
            self._outbox.notice(
                notices.FAILED,
                record.identifiers_text.text(),
                "Its certificate or key is missing or damaged on this device.",
            )
            return False
        action.deploy(record, key_file.pkcs8(self._port, key), chain)
        return True

    def retry(self, now):
        """True when the failed ones have become due again."""
        if not self._failed:
            return False
        self._again_at = self._again_at or now + limits.DEPLOY_AGAIN
        if now < self._again_at:
            return False
        self._due, self._failed = self._failed, []
        return True

    def until(self, second):
        """The earlier one of `second` and the time at which the failed ones are tried again."""
        return min(second, self._again_at) if self._failed else second
