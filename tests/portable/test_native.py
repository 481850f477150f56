"""`_ipcert`, in whichever build is there: vectors, no allocation, and nothing from Python crashes it."""

import unittest

from portable_support import locked, unhex, vectors

try:
    import _ipcert
except ImportError:
    _ipcert = None

VECTORS = vectors("ecdsa") if _ipcert else None
WRONG = (TypeError, ValueError)


def key_of(d):
    """A key with its public half from the scalar's hex digits."""
    key = bytearray(97)
    key[:32] = unhex(d)
    _ipcert.public(key)
    return key


class Native(unittest.TestCase):
    def setUp(self):
        if _ipcert is None:
            self.skipTest("_ipcert is MicroPython's; CPython signs with cryptography")


class Vectors(Native):
    def test_public_keys(self):
        for v in VECTORS["public"]:
            with self.subTest(v["comment"]):
                self.assertEqual(key_of(v["d"])[32:], unhex(v["point"]))

    def test_signatures(self):
        out = bytearray(70)
        for v in VECTORS["signatures"]:
            with self.subTest(v["comment"]):
                digest, extra, key = unhex(v["digest"]), unhex(v["extra"]), key_of(v["d"])
                end = locked(lambda k=key, e=extra, d=digest: _ipcert.sign_digest(k, e, d, out, 3))
                self.assertEqual(end, 67)
                self.assertEqual(out[3:67], unhex(v["rs"]))
                self.assertEqual(out[:3] + out[67:], bytes(6))

    def test_a_text(self):
        v = VECTORS["signatures"][0]
        key, out = key_of(v["d"]), bytearray(64)
        self.assertEqual(locked(lambda: _ipcert.sign(key, b"", b"--sample--", 2, 8, out, 0)), 64)
        self.assertEqual(out, unhex(v["rs"]))

    def test_keys_out_of_range(self):
        for v in VECTORS["bad"]:
            with self.subTest(v["comment"]):
                key, out = bytearray(97), bytearray(400)
                key[:32] = unhex(v["d"])
                self.assertRaises(ValueError, _ipcert.public, key)
                self.assertRaises(ValueError, _ipcert.sign, key, b"", b"x", 0, 1, out, 0)
                self.assertRaises(ValueError, _ipcert.sign_digest, key, b"", bytes(32), out, 0)
                self.assertRaises(ValueError, _ipcert.jws, key, b"", [b"{}"], b"", 0, out, 0)
                self.assertEqual(out, bytes(400))
                self.assertEqual(key[32:], bytes(65))

    def test_sha256(self):
        data, out = unhex(VECTORS["sha256"]["data"]), bytearray(40)
        for size, digest in VECTORS["sha256"]["cases"]:
            self.assertEqual(locked(lambda n=size: _ipcert.sha256(data, 0, n, out, 5)), 37)
            self.assertEqual(out[5:37], unhex(digest))

    def test_jws(self):
        key = key_of(VECTORS["jws"]["d"])
        for v in VECTORS["jws"]["cases"]:
            parts, payload, extra = [unhex(p) for p in v["parts"]], unhex(v["payload"]), unhex(v["extra"])
            text = v["jws"].encode()
            # The buffer is just long enough, and what is beyond the payload's n bytes is not read.
            out = bytearray(len(text) + 9)
            n = len(payload)
            payload += b"beyond"
            end = locked(lambda p=parts, e=extra, o=out, d=payload, n=n: _ipcert.jws(key, e, p, d, n, o, 9))
            self.assertEqual(end, len(out))
            self.assertEqual(out[9:], text)
            with self.assertRaises(ValueError):
                _ipcert.jws(key, extra, parts, payload, n, out, 10)
            self.assertEqual(out[9:], text)


class Keys(Native):
    def test_generated_keys_differ_and_sign(self):
        seen, out = [], bytearray(64)
        for number in range(8):
            key = bytearray(97)
            self.assertTrue(_ipcert.generate(key, bytes([number]) * 48))
            self.assertEqual(key_of("".join("%02x" % b for b in key[:32])), key)
            _ipcert.sign_digest(key, b"", bytes(32), out, 0)
            self.assertNotIn(bytes(key), seen)
            seen.append(bytes(key))

    def test_short_seeds_are_refused(self):
        key = bytearray(97)
        for n in (0, 1, 32, 47):
            self.assertRaises(ValueError, _ipcert.generate, key, bytes(n))
        self.assertEqual(key, bytes(97))

    def test_extra_changes_the_signature(self):
        key, one, two = key_of("11" * 32), bytearray(64), bytearray(64)
        _ipcert.sign_digest(key, b"", bytes(32), one, 0)
        _ipcert.sign_digest(key, b"\1" * 32, bytes(32), two, 0)
        self.assertNotEqual(one, two)
        _ipcert.sign_digest(key, b"", bytes(32), two, 0)
        self.assertEqual(one, two)


