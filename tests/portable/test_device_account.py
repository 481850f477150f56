"""The account's errands and revocations, of a whole device against a strict CA."""

import unittest

from portable_support import code_of
from virtual_ca import Refusal
from virtual_home import NAME, START, V4, Home

from ipcert import limits, notices
from ipcert.errors import Ours

DAY = limits.DAY
HOUR = limits.HOUR


def spkis(home):
    return [i.spki for i in home.ca.issued]


class Account(unittest.TestCase):
    def test_lost_at_the_ca(self):
        home = Home((V4,))
        home.run()
        home.ca.accounts.clear()
        home.run(home.record(V4).at + HOUR)
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(len(home.ca.accounts), 1)
        self.assertEqual(len(home.told(notices.ACCOUNT_LOST)), 1)
        self.assertEqual(home.told(notices.FAILED), [])

    def test_errands(self):
        home = Home((V4,), contacts=("mailto:a@example.net",))
        self.assertEqual(code_of(Ours, lambda: home.device.event("account", "contacts")), "account")
        home.run()
        (account,) = home.ca.accounts.values()
        self.assertEqual(account["contact"], ["mailto:a@example.net"])
        home.wishes["contacts"] = ()
        home.sleep(5)
        home.device.event("account", "contacts")
        home.run()
        self.assertEqual(account["contact"], [])
        point = account["point"]
        home.device.event("account", "rollover")
        self.assertEqual(code_of(Ours, lambda: home.device.event("account", "contacts")), "busy")
        home.run()
        self.assertNotEqual(account["point"], point)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(len([n for n in home.store.names() if n.startswith("account")]), 1)
        home.device.event("account", "deactivate")
        home.run(home.clock.now + 20 * DAY)
        self.assertEqual(account["status"], "deactivated")
        self.assertEqual([n for n in home.store.names() if n.startswith("account")], [])
        self.assertEqual(len(home.ca.issued), 2)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 3)
        self.assertEqual(len(home.ca.accounts), 2)
        self.assertEqual(code_of(Ours, lambda: home.device.event("account", "fly")), "event")

    def test_a_rollover_that_the_ca_refuses(self):
        home = Home((V4,))
        home.run()

        def hook(kind, url):
            if kind == "key-change":
                raise Refusal("malformed")

        home.ca.hook = hook
        home.device.event("account", "rollover")
        home.run(START + HOUR)
        self.assertEqual(home.device.last_error.code, "malformed")
        home.ca.hook = None
        home.run(home.record(V4).at + HOUR)
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(len(home.ca.accounts), 1)
        self.assertEqual([n for n in home.store.names() if n.startswith("account")], ["account-1"])

    def test_recovered_with_a_key_from_elsewhere(self):
        home = Home((V4,))
        home.run()
        (url,) = home.ca.accounts
        old = home.store.read("account-1")[36:68]
        other = Home((V4,), seed=2, ca=home.ca)
        other.device.event("recover", old)
        self.assertEqual(code_of(Ours, lambda: other.device.event("recover", old)), "busy")
        other.run()
        self.assertEqual(other.device.journal.account.text(), url)
        self.assertEqual(len(home.ca.accounts), 1)
        self.assertEqual(
            [n for n in other.store.names() if n.startswith("account")],
            ["account-%d" % other.device.journal.account_gen],
        )
        self.assertEqual(code_of(Ours, lambda: other.device.event("recover", old)), "recover")
        self.assertEqual(code_of(Ours, lambda: other.device.event("recover", bytes(32))), "key")
        other.sleep(5)
        other.device.event("account", "contacts")
        other.run()
        self.assertEqual(other.device.journal.account.text(), url)

    def test_a_key_that_has_no_account(self):
        home = Home((V4,))
        home.run()
        home.device.event("recover", b"\x01" * 32)
        home.run()
        self.assertEqual(home.device.last_error.code, "accountDoesNotExist")
        self.assertEqual(home.told(notices.FAILED), ["the account"])
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(len(home.ca.accounts), 1)

    def test_external_binding(self):
        home = Home((V4,))
        home.ca.account_required = True
        home.run(START)
        self.assertEqual(home.device.last_error.code, "external-account")
        home.wishes["eab_kid"] = "kid-1"
        home.wishes["eab_key"] = b"k" * 32
        home.boot()
        home.run(START + HOUR)
        self.assertEqual(len(home.ca.issued), 1)

    def test_terms(self):
        home = Home((V4,), agree_terms=False)
        home.ca.terms = "https://ca.example/terms-1"
        home.run(START)
        self.assertEqual(home.device.last_error.code, "terms")
        self.assertEqual(home.ca.accounts, {})
        home.wishes["agree_terms"] = True
        home.boot()
        home.run(START + HOUR)
        self.assertEqual(len(home.ca.issued), 1)
        for terms in ("https://ca.example/terms-2", None):
            home.ca.terms = terms
            home.device.directory = None
            home.device.event("renew", V4)
            home.run()
        self.assertEqual(home.told(notices.TERMS), ["https://ca.example/terms-2", "none"])


