"""The signer of whichever port is there: slots, refusals, and the shape of what it writes."""

import json
import sys
import unittest

from portable_support import code_of, locked, unhex, vectors

from ipcert import limits
from ipcert.errors import LocalError
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.sign import Signer

PUBLIC = vectors("ecdsa")["public"]
BAD = vectors("ecdsa")["bad"]


class Slots(unittest.TestCase):
    def setUp(self):
        self.signer = Signer(Entropy())

    def test_it_says_what_signs(self):
        words = ("cryptography", "native usermod", "native natmod")
        self.assertTrue([w for w in words if self.signer.name.startswith(w)], self.signer.name)

    def test_load_public_export(self):
        for v in PUBLIC:
            self.signer.load(limits.SUBJECT, unhex(v["d"]))
            buf = bytearray(110)
            self.assertEqual(self.signer.public(limits.SUBJECT, buf, 1), 66)
            self.assertEqual(self.signer.export(limits.SUBJECT, buf, 70), 102)
            self.assertEqual(buf[1:66], unhex(v["point"]))
            self.assertEqual(buf[70:102], unhex(v["d"]))

    def test_no_key_out_of_range(self):
        for v in BAD:
            self.assertEqual(code_of(LocalError, lambda d=unhex(v["d"]): self.signer.load(0, d)), "key")
        for n in (0, 31, 33, 97):
            self.assertEqual(code_of(LocalError, lambda n=n: self.signer.load(0, b"\1" * n)), "key")

    def test_an_empty_slot_does_not_sign(self):
        self.signer.generate(limits.ACCOUNT)
        self.signer.erase(limits.ACCOUNT)
        for slot in range(limits.SLOTS):
            self.assertEqual(
                code_of(LocalError, lambda s=slot: self.signer.sign(s, b"x", 0, 1, bytearray(64), 0)), "key"
            )
            self.assertEqual(
                code_of(LocalError, lambda s=slot: self.signer.export(s, bytearray(64), 0)), "key"
            )
            self.assertEqual(
                code_of(LocalError, lambda s=slot: self.signer.public(s, bytearray(65), 0)), "key"
            )

    def test_generated_keys_differ(self):
        seen = []
        for slot in range(limits.SLOTS):
            d = bytearray(32)
            self.signer.generate(slot)
            self.signer.export(slot, d, 0)
            self.assertNotIn(bytes(d), seen)
            seen.append(bytes(d))


class Writing(unittest.TestCase):
    def setUp(self):
        self.signer = Signer(Entropy())
        self.signer.load(0, b"\1" * 32)

    def test_nonces_are_hedged(self):
        one, two = bytearray(64), bytearray(64)
        self.signer.sign(0, b"text", 0, 4, one, 0)
        self.signer.sign(0, b"text", 0, 4, two, 0)
        self.assertNotEqual(one, two)

    def test_jws(self):
        out = bytearray(700)
        for parts, payload, n in (
            ([b'{"a":', b'"b"}'], b"{}", 2),
            ([bytearray(b"{}")], b"", 0),
            ([b"{}"], b"{}xx", 2),
        ):
            end = locked(lambda p=parts, d=payload, n=n: self.signer.jws(0, p, d, n, out, 5))
            text = json.loads(bytes(out[5:end]).decode())
            self.assertEqual(sorted(text), ["payload", "protected", "signature"])
            self.assertEqual(len(text["signature"]), 86)
            self.assertEqual(text["payload"], "e30" if n else "")

    def test_sign_and_hash_in_one_buffer(self):
        buf = bytearray(b"abc" + bytes(120))
        self.assertEqual(locked(lambda: self.signer.sign(0, buf, 0, 3, buf, 3)), 67)
        self.assertEqual(locked(lambda: self.signer.sha256(buf, 0, 3, buf, 67)), 99)
        self.assertEqual(
            buf[67:99], unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        )

    def test_a_poor_source_makes_no_key(self):
        class Poor:
            quality = "poor"

            def fill(self, buf):
                raise LocalError("entropy", "poor")

        signer = Signer(Poor())
        self.assertEqual(code_of(LocalError, lambda: signer.generate(0)), "entropy")

    def test_no_silent_substitute(self):
        if sys.implementation.name == "micropython":
            import _ipcert

            self.assertEqual(self.signer.name, _ipcert.NAME)
        else:
            self.assertIn("OpenSSL", self.signer.name)