class Refusals(Native):
    def test_lengths(self):
        key, out = key_of("22" * 32), bytearray(64)
        for k in (b"", key[:96], key + b"x"):
            self.assertRaises(ValueError, _ipcert.sign_digest, k, b"", bytes(32), out, 0)
        for e in (b"x", bytes(31), bytes(33), bytes(64)):
            self.assertRaises(ValueError, _ipcert.sign_digest, key, e, bytes(32), out, 0)
        for d in (b"", bytes(31), bytes(33)):
            self.assertRaises(ValueError, _ipcert.sign_digest, key, b"", d, out, 0)
        for off in (1, 64, 65, -1, 1 << 29):
            self.assertRaises(ValueError, _ipcert.sign_digest, key, b"", bytes(32), out, off)
        for start, end in ((1, 0), (-1, 0), (0, 5), (4, 5), (5, 5), (1 << 28, 1 << 28)):
            self.assertRaises(ValueError, _ipcert.sign, key, b"", b"abcd", start, end, out, 0)
        self.assertRaises(ValueError, _ipcert.jws, key, b"", [b""] * 17, b"", 0, bytearray(500), 0)
        self.assertRaises(ValueError, _ipcert.jws, key, b"", [], b"", 1, bytearray(500), 0)
        self.assertEqual(out, bytes(64))

    def test_types(self):
        key, out = key_of("22" * 32), bytearray(64)
        for wrong in (None, 1, 1.5, [], object, {}):
            self.assertRaises(TypeError, _ipcert.sign_digest, wrong, b"", bytes(32), out, 0)
            self.assertRaises(TypeError, _ipcert.sign_digest, key, wrong, bytes(32), out, 0)
            self.assertRaises(TypeError, _ipcert.sign_digest, key, b"", wrong, out, 0)
            self.assertRaises(TypeError, _ipcert.sign_digest, key, b"", bytes(32), wrong, 0)
        for wrong in (None, 0.0, "0", b"0", 1 << 80, -(1 << 80), True):
            self.assertRaises(TypeError, _ipcert.sign_digest, key, b"", bytes(32), out, wrong)
        self.assertRaises(TypeError, _ipcert.sign_digest, key, b"", bytes(32), bytes(64), 0)
        self.assertRaises(TypeError, _ipcert.generate, bytes(97), bytes(48))
        self.assertRaises(TypeError, _ipcert.public, bytes(97))
        for wrong in (None, 1, b"{}", "{}", {}, (b"{}", 1), [None]):
            self.assertRaises(TypeError, _ipcert.jws, key, b"", wrong, b"", 0, bytearray(500), 0)

    def test_overlap(self):
        key, whole = key_of("22" * 32), bytearray(600)
        whole[:97] = key
        view = memoryview(whole)
        for off in (0, 33, 96):
            self.assertRaises(ValueError, _ipcert.sign_digest, view[:97], b"", bytes(32), whole, off)
        self.assertRaises(ValueError, _ipcert.sign_digest, key, view[200:232], bytes(32), whole, 190)
        self.assertRaises(ValueError, _ipcert.sign, key, b"", whole, 0, 600, whole, 0)
        self.assertRaises(ValueError, _ipcert.sha256, whole, 0, 32, whole, 31)
        self.assertRaises(ValueError, _ipcert.jws, key, b"", [b"{}", view[150:160]], b"", 0, whole, 100)
        self.assertRaises(ValueError, _ipcert.jws, key, b"", [b"{}"], view[150:160], 10, whole, 100)
        self.assertRaises(ValueError, _ipcert.generate, view[:97], view[96:160])
        self.assertEqual(whole[97:], bytes(503))
        # Side by side in one buffer is what a request's writer does.
        self.assertEqual(_ipcert.sign(key, b"", whole, 0, 97, whole, 97), 161)
        self.assertEqual(_ipcert.sha256(whole, 0, 97, whole, 97), 129)


