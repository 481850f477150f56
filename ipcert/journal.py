"""The journal: everything that changes, in one small slot that is whole or not there.

What holds. There are two slots, written in turn; the whole one with the higher sequence number counts. A write that is cut
short leaves a slot that is not whole, and the other one, which is the state from before. So what comes back after a power
cut is the old state or the new one, never a third.

A slot is "ipcJ", the version (1 byte), the sequence number (4), the length of the body (2), the body, then the first eight
bytes of SHA-256 over all that; it stands where others have a CRC, because the port has a fast one that does not allocate.
Integers are four bytes below 2**30, texts a length of two bytes and the bytes. The tables below are the body's layout: their
order is the order of the bytes, a field is added at the end of its table together with a new version, and none is ever taken
away. Every version that a release wrote is read for ever; tests/vectors has one state of each.

Nothing here allocates once the objects are made (a record when it is first needed). A text that was read points into the
slot's buffer until it is set.

What must never happen: a slot of a later version, or one that makes no sense, is touched; a check value is passed over; both
slots are the same buffer on the medium, since then a cut could take both.
"""

from . import limits
from .encoding.buffer import copy, get_int, put, put_int, same
from .errors import LocalError

VERSION = 3  # 1 knew one account; 2 believed every new address at once
_MAGIC = b"ipcJ"
_HEAD = 11
_TAIL = 8

WHOLE = 0
TORN = 1
NEWER = 2

# The body's layout. What versions 2 and 3 added stands on lines of its own.
_INTS = (
    "clock_floor", "account_file_id", "pending_account_file_id", "last_file_id", "told_notices", "revoked_at",
    "account_role", "other_account_file_id",
)  # fmt: skip
_HASHES = (
    "device_id", "account_key_hash", "ca_hash", "consent_nonce",
    "other_account_key_hash",
)  # fmt: skip
_TEXTS = (
    "account_url", "terms",
    "other_account_url",
)  # fmt: skip
_RECORD_INTS = (
    "_failures", "planned_at", "window_start", "window_end", "reason", "failures", "failed_at", "not_before", "not_after",
    "file_id", "pending_file_id", "ordered_at", "ask_window_at", "ari_window_end", "consent_at", "created_at", "_revocation",
    "_roles",
    "wanted_at", "presence", "doubted_at", "doubt_answers",
)  # fmt: skip
_MOST_BY_KIND = 63
_RECORD_HASHES = ("key_hash", "pending_key_hash", "chain_hash")
_RECORD_TEXTS = ("identifiers_text", "order_url", "profile", "ari_id")


class Text:
    """Bytes somewhere in a buffer, or set by hand."""

    def __init__(self):
        self.buffer = b""
        self.start = 0
        self.size = 0

    def set(self, data):
        """Point at `data` (bytes), all of it."""
        self.buffer = data
        self.start = 0
        self.size = len(data)

    def get(self):
        """A copy, as bytes. Allocates."""
        return bytes(self.buffer[self.start : self.start + self.size])

    def text(self):
        """A copy, as str. Allocates. Only printable ASCII is ever stored."""
        return self.get().decode()


