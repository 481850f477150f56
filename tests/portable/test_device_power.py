"""Power cuts at every single action: before it, after the outside did its part, and in the middle of a write."""

import gc
import unittest

from virtual_home import NAME, START, V4, Home, PowerCut, sha256

from ipcert import action, identifiers, journal, keys, limits, notices
from ipcert.operation_commands import Revocation

DAY = limits.DAY
HOUR = limits.HOUR


def durable(home):
    """identifiers -> plan, as the store holds them; {} where there is no journal yet."""
    j = journal.Journal(keys.Ring(), sha256)
    if not journal.Slots(j).load(home.store.read):
        return {}
    found = {}
    for r in j.records():
        found[r.identifiers_text.text()] = r.planned_at
    return found


class Power(unittest.TestCase):
    def everywhere(self, make, go, check):
        """Cut `go(make())` at every action, boot, let `go` finish, and `check`. Three ways for each place."""
        cuts = 0
        for way in ("before", "late", "torn"):
            k = 0
            while True:
                home = make()
                home.late = way == "late"
                if way == "torn":
                    home.store.tear_after(k)
                else:
                    home.cut = k
                try:
                    go(home)
                    break
                except PowerCut:
                    pass
                home.store.tear_after(None)
                with self.subTest(way=way, k=k):
                    plans = durable(home)
                    home.boot()
                    self.never_redrawn(home, plans)
                    go(home)
                    check(home)
                    self.sound(home)
                k += 1
                home = None
                gc.collect()
            self.assertGreater(k, 1)
            cuts += k
        return cuts

    def never_redrawn(self, home, plans):
        """After a boot, what was planned is still planned for the same second."""
        now = home.now()
        while home.device.next(now).kind not in (action.WAIT, action.SEND):
            home.step()
        for text, at in plans.items():
            if at > now and text in home.records():
                self.assertEqual(home.record(text).planned_at, at)

    def sound(self, home):
        """No key twice, no key in two places, and no file that nothing refers to."""
        used = [i.spki for i in home.ca.issued] + [b"x" * 26 + a["point"] for a in home.ca.accounts.values()]
        self.assertEqual(len(set(used)), len(used))
        j = home.device.journal
        self.assertEqual(j.pending_account_file_id, 0)
        want = ["directory", "journal-a", "journal-b"]
        if j.account_file_id:
            want.append("account-%d" % j.account_file_id)
        if j.other_account_file_id:
            want.append("account-%d" % j.other_account_file_id)
        for r in j.records():
            self.assertEqual((r.pending_file_id, r.ordered_at), (0, 0))
            if r.file_id:
                want += ["key-%d" % r.file_id, "chain-%d" % r.file_id]
        self.assertEqual(home.store.names(), sorted(want))
        self.assertEqual(home.published, {})

    def test_a_new_device(self):
        def make():
            home = Home((NAME, V4), urgent="both", first_delay=HOUR)
            home.ca.pending_again = False
            return home

        def go(home):
            home.run(START + 2 * HOUR)

        def check(home):
            self.assertEqual(sorted(home.deployed), sorted([NAME, V4]))
            self.assertEqual({i.names[0] for i in home.ca.issued}, {NAME, V4})
            self.assertLessEqual(home.ca.count("new-order"), 3)
            self.assertLessEqual(len(home.ca.accounts), 2)
            self.assertEqual(home.told(notices.FAILED), [])
            for r in home.device.journal.records():
                self.assertGreater(r.file_id, 0)

        self.assertGreater(self.everywhere(make, go, check), 80)

    def test_a_renewal(self):
        def make():
            home = Home((V4,), seed=3)
            home.run()
            home.first = home.record(V4).planned_at
            return home

        def go(home):
            home.run(home.first + HOUR)

        def check(home):
            self.assertEqual(len(home.ca.accounts), 1)
            self.assertTrue(2 <= len(home.ca.issued) <= 3)
            self.assertLessEqual(home.ca.count("new-order"), 3)
            self.assertEqual(home.deployed[V4][1], home.ca.chain(home.ca.issued[-1]).encode())
            self.assertGreater(home.record(V4).planned_at, home.first + HOUR)

        self.everywhere(make, go, check)

    def test_a_new_address(self):
        other = "198.51.100.8"

        def make():
            home = Home((V4,), seed=4)
            home.run()
            home.clock.now += 80 * HOUR
            home.identifiers = [identifiers.parse(other)]
            home.change(home.identifiers)
            return home

        def go(home):
            home.run(START + 81 * HOUR)

        def check(home):
            self.assertEqual([i.names for i in home.ca.issued if i.replaces], [])
            self.assertEqual(list(home.records()), [other])
            self.assertTrue(home.deployed[other][1])
            self.assertEqual(home.deployed[V4], (b"", b""))

        self.everywhere(make, go, check)

    def test_a_key_rollover(self):
        def make():
            home = Home((V4,), seed=5)
            home.run()
            home.point = list(home.ca.accounts.values())[0]["point"]
            home.device.event("account", "rollover")
            return home

        def go(home):
            home.run(START + HOUR)
            if not home.ca.accounts[home.device.journal.account_url.text()]["status"] == "valid":
                self.fail("the account is gone")
            home.device.event("renew", V4)
            home.run(START + HOUR)

        def check(home):
            self.assertEqual(len(home.ca.accounts), 1)
            self.assertGreaterEqual(len(home.ca.issued), 2)
            self.assertEqual(home.told(notices.ACCOUNT_LOST), [])

        self.everywhere(make, go, check)

    def test_the_keys_of_two_accounts(self):
        def make():
            home = Home((NAME, V4), seed=7, urgent="both", first_delay=HOUR, challenge_name="dns-persist-01")
            home.run(START + 2 * HOUR)
            home.device.event("account", "rollover")
            return home

        def go(home):
            home.run(START + 3 * HOUR)
            home.device.event("renew", V4)
            home.run(START + 3 * HOUR)
            home.device.event("renew", NAME)
            home.run(START + 4 * HOUR)

        def check(home):
            self.assertEqual(len(home.ca.accounts), 2)
            self.assertEqual(home.told(notices.ACCOUNT_LOST), [])
            self.assertEqual(home.told(notices.FAILED), [])
            last = {i.names: i.account for i in home.ca.issued}
            self.assertNotEqual(last[(NAME,)], last[(V4,)])

        self.everywhere(make, go, check)

    def test_a_revocation(self):
        def make():
            home = Home((V4,), seed=6)
            home.run()
            home.device.event("revoke", Revocation(V4, 1))
            return home

        def go(home):
            home.run(START + HOUR)

        def check(home):
            # Asked for by an event: before it was written down, it was not promised.
            if home.ca.issued[0].revoked:
                self.assertEqual(home.record(V4).file_id, 0)
                self.assertIsNone(home.record(V4).revocation_reason)
                self.assertEqual(home.record(V4).planned_at, limits.NEVER)
            else:
                self.assertEqual(home.ca.count("revoke"), 0)

        self.everywhere(make, go, check)


if __name__ == "__main__":
    unittest.main()
