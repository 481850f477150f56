"""The account's operations and revocations, of a whole device against a strict CA."""

import unittest

from portable_support import code_of
from virtual_ca import Refusal
from virtual_home import NAME, START, V4, Home

from ipcert import identifiers, limits, notices, operation_commands
from ipcert.errors import LocalError

DAY = limits.DAY
HOUR = limits.HOUR


def spkis(home):
    return [i.spki for i in home.ca.issued]


class Account(unittest.TestCase):
    def test_lost_at_the_ca(self):
        home = Home((V4,))
        home.run()
        home.ca.accounts.clear()
        home.run(home.record(V4).planned_at + HOUR)
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(len(home.ca.accounts), 1)
        self.assertEqual(len(home.told(notices.ACCOUNT_LOST)), 1)
        self.assertEqual(home.told(notices.FAILED), [])

    def test_operations(self):
        home = Home((V4,), contacts=("mailto:a@example.net",))
        self.assertEqual(code_of(LocalError, lambda: home.device.event("account", "contacts")), "account")
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
        self.assertEqual(code_of(LocalError, lambda: home.device.event("account", "contacts")), "busy")
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
        self.assertEqual(code_of(LocalError, lambda: home.device.event("account", "fly")), "event")

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
        home.run(home.record(V4).planned_at + HOUR)
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
        self.assertEqual(code_of(LocalError, lambda: other.device.event("recover", old)), "busy")
        other.run()
        self.assertEqual(other.device.journal.account_url.text(), url)
        self.assertEqual(len(home.ca.accounts), 1)
        self.assertEqual(
            [n for n in other.store.names() if n.startswith("account")],
            ["account-%d" % other.device.journal.account_file_id],
        )
        self.assertEqual(code_of(LocalError, lambda: other.device.event("recover", old)), "recover")
        self.assertEqual(code_of(LocalError, lambda: other.device.event("recover", bytes(32))), "key")
        other.sleep(5)
        other.device.event("account", "contacts")
        other.run()
        self.assertEqual(other.device.journal.account_url.text(), url)

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
            home.device.exchange.directory = None
            home.device.event("renew", V4)
            home.run()
        self.assertEqual(home.told(notices.TERMS), ["https://ca.example/terms-2", "none"])


