"""No key twice: fingerprints as the public record shows them, the ring, and the check before a CSR."""

import hashlib
import unittest

from portable_support import FixedSigner, code_of, locked, unhex

from ipcert import keys, limits
from ipcert.errors import LocalError
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.sign import Signer as PortSigner

SPKI = unhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


class Signer(FixedSigner):
    """Adds a SHA-256 that is hashlib's, computed beforehand so that nothing is allocated later."""

    def __init__(self, number):
        super().__init__(b"\x04" + bytes([number]) * 64)
        self.digest = hashlib.sha256(SPKI + self.point).digest()
        self.asked = bytearray(91)

    def sha256(self, buf, start, end, out, off):
        for k in range(start, end):
            self.asked[k - start] = buf[k]
        for b in self.digest:
            out[off] = b
            off += 1
        return off


class Record:
    def __init__(self, key=0, new=0):
        self.key_hash = bytearray(Signer(key).digest[: limits.HASH]) if key else bytearray(limits.HASH)
        self.pending_key_hash = (
            bytearray(Signer(new).digest[: limits.HASH]) if new else bytearray(limits.HASH)
        )


class Journal:
    """What of a `journal.Journal` the check looks at."""

    def __init__(self, account=0, other=0, records=(), ring=None):
        self.account_key_hash = Record(account).key_hash
        self.other_account_key_hash = Record(other).key_hash
        self.all = list(records) + [Record(8, 8)]  # the last one is not in use
        self.count = len(records)
        self.ring = ring or keys.Ring()


class Fingerprints(unittest.TestCase):
    def test_of_the_subject_public_key_info(self):
        signer, out = Signer(7), bytearray(40)
        self.assertEqual(locked(lambda: keys.fingerprint(signer, 1, out, 3)), 35)
        self.assertEqual(bytes(signer.asked), SPKI + signer.point)
        self.assertEqual(bytes(out[3:35]), signer.digest)


class Rings(unittest.TestCase):
    def test_the_oldest_goes_first(self):
        ring = keys.Ring()
        buf = bytearray(limits.HASH + 1)

        def fill(n):
            buf[1] = n >> 8
            buf[2] = n & 255
            buf[8] = 1

        def holds(n):
            fill(n)
            return locked(lambda: ring.holds(buf, 1))

        for n in range(limits.RING + 5):
            self.assertFalse(holds(n))
            locked(lambda: ring.add(buf, 1))
            self.assertTrue(holds(n))
        self.assertEqual([n for n in range(limits.RING + 5) if not holds(n)], [0, 1, 2, 3, 4])
        self.assertEqual(ring.next, 5)
        self.assertFalse(holds(limits.RING + 5))

    def test_hashes_are_not_found_across_their_borders(self):
        ring = keys.Ring()
        ring.add(b"12345678", 0)
        ring.add(b"abcdefgh", 0)
        self.assertFalse(ring.holds(b"5678abcd", 0))
        self.assertTrue(ring.holds(b"xabcdefgh", 1))


class Check(unittest.TestCase):
    def check(self, number, *what):
        return keys.check_new(Signer(number), 1, Journal(*what))

    def test_a_new_one(self):
        for number in (1, 8):
            found = self.check(number, 2, 5, [Record(3, 4), Record()])
            self.assertEqual(bytes(found[: limits.HASH]), Signer(number).digest[: limits.HASH])

    def test_the_check_allocates_nothing(self):
        signer, journal = Signer(1), Journal(records=[Record(2, 3)])
        locked(lambda: keys.check_new(signer, 1, journal))

    def test_with_the_signer_of_this_port(self):
        signer = PortSigner(Entropy())
        journal = Journal(records=[Record(2, 3)])
        seen = []
        for _ in range(4):
            signer.generate(1)
            found = locked(lambda: keys.check_new(signer, 1, journal))
            self.assertNotIn(bytes(found), seen)
            seen.append(bytes(found))
            journal.ring.add(found, 0)
            self.assertEqual(code_of(LocalError, lambda: keys.check_new(signer, 1, journal)), "key-reuse")

    def test_each_place_where_it_may_have_been(self):
        ring = keys.Ring()
        ring.add(Signer(9).digest, 0)
        for number, account, other, records in (
            (5, 5, 1, []), (5, 1, 5, []), (6, 1, 2, [Record(6)]), (6, 1, 2, [Record(), Record(1, 6)]), (9, 1, 2, []),
        ):  # fmt: skip
            what = (number, account, other, records, ring)
            self.assertEqual(code_of(LocalError, lambda w=what: self.check(*w)), "key-reuse")


if __name__ == "__main__":
    unittest.main()
