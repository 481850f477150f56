"""A lineage: a certificate and its successors for one set of identifiers.

What holds. What is wanted stands in a `split.Certificate`, which the configuration gives; what there is stands in a `journal.Record`,
which outlives restarts. The two are matched by the identifiers' text (`configuration.Configuration.apply`), and from then on
`record.certificate` is the wanted one.

A record has at most two keys: that of the live certificate (`file_id`), and that of the order in flight (`pending_file_id`).
The second becomes the first in `commit`, in one write of the journal. A key that leaves a record, for whatever reason, is
erased, and its hash goes into the journal's ring: it is never used again, in this lineage or another one.

What must never happen: two certificates with one key; a key of a lineage that is kept behind its certificate; an identifier
that is not ours any more and for which the CA would still believe us (`give_back`).
"""

from . import journal, limits, plan
from .encoding import key_file
from .errors import LocalError
from .order.request import DEAUTHORIZATION, Request


class Lineages:
    """What becomes of the records of a device's journal.

    requests     operations that wait for their turn (`order.request.Request`)
    taken_down   records whose certificate went out of service, which whoever serves it is not told yet
    """

    def __init__(self, port, storage):
        self._port = port
        self._storage = storage
        self.requests = []
        self.taken_down = []

    def commit(self, record, chain, role, profile):
        """A chain was obtained and written: it replaces the one in service. `role`: of the account that ordered it."""
        # The old key goes onto the list of files to erase, which is worked off after the journal that says so.
        if record.file_id:
            self._retire_live(record)
        record.file_id = record.pending_file_id
        record.key_hash[:] = record.pending_key_hash
        # A chain that changes on the medium is noticed before it is deployed again.
        digest = bytearray(32)
        self._storage.sha256(chain.pem, 0, len(chain.pem), digest, 0)
        record.chain_hash[:] = digest[: limits.HASH]
        record.not_before = chain.not_before
        record.not_after = chain.not_after
        record.ari_id.set(chain.ari_id)
        record.certificate_role = role
        record.order_role = role
        record.profile.set(profile.encode())
        record.pending_file_id = record.ari_window_end = 0
        record.no_failures()
        record.pending_key_hash[:] = bytes(limits.HASH)
        record.ordered_at = 0

    def _retire_live(self, record):
        self._storage.retire_key("key-%d" % record.file_id, record.key_hash)
        self._storage.erase_later("chain-%d" % record.file_id)

    def attempt_failed(self, record, now, failure):
        """An attempt failed, for a reason of `plan`'s. Where it was only the way there, the order may still go on."""
        record.add_failure(failure)
        if record.failures == 1:
            record.failed_at = now
        if failure not in (plan.TRANSPORT, plan.SLOW):
            self.discard_pending_key(record)
            record.ordered_at = 0

    def discard_pending_key(self, record):
        """A key that was made for an order that came to nothing is never used for another one."""
        if record.pending_file_id:
            self._storage.retire_key("key-%d" % record.pending_file_id, record.pending_key_hash)
            record.pending_file_id = 0
            record.pending_key_hash[:] = bytes(limits.HASH)

    def take_down(self, record):
        """The certificate is out of service: its key is erased and remembered, and what serves it is told."""
        if record.file_id:
            self._retire_live(record)
            # A record of its own: this one may be dropped, or have another certificate, before anybody is told.
            gone = journal.Record()
            gone.identifiers_text.set(record.identifiers_text.get())
            self.taken_down.append(gone)
        record.file_id = record.not_before = record.not_after = 0
        record.ask_window_at = record.ari_window_end = 0
        record.key_hash[:] = record.chain_hash[:] = bytes(limits.HASH)
        record.ari_id.set(b"")

    def retire(self, record):
        """The lineage has no place in the configuration any more: all that it had goes."""
        self.take_down(record)
        if record.pending_file_id:
            self._storage.journal.ring.add(record.pending_key_hash, 0)
        self._storage.changed = True

    def give_back(self, record):
        """Have the CA forget what the record's last order proved (RFC 8555 7.5.2)."""
        if record.order_url.size:
            request = Request(DEAUTHORIZATION, record.order_role)
            request.order_url = record.order_url.text()
            self.requests.append(request)
            record.order_url.set(b"")
            record.ordered_at = 0
            self._storage.changed = True

    def revoked(self, record, now):
        """The CA revoked the live certificate: no other one is ordered until somebody asks."""
        self.take_down(record)
        record.revocation_reason = None
        record.planned_at = limits.NEVER
        self._storage.journal.revoked_at = now

    def account_ended(self):
        """The account in use ended, and with it what it proved; nothing is ordered until somebody asks."""
        journal = self._storage.journal
        for record in journal.records():
            record.planned_at = limits.NEVER
            if record.order_role == journal.account_role:
                record.order_url.set(b"")

    def leave_ca(self):
        """Another CA is configured: nothing that this one was asked for, or said, counts any more."""
        for record in self._storage.journal.records():
            record.order_url.set(b"")
            record.ordered_at = record.ask_window_at = 0
            record.profile.set(b"")
            record.ari_id.set(b"")

    def lost(self, record):
        """The medium lost the live certificate or its key: the lineage starts again, at its next plan."""
        self.take_down(record)
        # There is nothing to revoke any more; else the loss is made good as soon as the clock is surely right.
        if record.revocation_reason is not None:
            record.planned_at = record.window_end = limits.NEVER
            record.revocation_reason = None
        else:
            soonest = min(record.planned_at, self._storage.journal.clock_floor)
            record.planned_at = record.window_end = soonest
        self._storage.changed = True

    def deploy(self, action, record, pem):
        """Fill the action with a record's key and chain."""
        data = self._storage.read("key-%d" % record.file_id)
        if data is None:
            raise LocalError("key-file", "A key file is missing; its certificate is replaced.")
        action.deploy(record, key_file.pkcs8(self._port, data), pem)
