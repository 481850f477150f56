"""What every port promises the core (`ipcert/port.py`, docs/porting.md), as tests that a port's author runs on theirs.

Each class here is the half of a `unittest.TestCase` that checks; the other half makes the part. `test_port.py` does that for the two
ports that are here, and shows how. Nothing in it knows a port. On MicroPython the loops that may not allocate run with the heap
locked.
"""

import hashlib
import json

from portable_support import code_of, decoded, locked, unhex, vectors

from ipcert import limits
from ipcert.errors import LocalError

# P-256 (SEC 2 2.4.2): the field's prime, the order, and the generator.
_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    1,
)


def _double(p):
    """Twice a point; points are Jacobian (x/z**2, y/z**3), None is infinity."""
    if p is None:
        return None
    x, y, z = p
    yy = y * y % _P
    s = 4 * x * yy % _P
    m = 3 * (x - z * z) * (x + z * z) % _P
    x3 = (m * m - 2 * s) % _P
    return x3, (m * (s - x3) - 8 * yy * yy) % _P, 2 * y * z % _P


def _add(p, q):
    if p is None or q is None:
        return p or q
    x1, y1, z1 = p
    x2, y2, z2 = q
    u1, u2 = x1 * z2 * z2 % _P, x2 * z1 * z1 % _P
    s1, s2 = y1 * z2 * z2 * z2 % _P, y2 * z1 * z1 * z1 % _P
    if u1 == u2:
        return _double(p) if s1 == s2 else None
    h, r = u2 - u1, s2 - s1
    x3 = (r * r - h * h * h - 2 * u1 * h * h) % _P
    return x3, (r * (u1 * h * h - x3) - s1 * h * h * h) % _P, h * z1 * z2 % _P


def verifies(point, data, signature):
    """True where r||s is an ECDSA signature over SHA-256 of the data by the key with this point (SEC 1 4.1.4)."""
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if len(signature) != 64 or not (0 < r < _N and 0 < s < _N):
        return False
    q = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:65], "big"), 1
    inverse = pow(s, _N - 2, _N)
    u1 = int.from_bytes(hashlib.sha256(data).digest(), "big") * inverse % _N
    u2 = r * inverse % _N
    both, sum_of_both = None, _add(_G, q)
    for bit in range(255, -1, -1):
        both = _double(both)
        which = (u1 >> bit & 1) + 2 * (u2 >> bit & 1)
        if which:
            both = _add(both, (_G, q, sum_of_both)[which - 1])
    if both is None:
        return False
    return both[0] * pow(both[2], _P - 3, _P) % _P % _N == r  # z**-2 is z**(p-3)