class Record:
    """One lineage. Times are core seconds, 0 or `limits.NEVER` for none.

    planned_at, window_start, window_end, reason    the plan: the second, what it was drawn from, and why (`plan`'s code)
    failures           attempts failed in a row, the first at `failed_at`; failures_by(kind): those of one kind
    not_before, not_after, file_id, key_hash, chain_hash    the live certificate and the number of its files; 0: none
    order_url, ordered_at, pending_file_id, pending_key_hash    the last order, in flight while ordered_at is not 0, and the
                       key made for it
    certificate_role, order_role       of the account (`account`) that ordered the live certificate, and that of the last order
    revocation_reason  of the revocation that is planned, RFC 5280 5.3.1; None: none is
    ask_window_at, ari_window_end      ARI: when the CA is asked next, and the end of the window last seen
    identifiers_text   the canonical identifiers, comma-separated; profile, ari_id: as used for the live certificate
    consent_at         when the owner agreed to this combined certificate
    created_at         when the lineage came into being; wanted_at: since when it is wanted without a doubt in between
    presence, doubted_at, doubt_answers    what is known of an address and what speaks against it (`presence`); doubted_at: when
                       that counted last, 0: nothing does
    certificate        the `split.Certificate` that is wanted; not stored; `configuration` sets it
    """

    def __init__(self):
        _make(self, _RECORD_HASHES, _RECORD_TEXTS)
        self.clear()

    def clear(self):
        """Back to an unused record."""
        for name in _RECORD_INTS:
            setattr(self, name, 0)
        for name in _RECORD_HASHES:
            put(getattr(self, name), 0, b"\0\0\0\0\0\0\0\0")
        for name in _RECORD_TEXTS:
            getattr(self, name).set(b"")
        self.planned_at = limits.NEVER

    # Three fields are stored denser than they are used.

    def failures_by(self, kind):
        """How many of the `failures` were of a kind, one of the reasons of `plan`; 63 counts as any larger number.

        A CA that is busy and one that is slow (LIMITED, SLOW) count as one: there is room for four.
        """
        return self._failures >> 6 * min(kind, 3) + 6 & _MOST_BY_KIND

    def add_failure(self, kind):
        """Count another one. The four counts stand in one integer, above six bits that ipcert 0.1.0 used."""
        # Bounded, since the backoff has long reached its day by then.
        self.failures = min(self.failures + 1, 1000)
        if self.failures_by(kind) < _MOST_BY_KIND:
            self._failures = self._failures + (64 << 6 * min(kind, 3))

    def no_failures(self):
        """An attempt succeeded, or the certificate is another one."""
        self.failures = self.failed_at = self._failures = 0

    @property
    def revocation_reason(self):
        """The reason code, or None. Stored plus one, because 0 is a reason too."""
        return self._revocation - 1 if self._revocation else None

    @revocation_reason.setter
    def revocation_reason(self, reason):
        """A reason code, or None."""
        self._revocation = 0 if reason is None else reason + 1

    @property
    def certificate_role(self):
        """Bit 0 of what is stored."""
        return self._roles & 1

    @certificate_role.setter
    def certificate_role(self, role):
        """`account.EVERYTHING` or `account.ADDRESSES`."""
        self._roles = self._roles & 2 | role

    @property
    def order_role(self):
        """Bit 1 of what is stored."""
        return self._roles >> 1

    @order_role.setter
    def order_role(self, role):
        """`account.EVERYTHING` or `account.ADDRESSES`."""
        self._roles = self._roles & 1 | role << 1


def _make(target, hashes, texts):
    for name in hashes:
        setattr(target, name, bytearray(limits.HASH))
    for name in texts:
        setattr(target, name, Text())


def _put(out, offset, source, ints, hashes, texts):
    for name in ints:
        offset = put_int(out, offset, getattr(source, name))
    for name in hashes:
        offset = put(out, offset, getattr(source, name))
    for name in texts:
        offset = _put_text(out, offset, getattr(source, name))
    return offset


def _get(buffer, offset, end, target, ints, hashes, texts):
    for name in ints:
        setattr(target, name, get_int(buffer, offset))
        offset += 4
    for name in hashes:
        copy(getattr(target, name), 0, buffer, offset, offset + limits.HASH)
        offset += limits.HASH
    for name in texts:
        text = getattr(target, name)
        text.buffer = buffer
        text.size = buffer[offset] << 8 | buffer[offset + 1]
        text.start = offset + 2
        offset += 2 + text.size
        if offset > end:
            raise ValueError
    return offset


def _put_text(out, offset, text):
    if offset + 2 > len(out) or text.size > 65535:
        raise LocalError("overflow", "The journal is full: fewer or shorter identifiers are needed.")
    out[offset] = text.size >> 8
    out[offset + 1] = text.size & 255
    return copy(out, offset + 2, text.buffer, text.start, text.start + text.size)


