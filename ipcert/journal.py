"""The journal: everything that changes, in one small slot that is whole or not there.

Layout: "ipcJ", version (1 byte), sequence number (4), length of the body (2), body, then the first eight
bytes of SHA-256 over all that. Two slots are written in turn; the whole one with the higher sequence
number counts. A truncated SHA-256 replaces a CRC: the port has a fast one that does not allocate.
Integers are four bytes below 2**30, texts a two-byte length and bytes. Nothing here allocates once the
objects are made (a record when it is first needed); a text points into the buffer it was read from until it is set.
"""

from . import limits
from .encoding.buffer import copy, get_int, put, put_int, same
from .errors import LocalError

VERSION = 2  # 1 knew one account
_MAGIC = b"ipcJ"
_HEAD = 11
_TAIL = 8

WHOLE = 0
TORN = 1
NEWER = 2

ACTIVE = 0
RETIRED = 1


class Text:
    """Bytes somewhere in a buffer, or set by hand."""

    def __init__(self):
        self.buf = b""
        self.start = 0
        self.n = 0

    def set(self, data):
        """Point at `data` (bytes), all of it."""
        self.buf = data
        self.start = 0
        self.n = len(data)

    def get(self):
        """A copy, as bytes. Allocates."""
        return bytes(self.buf[self.start : self.start + self.n])

    def text(self):
        """A copy, as str. Allocates. Only printable ASCII is ever stored."""
        return self.get().decode()


_RECORD_INTS = (
    "state", "at", "lo", "hi", "why", "failures", "failed_at", "not_before", "not_after", "gen", "new_gen",
    "order_at", "poll_at", "window_end", "consent_at", "since",
    "revoke", "account",
)  # fmt: skip
_RECORD_HASHES = ("key_hash", "new_hash", "chain_hash")
_RECORD_TEXTS = ("ids", "order", "profile", "ari")
_INTS = ("floor", "account_gen", "pending_gen", "generation", "told", "revoked_at", "role", "other_gen")
_HASHES = ("device", "account_hash", "ca_hash", "consent_nonce", "other_hash")
_TEXTS = ("account", "terms", "other")


