"""What a firmware's maker may leave out (`manifest.py`): the rest works without it, and says so where it is asked for."""

import builtins
import unittest

from portable_support import code_of
from virtual_home import NAME, START, V4, V6, Home

from ipcert import features, identifiers, limits, notices, policy, split
from ipcert.encoding import key_file
from ipcert.errors import LocalError
from ipcert.operation_commands import Revocation

DAY = limits.DAY
HOUR = limits.HOUR
# The modules of `features`, which the core loads where they are asked for; `tools/lib/build/files.py` has the files.
LEFT_OUT = [row[2] for row in features._PARTS] + ["ipcert_port.port.slots"]


def sentence_of(call):
    """The sentence of the LocalError that the call raises, or ""."""
    try:
        call()
    except LocalError as error:
        return str(error)
    return ""


class CoreAlone(unittest.TestCase):
    def setUp(self):
        self.imported = builtins.__import__
        self.tries = []
        self.leave_out()

    def leave_out(self):
        imported, tries = self.imported, self.tries

        def importing(name, globals=None, locals=None, fromlist=None, level=0):
            if name in LEFT_OUT:
                tries.append(name.split(".")[-1])
                raise ImportError(name)
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
        self.assertEqual(set(self.tries) - {"texts", "alternates"}, set())  # these have a way without

    def test_what_was_left_out_is_said_when_it_is_asked_for(self):
        home = Home((V4,))
        home.run()
        for kind, value, module in (
            ("revoke", Revocation(V4, 1), "operation_commands"),
            ("revoke", Revocation(V4, 1, True), "operation_commands"),
            ("deauthorize", V4, "operation_commands"),
            ("account", "rollover", "operation_commands"),
            ("recover", b"\x01" * 32, "operation_commands"),
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

    def test_a_choice_that_was_left_out_is_refused_when_it_is_read(self):
        for feature, choice in (
            ("alternate-chains", {"preferred_chain": "smallest"}),
            ("external-account", {"eab_kid": "k", "eab_key": b"k"}),
            ("combined", {"combined": True}),
        ):
            error = sentence_of(lambda c=choice: policy.Policy(**c))
            self.assertTrue("without %s;" % feature in error, error)
        self.assertEqual(policy.Policy().preferred_chain, "")
        self.assertTrue(policy.Policy(combined=True, setting="public").combined)

    def test_certificates_of_both_kinds_are_refused_where_nobody_can_consent(self):
        home = Home((NAME,))
        both = split.Certificate([identifiers.parse(NAME), identifiers.parse(V4)], "http-01")
        self.assertEqual(code_of(LocalError, lambda: home.device.event("certificates", [both])), "missing")
        home.run(START + 20 * DAY)
        self.assertEqual([i.names for i in home.ca.issued], [(NAME,)])

    def test_a_sealed_key_file_is_refused_and_not_taken_for_a_damaged_one(self):
        home = Home((V4,))
        home.run()
        home.port.secret = b"s" * 32
        out = bytearray(key_file.SEALED)
        self.assertEqual(
            code_of(LocalError, lambda: key_file.write(home.port, limits.ACCOUNT, out)), "missing"
        )
        out[:4] = key_file.MAGIC
        self.assertEqual(code_of(LocalError, lambda: key_file.read(home.port, bytes(out))), "missing")

    def test_a_notice_without_its_text_has_its_code_and_what_it_is_about(self):
        self.assertEqual(notices.text(notices.HELD, V4), "held: " + V4)
        self.assertEqual(notices.text(notices.FAILED, NAME, "No."), "failed: %s: No." % NAME)
        error = sentence_of(lambda: identifiers.check_public(identifiers.parse("10.0.0.1")))
        self.assertTrue("private" in error and "Use a public one." in error, error)

    def test_a_change_of_the_key_that_another_firmware_began_is_told_and_nothing_is_ordered(self):
        home = Home((V4,))
        home.run()
        home.device.journal.pending_account_file_id = home.device.storage.new_file_id()
        home.device.event("renew", V4)
        home.run(home.clock.now + HOUR)
        self.assertEqual((home.device.last_error.code, len(home.ca.issued)), ("missing", 1))
        self.assertTrue("without account-operations;" in str(home.device.last_error))
        self.assertTrue(home.told(notices.FAILED))

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
