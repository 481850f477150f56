"""Which identifiers share a certificate, and which notices that calls for."""

import unittest

from portable_support import code_of, locked

from ipcert import identifiers, notices, split
from ipcert.errors import LocalError

NAMES = ("a.example.net", "*.b.example.net")
V4 = ("198.51.100.7", "198.51.100.8")
V6 = ("2001:db8::7", "2001:db8::8")
EUI = "2001:db8::211:22ff:fe33:4455"


def parsed(*texts):
    return [identifiers.parse(t) for t in texts]


def groups(ids, combined=False):
    out = bytearray(len(ids))
    n = locked(lambda: split.assign(ids, out, combined))
    return list(out), n


def told(ids, combined=False, both=False, http=True):
    """Codes of the notices."""
    out = bytearray(len(ids))
    n = split.assign(ids, out, combined)
    mask = locked(lambda: split.warn(ids, out, n, both, http))
    return {notices.code(k) for k in range(30) if mask >> k & 1}, split.needs_consent(mask)


class Assign(unittest.TestCase):
    def test_names_together_addresses_alone(self):
        self.assertEqual(groups(parsed(V4[0], NAMES[0], V6[0], NAMES[1], V4[1])), ([1, 0, 2, 0, 3], 4))
        self.assertEqual(groups(parsed(*NAMES)), ([0, 0], 1))
        self.assertEqual(groups(parsed(V4[0], V4[1])), ([0, 1], 2))

    def test_combined(self):
        self.assertEqual(groups(parsed(V4[0], NAMES[0], V6[0]), True), ([0, 0, 0], 1))

    def test_never_a_name_with_an_address(self):
        for k in range(64):
            ids = parsed(*[t for n, t in enumerate(NAMES + V4 + V6) if k >> n & 1])
            out, n = groups(ids)
            for g in range(n):
                self.assertEqual(locked(lambda i=ids, o=out, g=g: split.mixes(i, o, g)), 0)
                kinds = [i.family for j, i in enumerate(ids) if out[j] == g]
                self.assertTrue(kinds == [0] * len(kinds) or len(kinds) == 1)
            self.assertEqual(told(ids)[1], False)

    def test_mixes(self):
        for texts, want in (
            (NAMES, 0), (V4, 0), (V6, 0), (NAMES + V4, 1), (NAMES + V6, 1), (V4 + V6, 2), (NAMES + V4 + V6, 3),
        ):  # fmt: skip
            ids = parsed(*texts)
            self.assertEqual(split.mixes(ids, bytearray(len(ids)), 0), want)
            self.assertEqual(told(ids, True)[1], want != 0)


class Warn(unittest.TestCase):
    def test_each(self):
        self.assertEqual(told(parsed(NAMES[0])), (set(), False))
        self.assertEqual(told(parsed(V4[0])), ({"address-published"}, False))
        self.assertEqual(told(parsed(V6[0])), ({"ipv6-published"}, False))
        self.assertEqual(told(parsed(EUI)), ({"ipv6-published", "eui64"}, False))
        both = {"ipv6-published", "address-published", "both-families"}
        self.assertEqual(told(parsed(V4[0], V6[0])), (both, False))
        self.assertEqual(told(parsed(NAMES[0], V4[0])), ({"address-published", "name-points-here"}, False))
        self.assertEqual(told(parsed(NAMES[0], V4[0]), http=False), ({"address-published"}, False))
        self.assertEqual(
            told(parsed(NAMES[0], V4[0]), both=True),
            ({"address-published", "name-points-here", "both-urgent"}, False),
        )
        self.assertEqual(told(parsed(NAMES[0]), both=True), (set(), False))

    def test_combined(self):
        codes, consent = told(parsed(NAMES[0], V4[0], V6[0]), True)
        self.assertTrue(consent)
        self.assertTrue({"combined", "families-in-one"} <= codes)
        self.assertFalse("both-families" in codes)
        codes, consent = told(parsed(V4[0], V6[0]), True)
        self.assertEqual((codes, consent), ({"ipv6-published", "address-published", "families-in-one"}, True))
        codes, consent = told(parsed(NAMES[0], V4[0]), True)
        self.assertEqual((codes, consent), ({"address-published", "combined", "name-points-here"}, True))


class Check(unittest.TestCase):
    def test_lists(self):
        self.assertIsNone(code_of(LocalError, lambda: split.check(parsed(NAMES[0], V4[0]), 2)))
        for texts, limit, code in (
            ((), 5, "no-identifiers"),
            (NAMES + V4, 3, "too-many"),
            (("A.example.net", "a.example.net."), 5, "duplicate"),
            (("2001:db8::7", "2001:db8:0:0:0:0:0:7"), 5, "duplicate"),
        ):
            self.assertEqual(code_of(LocalError, lambda t=texts, n=limit: split.check(parsed(*t), n)), code)


if __name__ == "__main__":
    unittest.main()