class Signer:
    """`make(entropy=None)`: a signer without keys, over this source of random bytes or the port's own."""

    def test_name_says_what_signs(self):
        self.assertTrue(isinstance(self.make().name, str) and len(self.make().name) > 3)

    def test_loaded_key_is_exported_with_its_public_point(self):
        signer = self.make()
        for v in vectors("ecdsa")["public"]:
            signer.load(limits.SUBJECT, unhex(v["d"]))
            buf = bytearray(110)
            self.assertEqual(signer.public(limits.SUBJECT, buf, 1), 66)
            self.assertEqual(signer.export(limits.SUBJECT, buf, 70), 102)
            self.assertEqual(buf[1:66], unhex(v["point"]))
            self.assertEqual(buf[70:102], unhex(v["d"]))

    def test_scalar_out_of_range_or_of_another_length_is_refused(self):
        signer = self.make()
        for d in [unhex(v["d"]) for v in vectors("ecdsa")["bad"]] + [b"\1" * n for n in (0, 31, 33, 97)]:
            self.assertEqual(code_of(LocalError, lambda d=d: signer.load(0, d)), "key")

    def test_erased_slot_neither_signs_nor_exports(self):
        signer = self.make()
        signer.generate(limits.ACCOUNT)
        signer.erase(limits.ACCOUNT)
        for slot in range(limits.SLOTS):
            for call in (
                lambda s=slot: signer.sign(s, b"x", 0, 1, bytearray(64), 0),
                lambda s=slot: signer.jws(s, [b"{}"], b"", 0, bytearray(300), 0),
                lambda s=slot: signer.export(s, bytearray(32), 0),
                lambda s=slot: signer.public(s, bytearray(65), 0),
            ):
                self.assertEqual(code_of(LocalError, call), "key")

    def test_generated_keys_differ(self):
        signer, seen = self.make(), []
        for slot in range(limits.SLOTS):
            d = bytearray(32)
            signer.generate(slot)
            signer.export(slot, d, 0)
            self.assertNotIn(bytes(d), seen)
            seen.append(bytes(d))

    def test_poor_entropy_makes_no_key(self):
        class Poor:
            quality = "poor"

            def fill(self, buf):
                raise LocalError("entropy", "poor")

        signer = self.make(Poor())
        self.assertEqual(code_of(LocalError, lambda: signer.generate(0)), "entropy")

    def test_signature_verifies_and_another_nonce_is_drawn_each_time(self):
        signer = self.make()
        signer.generate(0)
        point, one, two = bytearray(65), bytearray(64), bytearray(64)
        signer.public(0, point, 0)
        signer.sign(0, b"a text", 2, 6, one, 0)
        signer.sign(0, b"a text", 2, 6, two, 0)
        self.assertNotEqual(one[:32], two[:32])
        self.assertTrue(verifies(point, b"text", one) and verifies(point, b"text", two))
        self.assertFalse(verifies(point, b"texT", one))

    def test_jws_is_flattened_json_whose_signature_verifies(self):
        signer = self.make()
        signer.load(0, b"\1" * 32)
        point, out = bytearray(65), bytearray(700)
        signer.public(0, point, 0)
        for parts, payload, n in (
            ([b'{"a":', b'"b"}'], b"{}", 2),
            ([bytearray(b"{}")], b"", 0),
            ([b"{}"], b"{}xx", 2),
        ):
            end = locked(lambda p=parts, d=payload, n=n: signer.jws(0, p, d, n, out, 5))
            text = json.loads(bytes(out[5:end]).decode())
            self.assertEqual(sorted(text), ["payload", "protected", "signature"])
            protected, body = text["protected"].encode(), text["payload"].encode()
            self.assertEqual((decoded(protected), decoded(body)), (b"".join(parts), payload[:n]))
            self.assertEqual(len(text["signature"]), 86)
            self.assertTrue(verifies(point, protected + b"." + body, decoded(text["signature"].encode())))

    def test_jws_never_leaves_its_buffer(self):
        signer, out = self.make(), bytearray(150)
        signer.generate(0)
        with self.assertRaises((LocalError, ValueError)):
            signer.jws(0, [b"{}"], b"x" * 60, 60, out, 0)
        self.assertEqual(len(out), 150)

    def test_signature_and_digest_are_written_into_the_buffer_they_are_made_of(self):
        signer = self.make()
        signer.load(0, b"\1" * 32)
        buf = bytearray(b"abc" + bytes(120))
        self.assertEqual(locked(lambda: signer.sign(0, buf, 0, 3, buf, 3)), 67)
        self.assertEqual(locked(lambda: signer.sha256(buf, 0, 3, buf, 67)), 99)
        self.assertEqual(
            buf[67:99], unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        )


