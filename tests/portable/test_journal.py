"""The journal: what goes in comes out, whole or not at all, and nothing allocates on the way."""

import hashlib
import unittest

from portable_support import code_of, locked

from ipcert import journal, keys, limits
from ipcert.errors import LocalError
from ipcert_port.port.sign import Signer

INTS = (
    "planned_at",
    "reason",
    "failures",
    "not_after",
    "file_id",
    "pending_file_id",
    "ask_window_at",
    "consent_at",
    "revocation_reason",
    "wanted_at",
    "presence",
    "doubted_at",
    "doubt_answers",
)


class Digest:
    """SHA-256 without allocation on the heap: the result of each call is put together beforehand where it matters."""

    def __call__(self, buf, start, end, out, off):
        h = 0x1234
        for k in range(start, end):
            h = (h * 31 + buf[k] + 7) & 0x3FFFFF
        for k in range(32):
            out[off] = h >> k % 15 & 255
            off += 1
        return off


def sha256(buf, start, end, out, off):
    out[off : off + 32] = hashlib.sha256(bytes(buf[start:end])).digest()
    return off + 32


def new(records=limits.LINEAGES, digest=sha256):
    return journal.Journal(keys.Ring(), digest, records)


def filled(digest=sha256, count=3):
    j = new(digest=digest)
    j.clock_floor = 1000
    j.account_file_id = 4
    j.last_file_id = limits.NEVER
    j.told_notices = 7
    j.device_id[:] = b"device 1"
    j.account_url.set(b"https://ca.example/acct/1")
    j.terms.set(b"")
    j.account_role = 1
    j.other_account_file_id = 9
    j.other_account_key_hash[:] = b"87654321"
    j.other_account_url.set(b"https://ca.example/acct/2")
    j.ring.add(b"12345678", 0)
    for k in range(count):
        r = j.new()
        for n, name in enumerate(INTS):
            setattr(r, name, k * 1000 + n)
        r.certificate_role, r.order_role = k & 1, k >> 1 & 1
        r.key_hash[:] = bytes([k]) * 8
        r.identifiers_text.set(b"n%d.example.net" % k)
        r.order_url.set(b"https://ca.example/order/%d" % k * (k + 1))
    return j


def same(test, a, b):
    for name in (
        "clock_floor",
        "account_file_id",
        "last_file_id",
        "told_notices",
        "device_id",
        "consent_nonce",
        "pending_account_file_id",
        "revoked_at",
        "account_role",
        "other_account_file_id",
        "other_account_key_hash",
    ):
        test.assertEqual(getattr(a, name), getattr(b, name))
    test.assertEqual(
        (a.account_url.get(), a.other_account_url.get()), (b.account_url.get(), b.other_account_url.get())
    )
    test.assertEqual((a.ring.data, a.ring.next), (b.ring.data, b.ring.next))
    test.assertEqual(a.count, b.count)
    for x, y in zip(a.records(), b.records()):
        for name in INTS + ("certificate_role", "order_role", "key_hash", "pending_key_hash", "chain_hash"):
            test.assertEqual(getattr(x, name), getattr(y, name))
        for name in ("identifiers_text", "order_url", "profile", "ari_id"):
            test.assertEqual(getattr(x, name).get(), getattr(y, name).get())


