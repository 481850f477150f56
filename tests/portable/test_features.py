"""What a firmware's maker may leave out (`manifest.py`): the rest works without it, and says so where it is asked for."""

import builtins
import unittest

from portable_support import code_of
from virtual_home import NAME, START, V4, V6, Home

from ipcert import identifiers, limits, notices
from ipcert.commands import Revocation
from ipcert.errors import LocalError

DAY = limits.DAY
HOUR = limits.HOUR
# The modules that the core imports where they are asked for; `tools/lib/build/files.py` has the files.
LEFT_OUT = ("alpn", "records", "operations", "adoption")


class CoreAlone(unittest.TestCase):
    def setUp(self):
        self.imported = builtins.__import__
        self.tries = []
        self.leave_out()

    def leave_out(self):
        imported, tries = self.imported, self.tries

        def importing(name, globals=None, locals=None, fromlist=None, level=0):
            for wanted in fromlist or ():
                if wanted in LEFT_OUT:
                    tries.append(wanted)
                    raise ImportError(wanted)
            return imported(name, globals, locals, fromlist, level)

        builtins.__import__ = importing

    def tearDown(self):
        builtins.__import__ = self.imported

    def test_certificates_are_issued_and_renewed_and_nothing_else_is_imported(self):
        home = Home()
        home.run(START + 15 * DAY)
        self.assertEqual({i.names for i in home.ca.issued}, {(NAME,), (V4,)})
        count = len(home.ca.issued)
        home.run(START + 90 * DAY)
        self.assertGreater(len(home.ca.issued), count)
        self.assertEqual(home.told(notices.FAILED), [])
        self.assertEqual(self.tries, [])

    def test_what_was_left_out_is_said_when_it_is_asked_for(self):
        home = Home((V4,))
        home.run()
        for kind, value, module in (
            ("revoke", Revocation(V4, 1), "operations"),
            ("revoke", Revocation(V4, 1, True), "operations"),
            ("deauthorize", V4, "operations"),
            ("account", "rollover", "operations"),
            ("recover", b"\x01" * 32, "operations"),
            ("adopt", None, "adoption"),
        ):
            self.assertEqual(
                (kind, code_of(LocalError, lambda k=kind, v=value: home.device.event(k, v))),
                (kind, "missing"),
            )
            self.assertEqual(self.tries.pop(), module)
        home.run(home.clock.now + DAY)
        self.assertIsNone(home.record(V4).revocation_reason)
        self.assertEqual(len(home.ca.accounts), 1)

    def test_nothing_is_ordered_for_a_challenge_that_was_left_out(self):
        for kind, feature in (
            ("dns-01", "dns"),
            ("dns-account-01", "dns"),
            ("dns-persist-01", "dns"),
            ("tls-alpn-01", "tls-alpn"),
        ):
            home = Home((NAME,), challenge_name=kind)
            home.run(START + 20)
            self.assertEqual((kind, home.device.last_error.code), (kind, "missing"))
            self.assertTrue("without %s;" % feature in str(home.device.last_error))
            self.assertEqual(home.ca.count("new-order"), 0)

    def test_what_would_be_given_back_by_itself_is_passed_over(self):
        home = Home((V4,))
        home.run()
        home.change([identifiers.parse(V6)])
        home.run(home.clock.now + 2 * DAY)
        self.assertEqual([i.names for i in home.ca.issued], [(V4,), (V6,)])
        self.assertEqual((home.told(notices.FAILED), home.device.last_error), ([], None))
        self.assertTrue(home.device.settled)

    def test_a_revocation_that_another_firmware_planned_is_told_and_nothing_is_ordered(self):
        builtins.__import__ = self.imported
        home = Home((V4,))
        home.run()
        home.device.journal.revoked_at = home.clock.now
        home.device.event("revoke", Revocation(V4, 1))
        home.run(home.clock.now + HOUR)
        self.assertEqual(home.record(V4).revocation_reason, 1)
        self.leave_out()
        home.boot()
        home.run(home.clock.now + 30 * DAY)
        record = home.record(V4)
        self.assertEqual((record.revocation_reason, record.planned_at), (None, limits.NEVER))
        self.assertEqual((len(home.ca.issued), home.ca.issued[0].revoked), (1, None))
        self.assertEqual(len(home.told(notices.FAILED)), 1)


if __name__ == "__main__":
    unittest.main()