class Second(unittest.TestCase):
    """Addresses have an account of their own where DNS names the one for the names (P13)."""

    PERSIST = "dns-persist-01"

    def home(self, **wishes):
        home = Home(**wishes)
        home.run(START + 15 * DAY)
        self.assertEqual({i.names for i in home.ca.issued}, {(NAME,), (V4,)})
        return home

    def owners(self, home, text):
        """Accounts that ordered for an identifier, oldest order first."""
        return [i.account for i in home.ca.issued if i.names == (text,)]

    def files(self, home):
        return [n for n in home.store.names() if n.startswith("account")]

    def test_two_accounts(self):
        home = self.home(challenge_name=self.PERSIST)
        home.sleep(DAY)
        home.device.event("renew", NAME)
        home.run(home.clock.now + 4 * DAY)
        name, address = self.owners(home, NAME), self.owners(home, V4)
        self.assertEqual((len(set(name)), len(set(address)), len(home.ca.accounts)), (1, 1, 2))
        self.assertNotEqual(name[0], address[0])
        self.assertEqual((home.record(NAME).certificate_role, home.record(NAME).order_role), (0, 0))
        self.assertEqual((home.record(V4).certificate_role, home.record(V4).order_role), (1, 1))
        self.assertEqual(len(self.files(home)), 2)
        # Every renewal says what it replaces: both accounts are the same ones as before.
        renewals = [i for i in home.ca.issued if i.replaces]
        self.assertEqual(len(renewals), len(home.ca.issued) - 2)
        keys = spkis(home) + [b"x" * 26 + a["point"] for a in home.ca.accounts.values()]
        self.assertEqual(len(set(keys)), len(keys))

    def test_a_caa_record_can_be_the_one_that_names_it(self):
        home = self.home(accounturi=True)
        self.assertEqual(len(home.ca.accounts), 2)
        home = self.home(challenge_name=self.PERSIST, accounturi=False)
        self.assertEqual(len(home.ca.accounts), 1)

    def test_the_published_one_stays_where_it_was(self):
        home = self.home()
        (first,) = home.ca.accounts
        home.wishes["challenge_name"] = self.PERSIST
        home.sleep(5)
        count = len(home.ca.issued)
        home.device.event("renew", V4)
        home.device.event("renew", NAME)
        home.run(home.clock.now + HOUR)
        (name,) = [i for i in home.ca.issued[count:] if i.names == (NAME,)]
        (address,) = [i for i in home.ca.issued[count:] if i.names == (V4,)]
        self.assertEqual((name.account, name.replaces is None), (first, False))
        self.assertNotEqual(address.account, first)
        # Another account's certificate cannot be replaced; from then on it is its own.
        self.assertIsNone(address.replaces)
        self.assertEqual(home.told(notices.FAILED), [])
        home.run(home.record(V4).planned_at + HOUR)
        self.assertIsNotNone(home.ca.issued[-1].replaces)
        # And back: one account for everything again.
        home.wishes["challenge_name"] = "http-01"
        home.sleep(5)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(self.owners(home, V4)[-1], first)

    def test_who_ordered_it_revokes_it(self):
        home = self.home()
        home.wishes["accounturi"] = True
        home.sleep(HOUR)
        home.device.event("revoke", operation_commands.Revocation(V4, 1))
        home.run(home.clock.now)
        self.assertEqual([i.names for i in home.ca.issued if i.revoked], [(V4,)])
        self.assertEqual(len(home.ca.accounts), 1)
        home.device.event("renew", V4)
        home.run(home.clock.now)
        home.clock.now += DAY
        home.device.event("revoke", operation_commands.Revocation(V4, 1))
        home.run(home.clock.now)
        self.assertEqual(len([i for i in home.ca.issued if i.revoked]), 2)
        self.assertEqual(len(home.ca.accounts), 2)
        self.assertEqual(home.told(notices.FAILED), [])

    def test_operations_are_for_both(self):
        home = self.home(challenge_name=self.PERSIST)
        points = [a["point"] for a in home.ca.accounts.values()]
        home.device.event("account", "rollover")
        home.run(home.clock.now)
        self.assertEqual([a["point"] in points for a in home.ca.accounts.values()], [False, False])
        self.assertEqual(len(self.files(home)), 2)
        home.wishes["contacts"] = ("mailto:b@example.net",)
        home.sleep(5)
        home.device.event("account", "contacts")
        home.run(home.clock.now)
        self.assertEqual([len(a["contact"]) for a in home.ca.accounts.values()], [1, 1])
        home.device.event("account", "deactivate")
        home.run(home.clock.now + 20 * DAY)
        self.assertEqual([a["status"] for a in home.ca.accounts.values()], ["deactivated"] * 2)
        self.assertEqual(self.files(home), [])

    def test_a_recovered_one_is_the_first(self):
        old = Home((NAME,), seed=2)
        old.run()
        (url,) = old.ca.accounts
        key = old.store.read("account-1")[36:68]
        home = Home(ca=old.ca, clock=old.clock, challenge_name=self.PERSIST)
        old.ca.look = home.look
        home.run()
        self.assertEqual(home.device.journal.account_role, 1)
        home.device.event("recover", key)
        home.run(START + 15 * DAY)
        self.assertEqual(self.owners(home, NAME), [url, url])
        self.assertNotIn(url, self.owners(home, V4))

    def test_a_key_change_is_cleared_up_before_the_other_one_is_used(self):
        for known in (False, True):
            home = self.home(challenge_name=self.PERSIST)

            def hook(kind, url):
                if kind == "key-change":
                    return 503, {}, b""

            def after(kind, url, home=home):
                if kind == "key-change":
                    home.ca.hook = None
                    it = home.device.next(0)
                    home.ca.request("POST", url, bytes(memoryview(it.body)[: it.size]))
                    return 503, {}, b""

            home.ca.hook = after if known else hook
            home.device.event("account", "rollover")
            home.run(home.clock.now)
            # Known: the other account's turn clears it up at once. Unknown: that one's key is the pending one now.
            self.assertEqual(home.device.journal.pending_account_file_id == 0, known)
            home.ca.hook = None
            home.sleep(5)
            count = len(home.ca.issued)
            home.device.event("renew", V4)
            home.device.event("renew", NAME)
            home.run(home.clock.now + HOUR)
            self.assertEqual(len(home.ca.issued), count + 2)
            self.assertEqual((home.device.journal.pending_account_file_id, len(home.ca.accounts)), (0, 2))
            self.assertEqual(home.told(notices.ACCOUNT_LOST), [])

    def test_another_ca_forgets_both(self):
        home = self.home(challenge_name=self.PERSIST)
        home.url += "?2"
        home.sleep(5)
        home.run(home.clock.now)
        self.assertEqual(self.files(home), [])
        j = home.device.journal
        self.assertEqual(
            (
                j.account_url.size,
                j.other_account_url.size,
                j.account_file_id,
                j.other_account_file_id,
                j.account_role,
            ),
            (0, 0, 0, 0, 0),
        )