class Encoding(unittest.TestCase):
    def test_there_and_back(self):
        for count in (0, 1, 3, limits.LINEAGES):
            j = filled(count=count)
            buf = bytearray(limits.JOURNAL_MOST)
            n = j.encode(buf)
            self.assertEqual(j.sequence, 1)
            other = new()
            self.assertEqual(other.check(buf, n), journal.WHOLE)
            self.assertEqual(other.sequence_of(buf), 1)
            self.assertTrue(other.decode(buf, n))
            same(self, j, other)

    def test_nothing_is_allocated(self):
        j = filled(Digest())
        buf = bytearray(limits.JOURNAL)
        n = locked(lambda: j.encode(buf))
        other = filled(Digest())
        self.assertEqual(locked(lambda: other.check(buf, n)), journal.WHOLE)
        self.assertTrue(locked(lambda: other.decode(buf, n)))
        same(self, j, other)

    def test_nothing_is_allocated_with_the_digest_of_this_port(self):
        signer = Signer(None)
        j = filled(signer.sha256)
        buf = bytearray(limits.JOURNAL)
        n = locked(lambda: j.encode(buf))
        self.assertEqual(locked(lambda: j.check(buf, n)), journal.WHOLE)
        self.assertEqual(new().check(buf, n), journal.WHOLE)

    def test_every_cut_is_torn(self):
        j = filled()
        buf = bytearray(limits.JOURNAL)
        n = j.encode(buf)
        for k in range(n):
            self.assertEqual(new().check(buf[:k], k), journal.TORN)

    def test_every_flipped_bit_is_torn(self):
        j = filled(count=1)
        buf = bytearray(limits.JOURNAL)
        n = j.encode(buf)
        check = new()
        for k in range(n):
            buf[k] ^= 1 << k % 8
            self.assertEqual(check.check(buf, n), journal.TORN)
            buf[k] ^= 1 << k % 8
        self.assertEqual(check.check(buf, n), journal.WHOLE)

    def test_version_one_knew_one_account(self):
        j = filled(count=2)
        buf = bytearray(limits.JOURNAL)
        n = j.encode(buf)
        for r in j.records():
            r.certificate_role = r.order_role = 0
            r.wanted_at = r.presence = r.doubted_at = r.doubt_answers = 0
        j.account_role = j.other_account_file_id = 0
        j.other_account_key_hash[:] = bytes(8)
        j.other_account_url.set(b"")
        # The fields that came with versions 2 and 3, from the end to the beginning: other, other_hash, role and other_gen.
        body = bytes(buf[: n - 8])

        def without(at, n):
            self.assertGreater(at, 0)
            return body[:at] + body[at + n :]

        for k in (1, 0):
            key = bytes(j.records()[k].key_hash) + bytes(16) + b"\0\x0en%d.example.net" % k
            body = without(body.find(key) - 20, 20)
        body = without(body.find(b"\0\x19https://ca.example/acct/2"), 27)
        body = without(body.find(b"87654321"), 8)
        body = bytearray(without(11 + 6 * 4, 2 * 4))
        body[4] = 1
        body[9], body[10] = len(body) - 11 >> 8, len(body) - 11 & 255
        sha256(body, 0, len(body), j._digest, 0)
        body += j._digest[:8]
        other = new()
        self.assertEqual(other.check(body, len(body)), journal.WHOLE)
        self.assertTrue(other.decode(body, len(body)))
        same(self, j, other)
        self.assertEqual(body[4], 1)
        other.encode(buf)
        self.assertEqual(buf[4], journal.VERSION)

    def test_failures_are_counted_by_kind(self):
        r = journal.Record()
        r._failures = 1  # what ipcert 0.1.0 had there means nothing
        for kind in range(4):
            self.assertEqual(r.failures_by(kind), 0)
        for kind, times in ((0, 70), (2, 3), (3, 1)):
            for _ in range(times):
                r.add_failure(kind)
        self.assertEqual([r.failures_by(kind) for kind in range(4)], [63, 0, 3, 1])
        self.assertEqual(r.failures, 74)
        for kind in range(4):
            for _ in range(2000):
                r.add_failure(kind)
        self.assertEqual([r.failures_by(kind) for kind in range(4)], [63] * 4)
        self.assertTrue(r._failures <= limits.NEVER and r.failures == 1000)
        r.no_failures()
        self.assertEqual([r.failures_by(kind) for kind in range(4)] + [r.failures, r.failed_at], [0] * 6)

    def test_a_later_version(self):
        j = filled()
        buf = bytearray(limits.JOURNAL)
        n = j.encode(buf)
        buf[4] = journal.VERSION + 1
        sha256(buf, 0, n - 8, j._digest, 0)
        buf[n - 8 : n] = j._digest[:8]
        self.assertEqual(new().check(buf, n), journal.NEWER)

    def test_no_room(self):
        j = filled()
        n = j.encode(bytearray(limits.JOURNAL))
        for size in (0, 10, 100, 700, n - 40, n - 1):
            self.assertEqual(code_of(LocalError, lambda s=size: j.encode(bytearray(s))), "overflow")
        self.assertEqual(j.sequence, 1)  # what failed did not count
        self.assertEqual(j.encode(bytearray(n)), n)

    def test_whole_but_senseless(self):
        j = filled(count=1)
        buf = bytearray(limits.JOURNAL)
        n = j.encode(buf)
        few = new(0)
        self.assertFalse(few.decode(buf, n))
        for end in (20, 100, n - 12):  # a shorter body than its fields need
            short = bytearray(buf[: end + 11])
            short[9], short[10] = end >> 8, end & 255
            self.assertFalse(new().decode(short, len(short)))
        longer = bytearray(buf)
        longer[9], longer[10] = n - 11 >> 8, n - 11 & 255
        self.assertFalse(new().decode(longer, n))

    def test_records_come_and_go(self):
        j = filled()
        a, b, c = j.records()
        j.drop(a)
        self.assertEqual(j.records(), [b, c])
        d = j.new()
        self.assertEqual((d.file_id, d.identifiers_text.size, d.planned_at), (0, 0, limits.NEVER))
        while j.count < limits.LINEAGES:
            j.new()
        self.assertEqual(code_of(LocalError, j.new), "too-many")


