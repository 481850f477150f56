"""No key twice: not in two lineages, not as account key, not after an address change.

A key is known by the first eight bytes of SHA-256 over its SubjectPublicKeyInfo, which is also what
anyone can compute from the public record.
"""

from . import limits
from .encoding import p256
from .encoding.buffer import copy, same
from .errors import LocalError

_spki = bytearray(p256.SPKI)
_point = bytearray(p256.POINT)
_hash = bytearray(32)


def fingerprint(signer, slot, out, off):
    """Write the 32-byte SHA-256 of the slot's SubjectPublicKeyInfo (RFC 5480) to `out[off:]`; return the new offset."""
    signer.public(slot, _point, 0)
    n = p256.write_spki(_spki, 0, _point, 0)
    return signer.sha256(_spki, 0, n, out, off)


class Ring:
    """The truncated hashes of the last `limits.RING` retired keys, oldest overwritten first."""

    def __init__(self):
        self.data = bytearray(limits.RING * limits.HASH)
        self.next = 0

    def add(self, buf, off):
        """Remember `limits.HASH` bytes at `buf[off:]`."""
        copy(self.data, self.next * limits.HASH, buf, off, off + limits.HASH)
        self.next = (self.next + 1) % limits.RING

    def holds(self, buf, off):
        """True when the hash at `buf[off:]` is in the ring."""
        i = 0
        while i < len(self.data):
            if same(self.data, i, buf, off, limits.HASH):
                return True
            i += limits.HASH
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
    k = 0
    while k < journal.count:
        r = journal.all[k]
        if same(r.key_hash, 0, _hash, 0, limits.HASH) or same(r.pending_key_hash, 0, _hash, 0, limits.HASH):
            known = True
        k += 1
    if known:
        raise LocalError(
            "key-reuse",
            "The key just made was used before: this machine's random numbers repeat. Nothing was ordered; mend its "
            "entropy source.",
        )
    return _hash