class Revocation(unittest.TestCase):
    def both(self):
        home = Home()
        home.run(START + 15 * DAY)
        return home

    def revoked(self, home):
        return [i for i in home.ca.issued if i.revoked]

    def test_one(self):
        home = self.both()
        home.clock.now += HOUR
        gen = home.record(V4).gen
        home.device.event("revoke", (V4, 1, False))
        home.run(home.clock.now)
        (i,) = self.revoked(home)
        self.assertEqual((i.names, i.revoked), ((V4,), (home.clock.now, 1)))
        self.assertEqual(home.deployed[V4], (b"", b""))
        self.assertNotIn("key-%d" % gen, home.store.names())
        self.assertEqual(home.told(notices.REVOKED), [V4])
        count = len(home.ca.issued)
        home.run(home.clock.now + 20 * DAY)
        self.assertEqual([i for i in home.ca.issued[count:] if i.names == (V4,)], [])
        home.device.event("renew", V4)
        home.run(home.clock.now)
        self.assertEqual(home.ca.issued[-1].names, (V4,))

    def test_two_are_kept_apart(self):
        home = self.both()
        home.device.event("revoke", (V4, 4, False))
        home.device.event("revoke", (NAME, 4, False))
        home.run(home.clock.now + 2 * DAY)
        a, b = self.revoked(home)
        self.assertGreaterEqual(abs(a.revoked[0] - b.revoked[0]), 2 * HOUR)

    def test_one_that_was_missed_is_soon_made_up_for(self):
        home = self.both()
        home.device.event("revoke", (NAME, 1, False))
        for _ in range(20):
            if home.record(NAME).revoke and not home.device.dirty:
                break
            home.step()
        home.sleep(3 * DAY)
        home.run(home.clock.now + HOUR)
        self.assertEqual([i.names for i in self.revoked(home)], [(NAME,)])

    def test_renew_takes_it_back(self):
        home = self.both()
        home.device.event("revoke", (V4, 1, False))
        home.device.event("renew", V4)
        home.run(home.clock.now)
        self.assertEqual(self.revoked(home), [])
        self.assertEqual(home.record(V4).revoke, 0)

    def test_by_its_own_key(self):
        home = self.both()
        home.ca.accounts.clear()
        home.device.event("revoke", (V4, 0, True))
        home.run(home.clock.now)
        self.assertEqual([i.names for i in self.revoked(home)], [(V4,)])
        self.assertEqual(home.ca.accounts, {})

    def test_a_chain_that_is_gone_cannot_be_revoked(self):
        home = self.both()
        home.device.event("revoke", (V4, 1, False))
        home.step()
        del home.store.files["chain-%d" % home.record(V4).gen]
        home.run(home.clock.now)
        self.assertEqual(home.device.last_error.code, "revoke")
        home.sleep(DAY)
        count = len(home.ca.issued)
        home.run(home.clock.now + 20 * DAY)
        self.assertEqual(self.revoked(home), [])
        self.assertEqual([i for i in home.ca.issued[count:] if i.names == (V4,)], [])
        self.assertEqual(home.record(V4).at, limits.NEVER)

    def test_already_revoked_counts(self):
        home = self.both()
        for i in home.ca.issued:
            i.revoked = (START, 0)
        home.device.event("revoke", (V4, 0, False))
        home.run(home.clock.now)
        self.assertEqual(home.told(notices.REVOKED), [V4])

    def test_what_cannot_be_asked(self):
        home = Home()
        home.run()
        for what in ((V4, 2, False), (NAME, 0, False), ("x", 0, False)):
            self.assertEqual(code_of(Ours, lambda w=what: home.device.event("revoke", w)), "revoke")

    def test_not_during_its_own_order(self):
        home = Home((V4,))
        home.run()
        home.ca.decide = 50
        home.device.event("renew", V4)
        for _ in range(30):
            it = home.step()
            if it is not None and it.busy:
                break
        self.assertEqual(code_of(Ours, lambda: home.device.event("revoke", (V4, 0, False))), "busy")


if __name__ == "__main__":
    unittest.main()
