"""base64url, PEM base64 and base32 against RFC 4648's and hand-made text."""

import unittest

from portable_support import code_of, decoded, locked

from ipcert.encoding import base32, base64url
from ipcert.errors import LocalError, RemoteError

# RFC 4648 10, without padding, and two that need the last digits of the alphabet.
PAIRS = (
    (b"", "", ""),
    (b"f", "Zg", "Zg=="),
    (b"fo", "Zm8", "Zm8="),
    (b"foo", "Zm9v", "Zm9v"),
    (b"foob", "Zm9vYg", "Zm9vYg=="),
    (b"fooba", "Zm9vYmE", "Zm9vYmE="),
    (b"foobar", "Zm9vYmFy", "Zm9vYmFy"),
    (b"\xfb\xff\xbf", "-_-_", "+/+/"),
    (b"\0\0\0\xff", "AAAA_w", "AAAA/w=="),
)


class Writing(unittest.TestCase):
    def test_pairs(self):
        buf = bytearray(16)
        for data, text, _ in PAIRS:
            end = locked(lambda d=data: base64url.write_url(buf, 3, d, 0, len(d)))
            self.assertEqual(bytes(buf[3:end]), text.encode())

    def test_inside_one_buffer(self):
        buf = bytearray(b"....foobar")
        self.assertEqual(base64url.write_url(buf, 0, buf, 7, 10), 4)
        self.assertEqual(buf, bytearray(b"YmFyfoobar"))

    def test_all_bytes_come_back(self):
        data = bytes(range(256))
        buf = bytearray(342)
        self.assertEqual(base64url.write_url(buf, 0, data, 0, 256), 342)
        self.assertEqual(decoded(bytes(buf)), data)

    def test_no_room_writes_nothing(self):
        buf = bytearray(b"......")
        self.assertEqual(code_of(LocalError, lambda: base64url.write_url(buf, 0, b"fooba", 0, 5)), "overflow")
        self.assertEqual(buf, bytearray(b"......"))


class Base32(unittest.TestCase):
    def test_small_letters_without_padding(self):
        buf = bytearray(20)
        for data, text in (
            (b"", ""),
            (b"f", "my"),
            (b"fo", "mzxq"),
            (b"foo", "mzxw6"),
            (b"foob", "mzxw6yq"),
            (b"fooba", "mzxw6ytb"),
            (b"foobar", "mzxw6ytboi"),
            (b"\xff" * 10, "7" * 16),
        ):
            end = locked(lambda d=data: base32.write(buf, 3, d, 0, len(d)))
            self.assertEqual(bytes(buf[3:end]), text.encode())

    def test_no_room_writes_nothing(self):
        buf = bytearray(b".......")
        self.assertEqual(code_of(LocalError, lambda: base32.write(buf, 0, b"fooba", 0, 5)), "overflow")
        self.assertEqual(buf, bytearray(b"......."))


class Reading(unittest.TestCase):
    def test_pem(self):
        out = bytearray(16)
        for data, _, text in PAIRS:
            for src in (text.encode(), b"\r\n" + text.encode() + b" \n\t", b"\n".join([text.encode(), b""])):
                end = locked(lambda s=src: base64url.read_pem(out, 2, s, 0, len(s)))
                self.assertEqual(bytes(out[2:end]), data)

    def test_white_space_between_digits(self):
        out = bytearray(16)
        self.assertEqual(base64url.read_pem(out, 0, b"Zm\n9 vY\r\nmFy", 0, 12), 6)
        self.assertEqual(bytes(out[:6]), b"foobar")

    def test_pem_refuses(self):
        out = bytearray(64)
        for text in (b"Z", b"Zg", b"Zg=", b"Zg===", b"Zm8", b"Zm9v=", b"Zm9v====", b"=", b"Zg==Zg==", b"-_-_",
                     b"Zh==", b"Zm9=", b"Zm9v\x00", b"Z==="):  # fmt: skip
            got = code_of(RemoteError, lambda t=text: base64url.read_pem(out, 0, t, 0, len(t)))
            self.assertEqual((text, got), (text, "base64"))

    def test_no_room(self):
        out = bytearray(5)
        self.assertEqual(
            code_of(LocalError, lambda: base64url.read_pem(out, 0, b"Zm9vYmFy", 0, 8)), "overflow"
        )


class Predicate(unittest.TestCase):
    def test_what_is_base64url(self):
        for _, text, _ in PAIRS:
            self.assertTrue(base64url.is_url(text, 0, 8))
            self.assertTrue(locked(lambda t=text.encode(): base64url.is_url(t, 0, 8)))

    def test_what_is_not(self):
        for text in (
            "Zg==",
            "+/+/",
            "Zm 9v",
            "Zm9v\n",
            "\xe4AAA",
            "Zm.v",
            "\u0104",
            "@",
            "[",
            "`",
            "{",
            "/",
            ":",
        ):
            self.assertEqual((text, base64url.is_url(text, 0, 100)), (text, False))
            self.assertEqual((text, base64url.is_url(text.encode(), 0, 100)), (text, False))

    def test_the_bounds_are_both_included(self):
        for size, good in ((1, False), (2, True), (5, True), (6, False)):
            self.assertEqual(base64url.is_url("a" * size, 2, 5), good)