class Slots(unittest.TestCase):
    def store(self, writes, tear=None):
        """Files after so many encodings, the last of them cut after `tear` bytes."""
        files = {}
        j = filled()
        slots = journal.Slots(j)
        for k in range(writes):
            j.clock_floor = 1000 + k
            n = slots.encode()
            data = bytes(slots.data[:n])
            files[slots.name] = data if tear is None or k < writes - 1 else data[:tear]
        return files

    def loaded(self, files):
        j = new()
        found = journal.Slots(j).load(files.get)
        return j if found else None

    def test_the_newer_one_counts(self):
        for writes in range(1, 6):
            files = self.store(writes)
            self.assertEqual(sorted(files), ["journal-a", "journal-b"][: min(writes, 2)])
            j = self.loaded(files)
            self.assertEqual((j.clock_floor, j.sequence), (999 + writes, writes))
            same(self, j, self.loaded(files))

    def test_texts_outlive_both_buffers(self):
        j = filled()
        slots = journal.Slots(j)
        for _ in range(5):
            slots.encode()
        self.assertEqual(j.records()[2].identifiers_text.text(), "n2.example.net")
        j.records()[2].identifiers_text.set(b"other.example.net")
        j.drop(j.records()[0])
        for _ in range(3):
            slots.encode()
        self.assertEqual(
            [r.identifiers_text.text() for r in j.records()], ["n1.example.net", "other.example.net"]
        )

    def test_power_at_any_byte(self):
        whole = self.store(3)
        n = len(whole["journal-a"])
        for cut in range(0, n, 7):
            j = self.loaded(self.store(3, cut))
            self.assertEqual(j.clock_floor, 1001)  # the old state
        self.assertEqual(self.loaded(whole).clock_floor, 1002)

    def test_a_first_write_that_was_torn_is_no_state(self):
        self.assertIsNone(self.loaded(self.store(1, 50)))
        self.assertIsNone(self.loaded({}))

    def test_two_torn_ones_are_lost_state(self):
        files = self.store(3, 50)
        files["journal-b"] = files["journal-b"][:60]
        self.assertEqual(code_of(LocalError, lambda: self.loaded(files)), "journal-corrupt")

    def test_too_large(self):
        files = {"journal-a": bytes(limits.JOURNAL_MOST + 1)}
        self.assertEqual(code_of(LocalError, lambda: self.loaded(files)), "journal-corrupt")

    def test_newer_wins_over_whole(self):
        files = self.store(2)
        data = bytearray(files["journal-b"])
        data[4] = journal.VERSION + 1
        out = bytearray(32)
        sha256(data, 0, len(data) - 8, out, 0)
        data[-8:] = out[:8]
        files["journal-b"] = bytes(data)
        self.assertEqual(code_of(LocalError, lambda: self.loaded(files)), "journal-newer")

    def test_senseless(self):
        j = filled(count=3)
        slots = journal.Slots(j)
        n = slots.encode()
        files = {slots.name: bytes(slots.data[:n])}
        small = new(1)
        self.assertEqual(code_of(LocalError, lambda: journal.Slots(small).load(files.get)), "journal-corrupt")

    def test_long_urls_get_a_larger_buffer(self):
        j = filled(count=limits.LINEAGES)
        for r in j.records():
            r.order_url.set(b"u" * limits.URL)
            r.identifiers_text.set(b"n" * 300)
        slots = journal.Slots(j)
        files = {}
        for _ in range(3):
            n = slots.encode()
            files[slots.name] = bytes(slots.data[:n])
        self.assertGreater(n, limits.JOURNAL)
        same(self, j, self.loaded(files))

    def test_more_than_can_be(self):
        j = filled(count=limits.LINEAGES)
        for r in j.records():
            r.identifiers_text.set(b"n" * (limits.JOURNAL_MOST // limits.LINEAGES))
        self.assertEqual(code_of(LocalError, journal.Slots(j).encode), "overflow")
        r.identifiers_text.set(bytes(70000))
        self.assertEqual(code_of(LocalError, journal.Slots(j).encode), "overflow")


if __name__ == "__main__":
    unittest.main()