class Record:
    """One lineage. Times are core seconds; `at` is the plan, drawn from `lo` to `hi` because of `why`.

    state          ACTIVE or RETIRED
    failures       attempts failed in a row, the first at `failed_at`
    not_before, not_after, gen, key_hash, chain_hash    the live certificate; gen 0: none
    order, order_at, new_gen, new_hash     the last order, in flight while order_at is not 0, and the key made for it
    poll_at, window_end                    ARI: the next poll, and the end of the window last seen
    ids            canonical identifiers, comma-separated; profile, ari: as used for the live certificate
    consent_at     when the owner agreed to this combined certificate; 0: never
    since          when the lineage came into being
    revoke         1 + the reason code of the revocation that `at` plans; 0: none
    account        roles of the accounts: bit 0 ordered the live certificate, bit 1 the last order
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
        self.at = limits.NEVER


def _make(obj, hashes, texts):
    for name in hashes:
        setattr(obj, name, bytearray(limits.HASH))
    for name in texts:
        setattr(obj, name, Text())


def _put(out, off, obj, ints, hashes, texts):
    for name in ints:
        off = put_int(out, off, getattr(obj, name))
    for name in hashes:
        off = put(out, off, getattr(obj, name))
    for name in texts:
        off = _put_text(out, off, getattr(obj, name))
    return off


def _get(buf, off, end, obj, ints, hashes, texts):
    for name in ints:
        setattr(obj, name, get_int(buf, off))
        off += 4
    for name in hashes:
        copy(getattr(obj, name), 0, buf, off, off + limits.HASH)
        off += limits.HASH
    for name in texts:
        text = getattr(obj, name)
        text.buf = buf
        text.n = buf[off] << 8 | buf[off + 1]
        text.start = off + 2
        off += 2 + text.n
        if off > end:
            raise ValueError
    return off


def _put_text(out, off, text):
    if off + 2 > len(out) or text.n > 65535:
        raise LocalError("overflow", "The journal is full: fewer or shorter identifiers are needed.")
    out[off] = text.n >> 8
    out[off + 1] = text.n & 255
    return copy(out, off + 2, text.buf, text.start, text.start + text.n)


class Journal:
    """The durable state. `ring` is a `keys.Ring`; `sha256(buf, start, end, out, off)` is the port's.

    seq                the sequence number of what was read or last encoded
    floor              the latest second at which the CA is known to have answered: the clock is never believed below it
    device             eight random bytes of this device, compared with the port's own copy where it has one
    account, account_hash, account_gen   the URL of the account in use, its key's hash, its key file's number (0: none)
    other, other_hash, other_gen         the same of the other one, where there are two
    role               of the account in use. 0: for everything; 1: for addresses, where DNS names the other one (P13)
    pending_gen        number of the key file that a key rollover in flight made (0: none)
    revoked_at         when a lineage was last revoked (0: never)
    ca_hash            of the directory URL: state belongs to one CA
    generation         the last number given to a key or chain file
    told               mask of notices already shown
    consent_nonce      eight random bytes of the consent being asked for
    """

    def __init__(self, ring, sha256, records=limits.LINEAGES):
        self.ring = ring
        self._sha256 = sha256
        self._digest = bytearray(32)
        self.most = records
        self.all = []  # records in use, then spare ones
        self.count = 0
        self.seq = 0
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
        self._make(self.count + 1)
        r = self.all[self.count]
        r.clear()
        self.count += 1
        return r

    def _make(self, count):
        while len(self.all) < count:
            self.all.append(Record())

    def drop(self, record):
        """Forget a record; the others keep their order."""
        self.all.remove(record)
        self.all.append(record)
        self.count -= 1

    def encode(self, out):
        """Write the whole slot to `out` with the next sequence number; return its length. Raises LocalError("overflow")."""
        off = put(out, 0, _MAGIC)
        out[off] = VERSION
        off = put_int(out, off + 1, self.seq + 1) + 2
        off = _put(out, off, self, _INTS, _HASHES, _TEXTS)
        off = put_int(out, off, self.ring.next)
        off = put(out, off, self.ring.data)
        off = put_int(out, off, self.count)
        k = 0
        while k < self.count:
            off = _put(out, off, self.all[k], _RECORD_INTS, _RECORD_HASHES, _RECORD_TEXTS)
            k += 1
        out[_HEAD - 2] = off - _HEAD >> 8
        out[_HEAD - 1] = off - _HEAD & 255
        self._sha256(out, 0, off, self._digest, 0)
        off = copy(out, off, self._digest, 0, _TAIL)
        self.seq += 1
        return off

    def check(self, buf, n):
        """WHOLE, TORN or NEWER for the first `n` bytes of `buf`."""
        if n < _HEAD + _TAIL or not same(buf, 0, _MAGIC, 0, 4):
            return TORN
        end = _HEAD + (buf[_HEAD - 2] << 8 | buf[_HEAD - 1])
        if end + _TAIL > n:
            return TORN
        self._sha256(buf, 0, end, self._digest, 0)
        if not same(buf, end, self._digest, 0, _TAIL):
            return TORN
        return NEWER if buf[4] > VERSION else WHOLE

    def sequence(self, buf):
        """The sequence number of a slot that `check` found whole."""
        return get_int(buf, 5)

    def decode(self, buf, n):
        """Read a slot that `check` found WHOLE; texts point into `buf` from now on. False if it makes no sense."""
        try:
            return self._decode(buf, _HEAD + (buf[_HEAD - 2] << 8 | buf[_HEAD - 1]))
        except (IndexError, ValueError):
            return False

    def _decode(self, buf, end):
        self.seq = get_int(buf, 5)
        off = _HEAD
        ints = _INTS
        hashes = _HASHES
        texts = _TEXTS
        record_ints = _RECORD_INTS
        if buf[4] < 2:  # it had no second account
            ints = ints[:-2]
            hashes = hashes[:-1]
            texts = texts[:-1]
            record_ints = record_ints[:-1]
        off = _get(buf, off, end, self, ints, hashes, texts)
        self.ring.next = get_int(buf, off) % limits.RING
        off += 4
        copy(self.ring.data, 0, buf, off, off + len(self.ring.data))
        off += len(self.ring.data)
        self.count = get_int(buf, off)
        off += 4
        if self.count > self.most:
            self.count = 0
            return False
        self._make(self.count)
        k = 0
        while k < self.count:
            off = _get(buf, off, end, self.all[k], record_ints, _RECORD_HASHES, _RECORD_TEXTS)
            k += 1
        return off == end


class Slots:
    """The two slots in the store, and the two buffers they are read and written through."""

    NAMES = ("journal-a", "journal-b")

    def __init__(self, journal, size=limits.JOURNAL):
        self.journal = journal
        self._buf = [bytearray(size), bytearray(size)]
        self._current = 1

    def load(self, read):
        """Read both slots with `read(name) -> bytes or None` and take the newer whole one.

        Return True when there was one, False when there is nothing yet. Raises LocalError("journal-newer") for a slot of
        a later version and LocalError("journal-corrupt") when slots exist but none is whole; neither is touched.
        """
        best = -1
        found = 0
        for k in (0, 1):
            data = read(self.NAMES[k])
            if data is None:
                continue
            found += 1
            if len(data) > limits.JOURNAL_MOST:
                raise LocalError(
                    "journal-corrupt",
                    "The journal is larger than any that ipcert writes; nothing was changed.",
                )
            if len(data) > len(self._buf[k]):  # written for more identifiers than there are now
                self._buf[k] = bytearray(len(data))
            put(self._buf[k], 0, data)
            verdict = self.journal.check(self._buf[k], len(data))
            if verdict == NEWER:
                raise LocalError(
                    "journal-newer",
                    "The journal was written by a later version of ipcert; install that one again. "
                    "Nothing was changed.",
                )
            if verdict == WHOLE and (
                best < 0 or self.journal.sequence(self._buf[k]) > self.journal.sequence(self._buf[best])
            ):
                best = k
        if best < 0:
            # One torn slot alone is a first write that was cut short: there was no state before it.
            if found < 2:
                return False
            raise LocalError(
                "journal-corrupt",
                "Both slots of the journal are damaged, so the state is lost. Keep the directory for inspection, "
                "or run 'ipcert reset' to start afresh.",
            )
        if not self.journal.decode(self._buf[best], len(self._buf[best])):
            raise LocalError(
                "journal-corrupt", "The journal does not make sense to this build; nothing was changed."
            )
        self._current = best
        return True

    def encode(self):
        """Encode into the slot that is not current and make it current; return its length.

        `name` and `data` are what to write, durably, before anything that was decided is acted on.
        """
        other = 1 - self._current
        while True:
            try:
                n = self.journal.encode(self._buf[other])
                break
            except LocalError:
                # Longer URLs than any known CA's: a larger buffer, once, rather than a device that cannot go on.
                size = len(self._buf[other]) * 2
                if size > limits.JOURNAL_MOST:
                    raise
                self._buf[other] = bytearray(size)
        self.name = self.NAMES[other]
        self.data = self._buf[other]
        self._current = other
        # Texts that still point into the old buffer would be lost at the next encode.
        self.journal.decode(self.data, n)
        return n