class Journal:
    """The durable state. `ring` is a `keys.Ring`; `sha256(buf, start, end, out, off)` is the port's.

    sequence           the sequence number of what was read or last encoded
    clock_floor        the latest second at which the CA is known to have answered: the clock is never believed below it
    device_id          eight random bytes of this device, compared with the port's own copy where it has one
    account_url, account_key_hash, account_file_id    of the account in use: its URL, its key's hash, the number of its key
                       file (0: none)
    other_account_url, other_account_key_hash, other_account_file_id    the same of the other one, where there are two
    account_role       of the account in use, `account.EVERYTHING` or `account.ADDRESSES` (docs/privacy.md#p13)
    pending_account_file_id    number of the key file that a key rollover in flight made (0: none)
    revoked_at         when a lineage was last revoked (0: never)
    ca_hash            of the directory URL: state belongs to one CA
    terms              URL of the CA's terms of service when they were last seen
    last_file_id       the last number given to a key or chain file
    told_notices       mask of notices already shown
    consent_nonce      eight random bytes of the consent being asked for
    """

    def __init__(self, ring, sha256, records=limits.LINEAGES):
        self.ring = ring
        self._sha256 = sha256
        self._digest = bytearray(32)
        self.most = records
        self.all = []  # records in use, then spare ones
        self.count = 0
        self.sequence = 0
        for name in _INTS:
            setattr(self, name, 0)
        _make(self, _HASHES, _TEXTS)

    def records(self):
        """The records in use, in order. Allocates the list."""
        return self.all[: self.count]

    def new(self):
        """A cleared record at the end. Raises LocalError when all are in use."""
        if self.count == self.most:
            raise LocalError("too-many", "%d lineages are the most this build keeps." % self.count)
        # Records that were dropped are used again: one has a dozen objects in it.
        self._make(self.count + 1)
        record = self.all[self.count]
        record.clear()
        self.count += 1
        return record

    def _make(self, count):
        while len(self.all) < count:
            self.all.append(Record())

    def drop(self, record):
        """Forget a record; the others keep their order."""
        # It keeps its content: whoever still holds it may read it until it is used again.
        self.all.remove(record)
        self.all.append(record)
        self.count -= 1

    def encode(self, out):
        """Write the whole slot to `out` with the next sequence number; return its length. Raises LocalError("overflow")."""
        offset = put(out, 0, _MAGIC)
        out[offset] = VERSION
        offset = put_int(out, offset + 1, self.sequence + 1) + 2
        offset = _put(out, offset, self, _INTS, _HASHES, _TEXTS)
        offset = put_int(out, offset, self.ring.next)
        offset = put(out, offset, self.ring.data)
        offset = put_int(out, offset, self.count)
        index = 0
        while index < self.count:
            offset = _put(out, offset, self.all[index], _RECORD_INTS, _RECORD_HASHES, _RECORD_TEXTS)
            index += 1
        out[_HEAD - 2] = offset - _HEAD >> 8
        out[_HEAD - 1] = offset - _HEAD & 255
        self._sha256(out, 0, offset, self._digest, 0)
        offset = copy(out, offset, self._digest, 0, _TAIL)
        self.sequence += 1  # only now: what failed on the way did not count
        return offset

    def check(self, buffer, size):
        """WHOLE, TORN or NEWER for the first `size` bytes of `buffer`."""
        if size < _HEAD + _TAIL or not same(buffer, 0, _MAGIC, 0, 4):
            return TORN
        end = _HEAD + (buffer[_HEAD - 2] << 8 | buffer[_HEAD - 1])
        if end + _TAIL > size:
            return TORN
        self._sha256(buffer, 0, end, self._digest, 0)
        if not same(buffer, end, self._digest, 0, _TAIL):
            return TORN
        return NEWER if buffer[4] > VERSION else WHOLE

    def sequence_of(self, buffer):
        """The sequence number of a slot that `check` found whole."""
        return get_int(buffer, 5)

    def decode(self, buffer, size):
        """Read a slot that `check` found WHOLE; texts point into `buffer` from now on. False if it makes no sense."""
        try:
            return self._decode(buffer, _HEAD + (buffer[_HEAD - 2] << 8 | buffer[_HEAD - 1]))
        except (IndexError, ValueError):
            return False

    def _decode(self, buffer, end):
        self.sequence = get_int(buffer, 5)
        offset = _HEAD
        ints = _INTS
        hashes = _HASHES
        texts = _TEXTS
        record_ints = _RECORD_INTS
        if buffer[4] < 2:  # it had no second account
            ints = ints[:-2]
            hashes = hashes[:-1]
            texts = texts[:-1]
            record_ints = record_ints[:-5]
        elif buffer[4] < 3:  # nor doubts
            record_ints = record_ints[:-4]
        offset = _get(buffer, offset, end, self, ints, hashes, texts)
        self.ring.next = get_int(buffer, offset) % limits.RING
        offset += 4
        copy(self.ring.data, 0, buffer, offset, offset + len(self.ring.data))
        offset += len(self.ring.data)
        self.count = get_int(buffer, offset)
        offset += 4
        # Whole, but written by a build that keeps more lineages: nothing is dropped to make it fit.
        if self.count > self.most:
            self.count = 0
            return False
        self._make(self.count)
        index = 0
        while index < self.count:
            record = self.all[index]
            offset = _get(buffer, offset, end, record, record_ints, _RECORD_HASHES, _RECORD_TEXTS)
            if buffer[4] < 3:
                record.wanted_at = record.created_at
                record.presence = record.doubted_at = record.doubt_answers = 0
            index += 1
        return offset == end  # bytes left over mean that the layout is another one