class Store:
    """`open()`: the store over one medium, the same in each call of a test: the second is what a restart finds.

    room   bytes that a file may take on that medium
    """

    room = limits.FILE

    def setUp(self):
        self.store = self.open()
        for name in self.store.names():
            self.store.erase(name)

    def test_file_is_read_as_last_written(self):
        self.assertIsNone(self.store.read("journal.0"))
        for data in (b"one", bytearray(b"two"), memoryview(b"three"), b""):
            self.store.write("journal.0", data)
            self.assertEqual(self.store.read("journal.0"), bytes(data))
        self.store.write("key", bytes(range(256)))
        self.assertEqual(self.store.names(), ["journal.0", "key"])

    def test_files_are_there_after_each_restart(self):
        self.store.write("key", b"k" * 32)
        for i in range(40):
            self.store.write("journal.0", b"%d" % i * 20)
            again = self.open()
            self.assertEqual((again.read("journal.0"), again.read("key")), (b"%d" % i * 20, b"k" * 32))

    def test_erased_file_is_gone_and_erasing_it_again_is_harmless(self):
        self.store.write("journal.0", b"0")
        self.store.write("key", b"secret" * 10)
        self.store.erase("key")
        self.store.erase("key")
        self.assertIsNone(self.store.read("key"))
        self.assertEqual((self.store.names(), self.open().names()), (["journal.0"], ["journal.0"]))

    def test_names_outside_the_alphabet_are_refused(self):
        for name in ("", ".", "..", "../x", "a/b", ".tmp", "-x", "A", "a" * 33, "a\n", "a b"):
            for call in (self.store.read, self.store.erase, lambda n: self.store.write(n, b"")):
                self.assertEqual(code_of(LocalError, lambda c=call, n=name: c(n)), "name", name)
        self.store.write("a" * 32, b"x")
        self.assertEqual(self.store.read("a" * 32), b"x")

    def test_largest_file_is_kept_and_a_larger_one_refused(self):
        self.store.write("chain", bytes(self.room))
        self.assertEqual(
            code_of(LocalError, lambda: self.store.write("chain", bytes(limits.FILE + 1))), "store"
        )
        self.assertEqual(len(self.store.read("chain")), self.room)


class Entropy:
    """`make()`: the source of random bytes."""

    def test_all_of_a_buffer_is_filled_and_never_twice_the_same(self):
        entropy = self.make()
        seen = []
        for n in (64, 32, 32, 16):
            buf = bytearray(n)
            entropy.fill(buf)
            self.assertEqual(len(buf), n)
            # Eight zeros in a row are left, not drawn.
            self.assertFalse(b"\0" * 8 in bytes(buf))
            self.assertNotIn(bytes(buf[:16]), seen)
            seen.append(bytes(buf[:16]))


class Clock:
    """`make(floor)`: the clock, which believes nothing before this second."""

    def test_time_before_the_release_is_never_given(self):
        clock = self.make(0)
        self.assertTrue(limits.BUILT <= clock.now() <= limits.NEVER)
        self.assertEqual(clock.floor, limits.BUILT)

    def test_time_before_the_floor_is_not_believed(self):
        clock = self.make(0)
        clock.floor = limits.NEVER - 1
        for one in (clock, self.make(limits.NEVER - 1)):
            self.assertFalse(one.trustworthy())
            self.assertEqual(one.now(), limits.NEVER - 1)

    def test_time_does_not_go_back(self):
        clock = self.make(0)
        first = clock.now()
        self.assertTrue(first <= clock.now())


class Port:
    """`make()`: the object that `ipcert.device.Device` is given. Its store is empty."""

    def test_files_that_are_not_there_are_none(self):
        port = self.make()
        self.assertIsNone(port.read("journal.0"))
        self.assertEqual(list(port.names()), [])

    def test_device_id_is_eight_bytes_that_stay_or_none(self):
        first = self.make().device_id()
        self.assertEqual(self.make().device_id(), first)
        self.assertTrue(first is None or isinstance(first, bytes) and len(first) == 8)

    def test_sha256_is_written_where_it_is_asked_for(self):
        out = bytearray(40)
        self.assertEqual(self.make().sha256(b"xabcx", 1, 4, out, 3), 35)
        self.assertEqual(bytes(out), bytes(3) + hashlib.sha256(b"abc").digest() + bytes(5))

    def test_secret_comes_with_a_cipher(self):
        port = self.make()
        self.assertTrue(port.secret is None or 16 <= len(port.secret) <= 64 and port.aes is not None)
