"""Certification requests, byte for byte against `cryptography` and `asn1crypto`."""

import unittest

from portable_support import FixedSigner, code_of, locked, unhex, vectors

from ipcert import identifiers
from ipcert.encoding import csr
from ipcert.errors import LocalError

VECTORS = vectors("csr")


def case(v):
    return FixedSigner(unhex(v["point"]), unhex(v["rs"])), [identifiers.parse(i) for i in v["identifiers"]]


class Requests(unittest.TestCase):
    def test_vectors(self):
        buf = bytearray(1200)
        for v in VECTORS:
            signer, names = case(v)
            end = locked(lambda s=signer, n=names: csr.write(buf, 5, s, 1, n))
            self.assertEqual(bytes(buf[5:end]), unhex(v["der"]))
            self.assertEqual(bytes(signer.signed[: signer.size]), unhex(v["info"]))

    def test_both_header_sizes_are_tried(self):
        sizes = [unhex(v["der"])[1] for v in VECTORS]
        self.assertTrue(0x81 in sizes and 0x82 in sizes)

    def test_never_a_common_name(self):
        buf = bytearray(1200)
        for v in VECTORS:
            signer, names = case(v)
            end = csr.write(buf, 0, signer, 1, names)
            self.assertEqual(bytes(buf[:end]).find(b"\x06\x03\x55\x04\x03"), -1)

    def test_no_room(self):
        for v in VECTORS:
            signer, names = case(v)
            n = len(unhex(v["der"]))
            self.assertEqual(csr.write(bytearray(n + 1), 0, signer, 1, names), n)
            for short in (0, 4, 100, n - 80, n - 1):
                self.assertEqual(self.no_room(short, signer, names), "overflow")

    def no_room(self, size, signer, names):
        return code_of(LocalError, lambda: csr.write(bytearray(size), 0, signer, 1, names))

    def test_nothing_to_certify(self):
        buf = bytearray(600)
        signer, _ = case(VECTORS[0])
        self.assertEqual(code_of(LocalError, lambda: csr.write(buf, 0, signer, 1, [])), "no-identifiers")