class Garbage(Native):
    """Calls of every function with arguments from a fixed pseudo-random series of misfits."""

    ROUNDS = 4000

    def draw(self, n):
        self.state = (self.state * 1103 + 12345) & 0xFFFFF
        return (self.state >> 4) % n

    def argument(self):
        sizes = (0, 1, 31, 32, 33, 47, 48, 63, 64, 65, 96, 97, 98, 200, 700)
        size = sizes[self.draw(len(sizes))]
        kind = self.draw(16)
        if kind < 3:
            return self.pool[self.draw(len(self.pool))]
        if kind < 5:
            return bytearray(size)
        if kind == 5:
            return bytes(size)
        if kind == 6:
            return memoryview(self.out)[self.draw(400) :]
        if kind == 7:
            return self.out
        if kind == 8:
            return self.key
        if kind == 9:
            return [self.argument() for _ in range(self.draw(4))]
        if kind == 10:
            return [b"x" * size] * self.draw(20)
        if kind == 11:
            return self.draw(700)
        return (0, 1, 32, 64)[kind - 12]

    def call(self):
        """A function and arguments that it takes."""
        key, out, off = self.key, self.out, self.draw(100)
        which = self.draw(6)
        if which == 0:
            return _ipcert.generate, [bytearray(97), bytes(64)]
        if which == 1:
            return _ipcert.public, [key]
        if which == 2:
            return _ipcert.sign, [key, b"", bytes(50), off // 2, 50, out, off]
        if which == 3:
            return _ipcert.sign_digest, [key, bytes(32), bytes(32), out, off]
        if which == 4:
            return _ipcert.jws, [key, b"", [b"{", b"}"], bytes(100), off, out, off]
        return _ipcert.sha256, [bytes(200), off, 200, out, off]

    def test_nothing_crashes(self):
        import array

        self.state = 7
        self.key = key_of("33" * 32)
        self.out = bytearray(800)
        self.pool = [
            None,
            True,
            -1,
            1 << 29,
            (1 << 30) - 1,
            1 << 62,
            -(1 << 70),
            2.5,
            "text",
            "",
            b"",
            (),
            {},
            set(),
            int,
        ]
        self.pool += [
            _ipcert,
            _ipcert.sign,
            self,
            array.array("I", [1] * 30),
            array.array("d", [1.0] * 20),
            range(9),
        ]
        self.pool += [memoryview(b"read only" * 20), memoryview(bytearray(97)), ValueError, ...]
        done = refused = 0
        for _ in range(self.ROUNDS):
            function, arguments = self.call()
            for i in range(len(arguments)):
                if self.draw(4) == 0:
                    arguments[i] = self.argument()
            if self.draw(20) == 0:
                arguments = arguments[: self.draw(8)] + [self.argument()] * self.draw(3)
            try:
                function(*arguments)
                done += 1
            except WRONG:
                refused += 1
        self.assertTrue(done > 500 and refused > 500, (done, refused))
        # And it still signs.
        self.key = key_of("33" * 32)
        one, two = bytearray(64), bytearray(64)
        _ipcert.sign_digest(self.key, b"", bytes(32), one, 0)
        _ipcert.sign_digest(key_of("33" * 32), b"", bytes(32), two, 0)
        self.assertEqual(one, two)

    def test_names_of_ours_do_not_matter(self):
        # A natmod looks builtins up by name; what a caller calls so must not reach it.
        global TypeError
        kept = TypeError
        TypeError = 5
        try:
            raised = None
            try:
                _ipcert.public(None)
            except Exception as e:
                raised = type(e)
        finally:
            TypeError = kept
        self.assertIs(raised, kept)


class Threads(Native):
    def test_signing_in_several_threads(self):
        import _thread
        import time

        if "natmod" in _ipcert.NAME:
            self.skipTest("a natmod has no lock and refuses a second thread")
        v = VECTORS["signatures"][0]
        key, digest, good = key_of(v["d"]), unhex(v["digest"]), unhex(v["rs"])
        results = []

        def work():
            out, right = bytearray(64), 0
            for _ in range(60):
                _ipcert.sign_digest(key, b"", digest, out, 0)
                right += out == good
            results.append(right)

        for _ in range(4):
            _thread.start_new_thread(work, ())
        for _ in range(600):
            if len(results) == 4:
                break
            time.sleep(0.05)
        self.assertEqual(results, [60] * 4)
