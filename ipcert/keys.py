"""Keys: in the signer's slots, in their files, and none of them twice.

What holds. A key is made in a slot of the port's signer and never leaves it but into its file, sealed where the port has a
secret for that. It is known by the first eight bytes of SHA-256 over its SubjectPublicKeyInfo, which is also what anyone can
compute from the public record. Before a key is used for the first time its hash is compared with every key that is in use and
with the last `limits.RING` retired ones.

What must never happen: one key in two lineages, as an account's key and a certificate's, or again after an address change. The
logs would show for ever that both belong to one device. A match means that this machine's random numbers repeat, so nothing
is ordered at all.
"""

from . import limits
from .encoding import key_file, p256
from .encoding.buffer import copy, same, wipe
from .errors import LocalError

# Made once: a fingerprint is taken at every issuance.
_spki = bytearray(p256.SPKI)
_point = bytearray(p256.POINT)
_hash = bytearray(32)


def fingerprint(signer, slot, out, offset):
    """Write the 32-byte SHA-256 of the slot's SubjectPublicKeyInfo (RFC 5480) to `out[offset:]`; return the new offset."""
    signer.public(slot, _point, 0)
    size = p256.write_spki(_spki, 0, _point, 0)
    return signer.sha256(_spki, 0, size, out, offset)


class Ring:
    """The truncated hashes of the last `limits.RING` retired keys, oldest overwritten first."""

    def __init__(self):
        self.data = bytearray(limits.RING * limits.HASH)
        self.next = 0

    def add(self, buffer, offset):
        """Remember `limits.HASH` bytes at `buffer[offset:]`."""
        copy(self.data, self.next * limits.HASH, buffer, offset, offset + limits.HASH)
        self.next = (self.next + 1) % limits.RING

    def holds(self, buffer, offset):
        """True when the hash at `buffer[offset:]` is in the ring."""
        start = 0
        while start < len(self.data):  # whole hashes only: one may not be found across the border of two
            if same(self.data, start, buffer, offset, limits.HASH):
                return True
            start += limits.HASH
        return False


def check_new(signer, slot, journal):
    """Raise LocalError("key-reuse") when the slot's key was ever seen; return a bytearray whose first 8 bytes are its hash.

    Seen are the keys of both accounts, of every record, and the ring of a `journal.Journal`.
    The bytearray returned is overwritten by the next call.
    """
    fingerprint(signer, slot, _hash, 0)
    known = (
        journal.ring.holds(_hash, 0)
        or same(journal.account_key_hash, 0, _hash, 0, limits.HASH)
        or same(journal.other_account_key_hash, 0, _hash, 0, limits.HASH)
    )
    index = 0
    while index < journal.count:
        record = journal.all[index]
        if same(record.key_hash, 0, _hash, 0, limits.HASH):
            known = True
        if same(record.pending_key_hash, 0, _hash, 0, limits.HASH):
            known = True
        index += 1
    if known:
        raise LocalError(
            "key-reuse",
            "The key just made was used before: this machine's random numbers repeat. Nothing was ordered; mend its "
            "entropy source.",
        )
    return _hash


class Keyring:
    """The signer's slots (`limits.ACCOUNT`, SUBJECT, SPARE) and the key files behind them.

    `port` has signer, entropy, sha256, secret and aes. A key is loaded once and stays in its slot until another one takes it.
    """

    def __init__(self, port, storage):
        self.signer = port.signer
        self._port = port
        self._storage = storage
        self._names = [None] * limits.SLOTS  # the file of the key in each slot; None: unknown
        self._writing = None  # the buffer of a key file that is being written

    def make(self, slot):
        """Make a key that was never seen before; return its hash. Raises LocalError("key-reuse")."""
        self.forget(slot)  # whatever was there is overwritten, also where the new one is refused
        self.signer.generate(slot)
        return check_new(self.signer, slot, self._storage.journal)[: limits.HASH]

    def load(self, slot, name):
        """Have the key of a file in the slot. Raises LocalError("key-file") where the file is missing or damaged."""
        if self._names[slot] == name:
            return  # unsealing and checking a key takes a board a tenth of a second
        data = self._storage.read(name)
        if data is None:
            raise LocalError("key-file", "A key file is missing; the order is started again with a new key.")
        self.forget(slot)
        key_file.load(self._port, slot, data)
        self._names[slot] = name

    def forget(self, slot):
        """The key in the slot is not what `load` is asked for next."""
        self._names[slot] = None

    def holds(self, slot, name):
        """True when the key of that file is in the slot."""
        return self._names[slot] == name

    def write(self, action, slot, name):
        """Fill the action with the key file of a key just made."""
        data = bytearray(key_file.SEALED)
        size = key_file.write(self._port, slot, data)
        self._names[slot] = name
        self._writing = data  # wiped when it is on the medium
        action.write(name, data, size)

    def write_later(self, slot, name):
        """Have the key file of a key just made written before the next journal."""
        data = bytearray(key_file.SEALED)
        size = key_file.write(self._port, slot, data)
        self._storage.write_later(name, data, size)

    def written(self, body):
        """A WRITE was carried out: where it was a key's, its buffer is wiped."""
        if self._writing is body:
            wipe(body)
        self._writing = None
