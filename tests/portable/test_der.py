"""The DER writers against `cryptography`'s bytes, and the reader against malformed elements."""

import unittest

from portable_support import code_of, locked, unhex, vectors

from ipcert.encoding import der, p256
from ipcert.errors import LocalError, RemoteError


class Writers(unittest.TestCase):
    def test_keys(self):
        buf = bytearray(160)
        for v in vectors("der")["keys"]:
            d = unhex(v["d"])
            point = unhex(v["point"])
            end = locked(lambda p=point: p256.write_spki(buf, 1, p, 0))
            self.assertEqual(bytes(buf[1:end]), unhex(v["spki"]))
            end = locked(lambda p=d + point: p256.write_pkcs8(buf, 2, p))
            self.assertEqual(bytes(buf[2:end]), unhex(v["pkcs8"]))
            self.assertEqual(end - 2, p256.PKCS8)

    def test_point_inside_a_buffer(self):
        v = vectors("der")["keys"][0]
        buf = bytearray(100)
        end = p256.write_spki(buf, 0, b"..." + unhex(v["point"]), 3)
        self.assertEqual(bytes(buf[:end]), unhex(v["spki"]))

    def test_signatures(self):
        buf = bytearray(80)
        for v in vectors("der")["signatures"]:
            rs = b".." + unhex(v["rs"])
            end = locked(lambda rs=rs: p256.write_signature(buf, 4, rs, 2))
            self.assertEqual(bytes(buf[4:end]), unhex(v["der"]))
            self.assertEqual(end - 4, p256.signature_size(rs, 2))

    def test_zero_is_one_byte(self):
        buf = bytearray(8)
        self.assertEqual(p256.write_signature(buf, 0, bytes(64), 0), 8)
        self.assertEqual(buf, bytearray(b"\x30\x06\x02\x01\x00\x02\x01\x00"))

    def test_heads(self):
        buf = bytearray(4)
        for n, head in (
            (0, b"\x04\x00"),
            (127, b"\x04\x7f"),
            (128, b"\x04\x81\x80"),
            (255, b"\x04\x81\xff"),
            (256, b"\x04\x82\x01\x00"),
            (65535, b"\x04\x82\xff\xff"),
        ):
            end = der.head(buf, 0, 4, n)
            self.assertEqual(bytes(buf[:end]), head)
            self.assertEqual(der.size(n), n + len(head))

    def test_no_room(self):
        self.assertEqual(code_of(LocalError, lambda: der.head(bytearray(3), 0, 4, 256)), "overflow")
        self.assertEqual(
            code_of(LocalError, lambda: p256.write_spki(bytearray(90), 0, bytes(65), 0)), "overflow"
        )
        self.assertEqual(
            code_of(LocalError, lambda: p256.write_signature(bytearray(7), 0, bytes(64), 0)), "overflow"
        )


class Cursor(unittest.TestCase):
    def walk(self, data, start=0, end=None):
        r = der.Reader()
        r.load(data, start, len(data) if end is None else end)
        seen = []
        while r.next():
            seen.append((r.tag, r.header, r.start, r.end))
        return seen

    def test_elements(self):
        long = b"\x04\x81\x80" + bytes(128)
        self.assertEqual(self.walk(b""), [])
        self.assertEqual(self.walk(b"\x05\x00\x02\x01\x07"), [(5, 0, 2, 2), (2, 2, 4, 5)])
        self.assertEqual(self.walk(long), [(4, 0, 3, 131)])
        self.assertEqual(self.walk(b"\x04\x82\x01\x00" + bytes(256)), [(4, 0, 4, 260)])
        self.assertEqual(self.walk(b"..\x05\x00..", 2, 4), [(5, 2, 4, 4)])

    def test_longest_length(self):
        self.assertEqual(self.walk(b"\x04\x83\x01\x00\x00" + bytes(65536)), [(4, 0, 5, 65541)])

    def test_malformed(self):
        for data in (
            b"\x04",  # no length
            b"\x04\x01",  # cut short
            b"\x04\x80\x00\x00",  # indefinite
            b"\x04\x81\x01\x00",  # not minimal
            b"\x04\x81\x7f" + bytes(127),
            b"\x04\x82\x00\x80" + bytes(128),
            b"\x04\x81",  # length cut short
            b"\x04\x82\x01",
            b"\x04\x84\x00\x00\x00\x01\x00",
            b"\x04\x84\x7f\xff\xff\xff",
            b"\x04\xff" + bytes(200),
            b"\x1f\x01\x00",  # multi-byte tag
            b"\xbf\x01\x00",
            b"\x05\x00\x00",  # a lone byte at the end
        ):
            self.assertEqual((data[:5], code_of(RemoteError, lambda d=data: self.walk(d))), (data[:5], "der"))

    def test_never_beyond_the_range(self):
        self.assertEqual(code_of(RemoteError, lambda: self.walk(b"\x04\x02\x01\x01", 0, 3)), "der")

    def test_expect_only_finish(self):
        r = der.Reader()
        data = b"\x30\x05\x02\x01\x07\x05\x00"

        def steps():
            r.load(data, 0, 7)
            r.only(0x30)
            r.expect(2)
            return data[r.start]

        self.assertEqual(locked(steps), 7)
        self.assertEqual(code_of(RemoteError, r.finish), "der")
        self.assertEqual(code_of(RemoteError, lambda: r.expect(2)), "der")
        self.assertEqual(code_of(RemoteError, lambda: r.expect(2)), "der")