class GivenBack(unittest.TestCase):
    """Authorizations that are not needed any more are deactivated (RFC 8555 7.5.2)."""

    OTHER = "198.51.100.8"

    def change(self, home, *texts):
        home.identifiers = [identifiers.parse(t) for t in texts]
        home.change(home.identifiers)

    def test_when_asked(self):
        home = Home((NAME, "b.example.net"), urgent="domain")
        home.ca.authz_reuse = True
        home.run()
        both = NAME + ",b.example.net"
        self.assertEqual(home.ca.proved(), sorted([NAME, "b.example.net"]))
        home.sleep(HOUR)
        home.run(home.clock.now)
        home.device.event("deauthorize", both)
        at = home.record(both).planned_at
        home.run(home.clock.now)
        self.assertEqual(home.ca.proved(), [])
        self.assertEqual((home.device.last_error, home.told(notices.FAILED)), (None, []))
        self.assertEqual(home.record(both).planned_at, at)
        # There is nothing left to give, and the next order proves it all again.
        self.assertEqual(code_of(LocalError, lambda: home.device.event("deauthorize", both)), "account")
        count = home.ca.count("challenge")
        home.device.event("renew", both)
        home.run(home.clock.now + HOUR)
        self.assertEqual(home.ca.count("challenge"), count + 2)
        home.device.event("renew", both)
        home.run(home.clock.now + HOUR)
        self.assertEqual(home.ca.count("challenge"), count + 2)

    def test_what_cannot_be_asked(self):
        home = Home((V4,))
        home.device.prepare(START)
        for text in (V4, NAME):
            self.assertEqual(
                code_of(LocalError, lambda t=text: home.device.event("deauthorize", t)), "account"
            )
        home.ca.decide = 50
        for _ in range(30):
            it = home.step()
            if it is not None and it.busy:
                break
        self.assertEqual(code_of(LocalError, lambda: home.device.event("deauthorize", V4)), "busy")

    def test_an_address_that_is_not_ours_any_more(self):
        for role, challenge in ((0, "http-01"), (1, "dns-persist-01")):
            home = Home(challenge_name=challenge, urgent="both", first_delay=HOUR)
            home.run(START + 2 * HOUR)
            self.assertEqual(home.record(V4).order_role, role)
            self.assertEqual(home.ca.proved(), sorted([NAME, V4]))
            self.change(home, NAME, self.OTHER)
            home.run(home.clock.now)
            self.assertEqual(home.ca.proved(), [NAME])
            self.assertEqual((len(home.ca.accounts), home.told(notices.FAILED)), (1 + role, []))

    def test_an_order_that_failed_before_the_names_changed(self):
        home = Home((NAME, "b.example.net"), urgent="domain")
        home.ca.look = lambda challenge, value, token: (
            None if value == NAME else home.look(challenge, value, token)
        )
        home.run(START + 5)
        self.assertEqual(home.device.last_error.code, "not-valid")
        self.assertEqual(home.ca.proved(), ["b.example.net"])
        self.change(home, "c.example.net")
        home.run(START + 5)
        self.assertEqual(home.ca.proved(), ["c.example.net"])

    def test_what_stays_is_kept(self):
        home = Home((NAME,), urgent="domain")
        home.ca.authz_reuse = True
        home.run()
        self.change(home, NAME, "b.example.net")
        home.run(START + HOUR)
        self.assertEqual((len(home.ca.issued), home.ca.count("challenge")), (2, 2))

    def test_a_ca_that_cannot(self):
        home = Home((V4,))
        home.run()

        def hook(kind, url):
            if kind == "authorization":
                raise Refusal("malformed")

        home.ca.hook = hook
        home.device.event("deauthorize", V4)
        at = home.record(V4).planned_at
        home.run(START + HOUR)
        self.assertEqual(home.device.last_error.code, "malformed")
        self.assertEqual((home.record(V4).planned_at, home.record(V4).failures), (at, 0))
        # On a change of address nobody asked for it, so nobody is told.
        home.device.event("renew", V4)
        home.ca.hook = None
        home.run(START + HOUR)
        home.ca.hook = hook
        self.change(home, self.OTHER)
        home.step()
        home.run(home.clock.now)
        self.assertEqual(home.told(notices.FAILED), [])

    def test_an_order_that_is_gone(self):
        home = Home((V4,))
        home.run()
        home.ca.forget_orders()
        home.device.event("deauthorize", V4)
        home.run(START + HOUR)
        self.assertEqual(home.device.last_error, None)

    def test_an_account_that_ended_took_them_along(self):
        home = Home((V4,))
        home.run()
        home.device.event("account", "deactivate")
        home.run(START + HOUR)
        self.assertEqual(code_of(LocalError, lambda: home.device.event("deauthorize", V4)), "account")


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
        gen = home.record(V4).file_id
        home.device.event("revoke", operation_commands.Revocation(V4, 1))
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
        home.device.event("revoke", operation_commands.Revocation(V4, 4))
        home.device.event("revoke", operation_commands.Revocation(NAME, 4))
        home.run(home.clock.now + 2 * DAY)
        a, b = self.revoked(home)
        self.assertGreaterEqual(abs(a.revoked[0] - b.revoked[0]), 2 * HOUR)

    def test_one_that_was_missed_is_soon_made_up_for(self):
        home = self.both()
        home.device.event("revoke", operation_commands.Revocation(NAME, 1))
        for _ in range(20):
            if home.record(NAME).revocation_reason is not None and not home.device.storage.changed:
                break
            home.step()
        home.sleep(3 * DAY)
        home.run(home.clock.now + HOUR)
        self.assertEqual([i.names for i in self.revoked(home)], [(NAME,)])

    def test_renew_takes_it_back(self):
        home = self.both()
        home.device.event("revoke", operation_commands.Revocation(V4, 1))
        home.device.event("renew", V4)
        home.run(home.clock.now)
        self.assertEqual(self.revoked(home), [])
        self.assertIsNone(home.record(V4).revocation_reason)

    def test_by_its_own_key(self):
        home = self.both()
        home.ca.accounts.clear()
        home.device.event("revoke", operation_commands.Revocation(V4, 0, True))
        home.run(home.clock.now)
        self.assertEqual([i.names for i in self.revoked(home)], [(V4,)])
        self.assertEqual(home.ca.accounts, {})

    def test_a_chain_that_is_gone_cannot_be_revoked(self):
        home = self.both()
        home.device.event("revoke", operation_commands.Revocation(V4, 1))
        home.step()
        del home.store.files["chain-%d" % home.record(V4).file_id]
        home.run(home.clock.now)
        self.assertEqual(home.device.last_error.code, "revoke")
        home.sleep(DAY)
        count = len(home.ca.issued)
        home.run(home.clock.now + 20 * DAY)
        self.assertEqual(self.revoked(home), [])
        self.assertEqual([i for i in home.ca.issued[count:] if i.names == (V4,)], [])
        self.assertEqual(home.record(V4).planned_at, limits.NEVER)

    def test_already_revoked_counts(self):
        home = self.both()
        for i in home.ca.issued:
            i.revoked = (START, 0)
        home.device.event("revoke", operation_commands.Revocation(V4, 0))
        home.run(home.clock.now)
        self.assertEqual(home.told(notices.REVOKED), [V4])

    def test_what_cannot_be_asked(self):
        home = Home()
        home.run()
        for what in (
            operation_commands.Revocation(V4, 2),
            operation_commands.Revocation(NAME, 0),
            operation_commands.Revocation("x", 0),
        ):
            self.assertEqual(code_of(LocalError, lambda w=what: home.device.event("revoke", w)), "revoke")

    def test_not_during_its_own_order(self):
        home = Home((V4,))
        home.run()
        home.ca.decide = 50
        home.device.event("renew", V4)
        for _ in range(30):
            it = home.step()
            if it is not None and it.busy:
                break
        self.assertEqual(
            code_of(LocalError, lambda: home.device.event("revoke", operation_commands.Revocation(V4, 0))),
            "busy",
        )


if __name__ == "__main__":
    unittest.main()
