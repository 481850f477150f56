"""Certificates against what `asn1crypto` reads in them, and everything that must be refused."""

import unittest

from portable_support import code_of, locked, unhex, vectors

from ipcert import identifiers, limits
from ipcert.encoding import x509
from ipcert.errors import LocalError, RemoteError

VECTORS = vectors("x509")
CERTIFICATES = VECTORS["certificates"]
FIRST = unhex(CERTIFICATES[0]["der"])


def read(data):
    f = x509.Fields()
    x509.read(data, 0, len(data), f)
    return f


def part(data, start, end):
    return None if start < 0 else bytes(data[start:end])


class Reading(unittest.TestCase):
    def test_vectors(self):
        f = x509.Fields()
        for v in CERTIFICATES:
            data = b"..." + unhex(v["der"]) + b"."
            locked(lambda d=data: x509.read(d, 3, len(d) - 1, f))
            for field in ("serial", "spki", "issuer", "subject", "aki"):
                got = part(data, getattr(f, field + "_start"), getattr(f, field + "_end"))
                self.assertEqual((field, got), (field, unhex(v[field]) if v[field] else None))
            for field in ("not_before", "not_after", "is_ca"):
                self.assertEqual((field, getattr(f, field)), (field, v[field]))

    def test_the_next_read_forgets(self):
        f = x509.Fields()
        with_aki = unhex(CERTIFICATES[5]["der"])
        without = unhex(CERTIFICATES[6]["der"])
        x509.read(with_aki, 0, len(with_aki), f)
        self.assertTrue(f.aki_start > 0)
        x509.read(without, 0, len(without), f)
        self.assertEqual(f.aki_start, -1)

    def test_refused_shapes(self):
        for name in VECTORS["refused"]:
            data = unhex(VECTORS["refused"][name])
            self.assertEqual((name, code_of(RemoteError, lambda d=data: read(d))), (name, "x509"))

    def test_unique_identifiers_are_passed_over(self):
        f = read(unhex(VECTORS["unique_ids"]))
        self.assertTrue(f.san_start > 0)

    def test_cut_anywhere(self):
        f = x509.Fields()
        for n in range(len(FIRST)):
            self.assertTrue(code_of(RemoteError, lambda n=n: x509.read(FIRST, 0, n, f)) in ("der", "x509"))

    def test_bytes_after(self):
        self.assertEqual(code_of(RemoteError, lambda: read(FIRST + b"\0")), "der")

    def altered(self, old, new):
        self.assertEqual(len(old), len(new))
        at = FIRST.find(old)
        self.assertTrue(at >= 0)
        return FIRST[:at] + new + FIRST[at + len(old) :]

    def test_dates(self):
        for new in (b"261324120000Z", b"260024120000Z", b"261132120000Z", b"261131120000Z", b"261100120000Z",
                    b"261124240000Z", b"261124126000Z", b"261124120060Z", b"2611241200000", b"26112412000:Z",
                    b"270230120000Z", b"  1124120000Z", b"+61124120000Z"):  # fmt: skip
            data = self.altered(b"261124120000Z", new)
            self.assertEqual((new, code_of(RemoteError, lambda d=data: read(d))), (new, "x509"))

    def test_backwards_validity(self):
        data = self.altered(b"261124120000Z", b"271124120000Z")
        self.assertEqual(code_of(RemoteError, lambda: read(data)), "x509")

    def test_bad_fields(self):
        for old, new in (
            (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01"),  # version 2
            (b"\x02\x02\x12\x34", b"\x02\x02\x92\x34"),  # a negative serial number
            (b"\x06\x03\x55\x1d\x0e", b"\x06\x03\x55\x1d\x11"),  # a second subjectAltName
            (b"\x06\x03\x55\x1d\x0e", b"\x06\x03\x55\x1d\x23"),  # a second authorityKeyIdentifier
            (b"\x17\x0d\x32\x36", b"\x16\x0d\x32\x36"),  # a date of another type
        ):
            data = self.altered(old, new)
            self.assertTrue(code_of(RemoteError, lambda d=data: read(d)) in ("der", "x509"))


class Names(unittest.TestCase):
    def test_exactly_these(self):
        f = x509.Fields()
        for v in CERTIFICATES:
            data = unhex(v["der"])
            x509.read(data, 0, len(data), f)
            names = [identifiers.parse(n) for n in v["names"]]
            other = identifiers.parse("other.example.org")
            if not names:
                self.assertFalse(x509.match_san(data, f, [other]))
                continue
            self.assertTrue(locked(lambda d=data, n=names: x509.match_san(d, f, n)))
            self.assertFalse(x509.match_san(data, f, names + [other]))
            self.assertFalse(x509.match_san(data, f, names[1:]))
            self.assertFalse(x509.match_san(data, f, names[1:] + [other]))

    def test_a_name_is_no_address(self):
        """Four characters of a name can be the four bytes of an address."""
        data = unhex(CERTIFICATES[2]["der"]).replace(b"\x87\x04\xc0\x00\x02\x07", b"\x82\x04a.bc")
        f = read(data)
        self.assertTrue(x509.match_san(data, f, [identifiers.parse("a.bc")]))
        self.assertFalse(x509.match_san(data, f, [identifiers.parse("97.46.98.99")]))

    def test_other_kinds_of_name(self):
        data = unhex(CERTIFICATES[0]["der"]).replace(b"\x82\x10home", b"\x81\x10home")
        self.assertFalse(x509.match_san(data, read(data), [identifiers.parse("home.example.org")]))


class RenewalInformation(unittest.TestCase):
    def test_vectors(self):
        f = x509.Fields()
        buf = bytearray(100)
        for v in CERTIFICATES:
            data = unhex(v["der"])
            x509.read(data, 0, len(data), f)
            if v["ari"]:
                end = locked(lambda d=data: x509.ari_id(buf, 2, d, f))
                self.assertEqual(bytes(buf[2:end]).decode(), v["ari"])
            else:
                self.assertEqual(code_of(RemoteError, lambda d=data: x509.ari_id(buf, 0, d, f)), "x509")

    def test_an_identifier_that_is_no_hash(self):
        f = read(FIRST)
        buf = bytearray(x509.ARI_SIZE)
        f.aki_end = f.aki_start + 64
        x509.ari_id(buf, 0, FIRST, f)
        f.aki_end += 1
        self.assertEqual(code_of(RemoteError, lambda: x509.ari_id(buf, 0, FIRST, f)), "x509")

    def test_rfc_9773_example(self):
        self.assertEqual(CERTIFICATES[5]["ari"], "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")


class Chains(unittest.TestCase):
    def setUp(self):
        self.pem = VECTORS["chain"]["pem"].encode()
        self.der = [unhex(d) for d in VECTORS["chain"]["der"]]

    def test_pem(self):
        out = bytearray(2 * limits.CERTIFICATE)
        for text in (
            self.pem,
            b"\r\n" + self.pem.replace(b"\n", b"\r\n") + b"\n \t\n",
            self.pem.replace(b"-----\n-----", b"----------"),
        ):
            ends = x509.pem_to_der(text, len(text), out)
            self.assertEqual([bytes(out[ends[i] : ends[i + 1]]) for i in range(len(ends) - 1)], self.der)

    def test_walk_allocates_nothing(self):
        out = bytearray(limits.CERTIFICATE)
        walk = x509.Pem()
        pem = self.pem

        def steps():
            walk.load(pem, 0, len(pem))
            return walk.next(out, walk.next(out, 0))

        end = locked(steps)
        self.assertEqual(bytes(out[:end]), self.der[0] + self.der[1])
        self.assertEqual(walk.next(out, end), end)
        self.assertEqual(walk.position, len(pem))

    def test_order(self):
        data = self.der[0] + self.der[1]
        n = len(self.der[0])
        a = x509.Fields()
        b = x509.Fields()
        x509.read(data, 0, n, a)
        x509.read(data, n, len(data), b)
        self.assertTrue(locked(lambda: x509.is_issuer(data, a, b)))
        self.assertFalse(x509.is_issuer(data, b, a))
        self.assertFalse(x509.is_issuer(data, a, a))
        b.is_ca = False
        self.assertTrue(x509.is_named(data, a, b))
        self.assertFalse(x509.is_issuer(data, a, b))
        b.is_ca = True
        # The key counts where both say which it is.
        a.aki_start, a.aki_end, b.ski_start, b.ski_end = 10, 30, 10, 30
        self.assertTrue(locked(lambda: x509.is_issuer(data, a, b)))
        for b.ski_start, b.ski_end in ((11, 31), (10, 29)):
            self.assertFalse(x509.is_issuer(data, a, b))
        b.ski_start = -1
        self.assertTrue(x509.is_issuer(data, a, b))

    def test_another_issuer_of_the_same_length(self):
        data = bytearray(self.der[0] + self.der[1])
        a = x509.Fields()
        b = x509.Fields()
        x509.read(data, 0, len(self.der[0]), a)
        x509.read(data, len(self.der[0]), len(data), b)
        data[b.subject_end - 1] ^= 1
        self.assertFalse(x509.is_issuer(data, a, b))

    def test_refused(self):
        out = bytearray(8 * limits.CERTIFICATE)
        one = self.pem[: self.pem.find(b"-----END") + 25] + b"\n"
        big = (
            b"-----BEGIN CERTIFICATE-----\n"
            + b"A" * (limits.CERTIFICATE * 2)
            + b"\n-----END CERTIFICATE-----\n"
        )
        for text, code in (
            (b"", "pem"),
            (b"\n\n", "pem"),
            (b"<html>busy</html>", "pem"),
            (b"text\n" + one, None),
            (one + b"text", None),
            (b"\xef\xbb\xbf" + one, None),
            (one.replace(b"CERTIFICATE", b"PRIVATE KEY"), "pem"),
            (one + one.replace(b"CERTIFICATE", b"PRIVATE KEY"), "pem"),
            (one.replace(b"END CERTIFICATE", b"END CERTIFICATES"), "pem"),
            (one[:-3], "pem"),
            (one[:100], "pem"),
            (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "pem"),
            (one * (limits.CERTIFICATES + 1), "pem"),
            (big, "pem"),
            (one.replace(b"M", b"*"), "base64"),
        ):
            got = code_of(RemoteError, lambda t=text: x509.pem_to_der(t, len(t), out))
            self.assertEqual((text[:60], got), (text[:60], code))
        self.assertEqual(
            len(x509.pem_to_der(one * limits.CERTIFICATES, len(one) * limits.CERTIFICATES, out)),
            limits.CERTIFICATES + 1,
        )

    def test_written(self):
        """As OpenSSL writes it, which wrote the vector."""
        out = bytearray(len(self.pem))
        both = self.der[0] + self.der[1]

        def write():
            end = x509.write_pem(out, 0, both, 0, len(self.der[0]))
            return x509.write_pem(out, end, both, len(self.der[0]), len(both))

        self.assertEqual(locked(write), len(self.pem))
        self.assertEqual(bytes(out), self.pem)
        self.assertEqual(x509.pem_size(len(self.der[0])) + x509.pem_size(len(self.der[1])), len(self.pem))
        for size in range(1, 200):
            out = bytearray(x509.pem_size(size))
            self.assertEqual(x509.write_pem(out, 0, both, 0, size), len(out))
            text = bytearray(out)
            ends = x509.pem_to_der(text, len(text), text)  # in place
            self.assertEqual(bytes(text[: ends[1]]), both[:size])
        self.assertEqual(
            code_of(LocalError, lambda: x509.write_pem(bytearray(99), 0, both, 0, 99)), "overflow"
        )

    def test_no_room(self):
        out = bytearray(len(self.der[0]))
        self.assertEqual(
            code_of(LocalError, lambda: x509.pem_to_der(self.pem, len(self.pem), out)), "overflow"
        )