class Slots:
    """The two slots in the store, and the two buffers they are read and written through."""

    NAMES = ("journal-a", "journal-b")

    def __init__(self, journal, size=limits.JOURNAL):
        self.journal = journal
        self._buffers = [bytearray(size), bytearray(size)]
        self._current = 1

    def load(self, read):
        """Read both slots with `read(name) -> bytes or None` and take the newer whole one.

        Return True when there was one, False when there is nothing yet. Raises LocalError("journal-newer") for a slot of
        a later version and LocalError("journal-corrupt") when slots exist but none is whole; neither is touched.
        """
        best = -1
        found = 0
        for index in (0, 1):
            data = read(self.NAMES[index])
            if data is None:
                continue
            found += 1
            if len(data) > limits.JOURNAL_MOST:
                raise LocalError(
                    "journal-corrupt",
                    "The journal is larger than any that ipcert writes; nothing was changed.",
                )
            if len(data) > len(self._buffers[index]):  # written for more identifiers than there are now
                self._buffers[index] = bytearray(len(data))
            put(self._buffers[index], 0, data)
            verdict = self.journal.check(self._buffers[index], len(data))
            if verdict == NEWER:
                raise LocalError(
                    "journal-newer",
                    "The journal was written by a later version of ipcert; install that one again. "
                    "Nothing was changed.",
                )
            if verdict == WHOLE and (best < 0 or self._sequence(index) > self._sequence(best)):
                best = index
        if best < 0:
            # One torn slot alone is a first write that was cut short: there was no state before it.
            if found < 2:
                return False
            raise LocalError(
                "journal-corrupt",
                "Both slots of the journal are damaged, so the state is lost. Keep the directory for inspection, "
                "or run 'ipcert reset' to start afresh.",
            )
        if not self.journal.decode(self._buffers[best], len(self._buffers[best])):
            raise LocalError(
                "journal-corrupt", "The journal does not make sense to this build; nothing was changed."
            )
        self._current = best
        return True

    def _sequence(self, index):
        return self.journal.sequence_of(self._buffers[index])

    def encode(self):
        """Encode into the slot that is not current and make it current; return its length.

        `name` and `data` are what to write, durably, before anything that was decided is acted on.
        """
        other = 1 - self._current
        while True:
            try:
                size = self.journal.encode(self._buffers[other])
                break
            except LocalError:
                # Longer URLs than any known CA's: a larger buffer, once, rather than a device that cannot go on.
                larger = len(self._buffers[other]) * 2
                if larger > limits.JOURNAL_MOST:
                    raise
                self._buffers[other] = bytearray(larger)
        self.name = self.NAMES[other]
        self.data = self._buffers[other]
        self._current = other
        # Texts that still point into the old buffer would be lost at the next encode.
        self.journal.decode(self.data, size)
        return size
