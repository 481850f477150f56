"""The owner's choices: defaults, bounds, and refusals that name the option."""

import sys
import unittest

from ipcert import limits
from ipcert.errors import LocalError
from ipcert.policy import Policy

DAY = limits.DAY


class Choices(unittest.TestCase):
    def test_defaults(self):
        p = Policy()
        self.assertEqual((p.urgent, p.setting, p.combined), ("ip", "home", False))
        self.assertEqual((p.first_delay, p.recovery, p.min_ip_age), (14 * DAY, 14 * DAY, DAY))
        self.assertEqual((p.strict_ari, p.test_ca, p.compress, p.agree_terms), (False, False, 1, False))
        self.assertEqual((p.challenge_name, p.challenge_ip, p.accounturi), ("http-01", "http-01", False))
        self.assertEqual(p.preferred_chain, "smallest" if sys.implementation.name == "micropython" else "")
        self.assertTrue(Policy(challenge_name="dns-account-01").accounturi)
        self.assertTrue(Policy(challenge_name="dns-persist-01").accounturi)
        self.assertEqual(Policy(urgent="both").first_delay, DAY)
        self.assertEqual(Policy(urgent="both", first_delay=5).first_delay, 5)

    def test_bounds(self):
        for option, good, bad in (
            ("first_delay", (0, 60 * DAY), (-1, 60 * DAY + 1, 1.5, "1", True)),
            ("recovery", (3600, 28 * DAY), (3599, 28 * DAY + 1)),
            ("min_ip_age", (0, 30 * DAY), (-1, 30 * DAY + 1)),
            ("urgent", ("ip", "domain", "both"), ("", "name", None)),
            ("setting", ("home", "public"), ("", "data centre")),
            (
                "challenge_name",
                ("http-01", "dns-01", "dns-account-01", "dns-persist-01", "tls-alpn-01"),
                ("http", ""),
            ),
            ("challenge_ip", ("http-01", "tls-alpn-01"), ("dns-01", "dns-account-01", "dns-persist-01")),
        ):
            for value in good:
                self.assertEqual(getattr(Policy(**{option: value}), option), value)
            for value in bad:
                self.refused(option, option, value)

    def refused(self, says, option, value, **others):
        with self.assertRaises(LocalError) as c:
            Policy(**dict(others, **{option: value}))
        self.assertEqual(c.exception.code, "config")
        self.assertIn(says, str(c.exception))

    def test_compress_is_for_test_cas(self):
        self.assertEqual(Policy(compress=10, test_ca=True).compress, 10)
        self.refused("compress", "compress", 10)
        self.refused("compress", "compress", 0, test_ca=True)

    def test_contacts(self):
        good = ("mailto:you@example.com",)
        self.assertEqual(Policy(contacts=good).contacts, good)
        for bad in (
            "you@example.com",
            'mailto:a"b@c',
            "mailto:a\\b",
            "mailto:a b",
            "mailto:\u00e9@x",
            "mailto:" + "a" * 250,
        ):
            self.refused("mailto", "contacts", [bad])

    def test_external_binding(self):
        self.assertEqual(Policy(eab_kid="k", eab_key=b"x").eab_kid, "k")
        self.refused("binding", "eab_kid", "k")
        self.refused("binding", "eab_key", b"x")
        self.refused("binding", "eab_kid", "k" * (limits.URL + 1), eab_key=b"x")


if __name__ == "__main__":
    unittest.main()
