"""No key twice: fingerprints as the public record shows them, the ring, and the check before a CSR."""

import hashlib
import unittest

from portable_support import FixedSigner, code_of, locked, unhex

from ipcert import keys, limits
from ipcert.errors import Ours
from ipcert_port.entropy import Entropy
from ipcert_port.sign import Signer as PortSigner

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
        self.new_hash = bytearray(Signer(new).digest[: limits.HASH]) if new else bytearray(limits.HASH)


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
    def check(self, number, account=0, records=(), ring=None):
        signer = Signer(number)
        hash_ = bytearray(Signer(account).digest[: limits.HASH]) if account else bytearray(limits.HASH)
        return keys.check_new(signer, 1, hash_, records, ring or keys.Ring())

    def test_a_new_one(self):
        found = self.check(1, 2, [Record(3, 4), Record()])
        self.assertEqual(bytes(found[: limits.HASH]), Signer(1).digest[: limits.HASH])

    def test_the_check_allocates_nothing(self):
        signer, account, records, ring = Signer(1), bytearray(limits.HASH), [Record(2, 3)], keys.Ring()
        locked(lambda: keys.check_new(signer, 1, account, records, ring))

    def test_with_the_signer_of_this_port(self):
        signer = PortSigner(Entropy())
        account, records, ring = bytearray(limits.HASH), [Record(2, 3)], keys.Ring()
        seen = []
        for _ in range(4):
            signer.generate(1)
            found = locked(lambda: keys.check_new(signer, 1, account, records, ring))
            self.assertNotIn(bytes(found), seen)
            seen.append(bytes(found))
            ring.add(found, 0)
            self.assertEqual(
                code_of(Ours, lambda: keys.check_new(signer, 1, account, records, ring)), "key-reuse"
            )

    def test_each_place_where_it_may_have_been(self):
        ring = keys.Ring()
        ring.add(Signer(9).digest, 0)
        for number, account, records in (
            (5, 5, []), (6, 1, [Record(6)]), (6, 1, [Record(), Record(1, 6)]), (9, 1, []),
        ):  # fmt: skip
            self.assertEqual(
                code_of(Ours, lambda n=number, a=account, r=records: self.check(n, a, r, ring)), "key-reuse"
            )


if __name__ == "__main__":
    unittest.main()
