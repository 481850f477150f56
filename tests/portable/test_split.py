"""Which identifiers share a certificate, and which notices that calls for."""

import unittest

from portable_support import code_of, locked

from ipcert import identifiers, limits, notices, split
from ipcert.errors import LocalError
from ipcert.policy import Policy

NAMES = ("a.example.net", "*.b.example.net")
V4 = ("198.51.100.7", "198.51.100.8")
V6 = ("2001:db8::7", "2001:db8::8")
EUI = "2001:db8::211:22ff:fe33:4455"


def parsed(*texts):
    return [identifiers.parse(text) for text in texts]


def certificates(texts, combined=False, http=True):
    return split.certificates(
        parsed(*texts), Policy(combined=combined, challenge_name="http-01" if http else "dns-01")
    )


def groups(texts, combined=False):
    """The identifiers of each certificate."""
    return [one.text for one in certificates(texts, combined)]


def told(texts, combined=False, both=False, http=True):
    """Codes of the notices, and whether one of the certificates says more than it must."""
    found = certificates(texts, combined, http)
    mask = locked(lambda: split.warn(found, both))
    codes = {notices.code(number) for number in range(30) if mask >> number & 1}
    return codes, any([one.is_mixed() for one in found])


class Assign(unittest.TestCase):
    def test_names_together_addresses_alone(self):
        self.assertEqual(
            groups((V4[0], NAMES[0], V6[0], NAMES[1], V4[1])), [",".join(NAMES), V4[0], V6[0], V4[1]]
        )
        self.assertEqual(groups(NAMES), [",".join(NAMES)])
        self.assertEqual(groups(V4), list(V4))

    def test_combined(self):
        self.assertEqual(groups((V4[0], NAMES[0], V6[0]), True), [",".join((V4[0], NAMES[0], V6[0]))])

    def test_never_a_name_with_an_address(self):
        for mask in range(1, 64):
            texts = [text for number, text in enumerate(NAMES + V4 + V6) if mask >> number & 1]
            for one in certificates(texts):
                self.assertFalse(one.is_mixed())
                families = [identifier.family for identifier in one.identifiers]
                self.assertTrue(families == [0] * len(families) or len(families) == 1)
                self.assertEqual(one.has_address, families[0] != 0)
                self.assertEqual(one.challenge, "http-01")

    def test_mixes(self):
        for texts, name, families in (
            (NAMES, False, False), (V4, False, False), (V6, False, False), (NAMES + V4, True, False),
            (NAMES + V6, True, False), (V4 + V6, False, True), (NAMES + V4 + V6, True, True),
        ):  # fmt: skip
            (one,) = certificates(texts, True)
            self.assertEqual((one.links_name(), one.links_families()), (name, families))
            self.assertEqual(told(texts, True)[1], name or families)


class Warn(unittest.TestCase):
    def test_each(self):
        self.assertEqual(told([NAMES[0]]), (set(), False))
        self.assertEqual(told([V4[0]]), ({"address-published"}, False))
        self.assertEqual(told([V6[0]]), ({"ipv6-published"}, False))
        self.assertEqual(told([EUI]), ({"ipv6-published", "eui64"}, False))
        both = {"ipv6-published", "address-published", "both-families"}
        self.assertEqual(told([V4[0], V6[0]]), (both, False))
        self.assertEqual(told([NAMES[0], V4[0]]), ({"address-published", "name-points-here"}, False))
        self.assertEqual(told([NAMES[0], V4[0]], http=False), ({"address-published"}, False))
        self.assertEqual(
            told([NAMES[0], V4[0]], both=True),
            ({"address-published", "name-points-here", "both-urgent"}, False),
        )
        self.assertEqual(told([NAMES[0]], both=True), (set(), False))

    def test_combined(self):
        codes, mixed = told([NAMES[0], V4[0], V6[0]], True)
        self.assertTrue(mixed)
        self.assertTrue({"combined", "families-in-one"} <= codes)
        self.assertFalse("both-families" in codes)
        codes, mixed = told([V4[0], V6[0]], True)
        self.assertEqual((codes, mixed), ({"ipv6-published", "address-published", "families-in-one"}, True))


class Check(unittest.TestCase):
    def test_lists(self):
        self.assertIsNone(code_of(LocalError, lambda: split.check(certificates((NAMES[0], V4[0])))))
        for found, code in (
            ([], "no-identifiers"),
            (certificates(["n%d.example.net" % k for k in range(limits.IDENTIFIERS + 1)]), "too-many"),
            (certificates(["198.51.100.%d" % k for k in range(limits.LINEAGES + 1)]), "too-many"),
            (certificates(["%s%d.example.net" % ("a" * 60, k) for k in range(20)]), "too-many"),
            (certificates(("A.example.net", "a.example.net.")), "duplicate"),
            (certificates(("2001:db8::7", "2001:db8:0:0:0:0:0:7")), "duplicate"),
            (certificates(NAMES[:1]) + certificates(NAMES[:1]), "duplicate"),  # in two certificates
        ):
            self.assertEqual(code_of(LocalError, lambda one=found: split.check(one)), code)


if __name__ == "__main__":
    unittest.main()
