"""What changes under a device: consent, addresses, names, the CA, lost files."""

import unittest

from portable_support import code_of
from virtual_ca import HOST
from virtual_home import NAME, START, V4, V6, Home

from ipcert import identifiers, limits, notices
from ipcert.adoption import Adoption
from ipcert.errors import LocalError, RemoteError

DAY = limits.DAY
HOUR = limits.HOUR


def spkis(home):
    return [i.spki for i in home.ca.issued]


class Consent(unittest.TestCase):
    ALL = NAME + "," + V4

    def combined(self, **wishes):
        home = Home(combined=True, **wishes)
        home.run()
        return home

    def test_nothing_goes_out_without_it(self):
        home = self.combined()
        home.run(START + 90 * DAY)
        self.assertEqual(home.ca.count(), 0)
        self.assertEqual(home.told(notices.CONSENT_NEEDED), [self.ALL])
        self.assertEqual(home.told(notices.COMBINED), [self.ALL])
        self.assertEqual(code_of(LocalError, lambda: home.device.event("renew", self.ALL)), "event")

    def test_wrong_answers(self):
        home = self.combined()
        right = home.device.consent_challenge()
        self.assertEqual(len(right), 8)
        for wrong in ("", "yes", right[:7], right + "0", "00000000"):
            self.assertEqual(code_of(LocalError, lambda w=wrong: home.device.event("consent", w)), "consent")
        home.run(START + DAY)
        self.assertEqual(home.ca.issued, [])

    def test_the_right_answer_after_a_restart(self):
        home = self.combined()
        right = home.device.consent_challenge()
        home.sleep(DAY)
        self.assertEqual(
            code_of(LocalError, lambda: home.device.event("consent", right)), "consent"
        )  # nothing read yet
        home.run()
        self.assertEqual(home.device.consent_challenge(), right)
        home.clock.now += DAY
        home.device.event("consent", " %s\n" % right.upper())
        home.run()
        self.assertEqual([i.names for i in home.ca.issued], [(NAME, V4)])
        self.assertEqual(home.ca.issued[0].profile, "shortlived")
        self.assertEqual(home.told(notices.CONSENT_GIVEN), [self.ALL])
        self.assertEqual(home.record(self.ALL).consent_at, START + 2 * DAY)
        home.sleep(10)
        home.run(home.clock.now + 7 * DAY)
        self.assertGreater(len(home.ca.issued), 1)
        self.assertEqual(home.told(notices.CONSENT_NEEDED), [self.ALL, self.ALL])

    def test_it_holds_for_these_identifiers_only(self):
        home = self.combined()
        right = home.device.consent_challenge()
        home.device.event("consent", right)
        home.run()
        home.change([identifiers.parse(NAME), identifiers.parse("198.51.100.8")])
        home.run(home.clock.now + 40 * DAY)
        self.assertEqual(len(home.ca.issued), 1)
        self.assertNotEqual(home.device.consent_challenge(), right)
        # Back to what was agreed to: the old answer is worth nothing.
        home.change([identifiers.parse(NAME), identifiers.parse(V4)])
        home.run(home.clock.now + DAY)
        self.assertEqual(code_of(LocalError, lambda: home.device.event("consent", right)), "consent")
        self.assertEqual(len(home.ca.issued), 1)

    def test_a_public_server_is_not_asked(self):
        home = self.combined(setting="public")
        self.assertEqual([i.names for i in home.ca.issued], [(NAME, V4)])
        self.assertEqual(home.device.consent_challenge(), "")
        self.assertEqual(code_of(LocalError, lambda: home.device.event("consent", "x")), "consent")

    def test_two_families_in_one_need_it_too(self):
        home = Home((V4, V6), combined=True)
        home.run()
        self.assertEqual(home.ca.issued, [])
        self.assertEqual(len(home.told(notices.FAMILIES_IN_ONE)), 1)

    def test_back_to_separate_ones(self):
        home = self.combined()
        home.device.event("consent", home.device.consent_challenge())
        home.run()
        home.wishes["combined"] = False
        home.sleep(10)
        home.run(home.clock.now + 16 * DAY)
        self.assertEqual({i.names for i in home.ca.issued[1:]}, {(NAME,), (V4,)})
        self.assertEqual(home.record(NAME).consent_at, 0)


class Changes(unittest.TestCase):
    def change(self, home, *texts):
        home.identifiers = [identifiers.parse(t) for t in texts]
        home.change(home.identifiers)

    def test_a_new_address(self):
        home = Home()
        home.run(START + 15 * DAY)
        old = home.record(V4)
        gen, key = old.file_id, bytes(old.key_hash)
        name_at = home.record(NAME).planned_at
        count = len(home.ca.issued)
        self.change(home, NAME, "198.51.100.8")
        home.run(home.clock.now + HOUR)
        new = home.ca.issued[count]
        self.assertEqual(new.names, ("198.51.100.8",))
        self.assertIsNone(new.replaces)
        self.assertEqual(home.deployed[V4], (b"", b""))
        self.assertNotIn("key-%d" % gen, home.store.names())
        self.assertNotIn("chain-%d" % gen, home.store.names())
        self.assertTrue(home.device.journal.ring.holds(key, 0))
        self.assertEqual(home.record(NAME).planned_at, name_at)
        self.assertEqual(home.told(notices.RETIRED), [V4])
        self.assertEqual(home.told(notices.HELD), ["198.51.100.8"])
        self.assertNotIn(new.spki, spkis(home)[:count])

    def test_each_new_ipv6_address_is_warned_about(self):
        home = Home((NAME, V6))
        home.run()
        for text in ("2001:db8::1:8", "2001:db8::1:9"):
            self.change(home, NAME, text)
            home.run(home.clock.now + 100 * HOUR)
            home.sleep(HOUR)
            home.run(home.clock.now)
        self.assertEqual(home.told(notices.IPV6_PUBLISHED), [V6, "2001:db8::1:8", "2001:db8::1:9"])
        self.assertEqual(home.told(notices.NAME_POINTS_HERE), [NAME])

    def test_an_address_that_did_not_last_holds_the_next_off(self):
        home = Home()
        home.run()
        home.clock.now += 10 * HOUR
        self.change(home, NAME, "198.51.100.8")
        home.run(home.clock.now)
        r = home.record("198.51.100.8")
        self.assertTrue(home.clock.now + DAY <= r.planned_at <= home.clock.now + DAY + 900)
        at = r.planned_at
        home.sleep(60)
        home.run(home.clock.now)
        self.assertEqual(home.record("198.51.100.8").planned_at, at)
        # Renumbered every night: nothing goes out.
        for k in range(9, 14):
            home.run(home.clock.now + 20 * HOUR)
            self.change(home, NAME, "198.51.100.%d" % k)
        home.run(home.clock.now + 20 * HOUR)
        self.assertEqual({i.names[0] for i in home.ca.issued} <= {V4, NAME}, True)

    def test_an_event_for_a_lineage_that_goes(self):
        home = Home()
        home.run()
        home.device.event("renew", V4)
        self.change(home, NAME)
        home.run(START + HOUR)
        self.assertEqual(list(home.records()), [NAME])
        self.assertEqual(len(home.ca.issued), 1)

    def test_the_key_of_an_order_that_is_dropped_is_not_used_again(self):
        home = Home((V4,))

        def cut(kind, url):
            if kind == "certificate":
                raise RemoteError("network", "cut")

        home.ca.hook = cut
        home.run(START + 5)
        r = home.record(V4)
        made, name = bytes(r.pending_key_hash), "key-%d" % r.pending_file_id
        self.assertIn(name, home.store.names())
        home.ca.hook = None
        self.change(home, "198.51.100.8")
        home.run(home.clock.now + 2 * DAY)
        self.assertTrue(home.device.journal.ring.holds(made, 0))
        self.assertNotIn(name, home.store.names())
        self.assertEqual(home.ca.issued[-1].names, ("198.51.100.8",))

    def test_a_fleet_spreads_its_first_contact(self):
        home = Home(spread=5 * DAY)
        home.run()
        r = home.record(V4)
        self.assertEqual((r.window_start, r.window_end), (START, START + 5 * DAY))
        self.assertEqual(home.ca.count(), 0)

    def test_not_during_an_order(self):
        home = Home()
        home.ca.decide = 50
        for _ in range(30):
            it = home.step()
            if it is not None and it.busy:
                break
        self.assertTrue(it.busy)
        self.assertEqual(code_of(LocalError, lambda: self.change(home, NAME)), "busy")

    def test_other_names_take_the_lineage_over(self):
        home = Home((NAME,))
        home.run()
        self.change(home, NAME, "www.example.net")
        home.run()
        self.assertEqual(home.ca.issued[1].names, (NAME, "www.example.net"))
        self.assertEqual(home.told(notices.RETIRED), [])
        self.assertEqual(len(home.records()), 1)

    def test_the_name_goes_away_and_what_belonged_to_it(self):
        home = Home(urgent="domain")
        home.run()
        gen = home.record(NAME).file_id
        self.assertGreater(gen, 0)
        home.identifiers = [identifiers.parse(V4)]
        home.sleep(10)
        home.run(home.clock.now)
        self.assertEqual(list(home.records()), [V4])
        self.assertNotIn("key-%d" % gen, home.store.names())
        self.assertEqual(home.told(notices.RETIRED), [NAME])

    def test_a_list_that_cannot_be_is_refused_whole(self):
        home = Home()
        home.run()
        many = ["198.51.100.%d" % k for k in range(limits.LINEAGES + 1)]
        long = ["%s%d.example.net" % ("a" * 60, k) for k in range(20)]
        for texts, code in (
            ([], "no-identifiers"),
            ([NAME, NAME], "duplicate"),
            (many, "too-many"),
            (long, "too-many"),
        ):
            bad = [identifiers.parse(t) for t in texts]
            self.assertEqual(code_of(LocalError, lambda b=bad: home.change(b)), code)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)

    def test_as_many_lineages_as_there_may_be(self):
        texts = [NAME] + ["198.51.100.%d" % k for k in range(limits.LINEAGES - 1)]
        home = Home(texts, first_delay=HOUR)
        home.run(START + 5 * HOUR)
        self.assertEqual({i.names[0] for i in home.ca.issued}, set(texts))
        home.sleep(10)
        home.run()
        self.assertEqual(sorted(home.records()), sorted(texts))

    def test_private_addresses(self):
        self.assertEqual(code_of(LocalError, lambda: Home(("10.0.0.1",), test_ca=False)), "not-public")

    def test_another_ca(self):
        home = Home((V4,))
        home.run()
        account = bytes(home.device.journal.account_key_hash)
        deployed = home.deployed[V4]
        home.url = HOST + "dir/again"
        home.sleep(10)
        home.run(home.clock.now)
        self.assertEqual(home.deployed[V4], deployed)
        self.assertEqual(home.ca.count("directory"), 1)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.accounts), 2)
        self.assertEqual(len(home.ca.issued), 2)
        self.assertIsNone(home.ca.issued[1].replaces)
        self.assertTrue(home.device.journal.ring.holds(account, 0))

    def test_state_copied_from_another_device(self):
        home = Home()
        home.run()
        home.number = b"device-2"
        before = dict(home.store.files)
        self.assertEqual(code_of(LocalError, home.boot), "cloned")
        self.assertEqual(home.store.files, before)

    def test_a_device_without_a_number_draws_one(self):
        home = Home()
        home.number = None
        home.store.files.clear()
        home.boot()
        home.run()
        self.assertTrue(any(home.device.journal.device_id))
        home.boot()
        home.run()
        self.assertEqual(len(home.ca.issued), 1)


class Adopted(unittest.TestCase):
    """A certificate that another client left."""

    def test_its_renewal_is_planned_and_its_key_never_used(self):
        home = Home((NAME, V4))
        key = b"a key 01"
        adopt = Adoption(NAME, START - 10 * DAY, START + 80 * DAY, key)
        self.assertEqual(
            code_of(LocalError, lambda: home.device.event("adopt", adopt)), "adopt"
        )  # nothing read yet
        home.device.prepare(START)
        home.device.event("adopt", adopt)
        home.device.event("adopt", adopt)
        home.run(START + 15 * DAY)
        r = home.record(NAME)
        self.assertEqual((r.file_id, r.not_after), (0, START + 80 * DAY))
        # Somewhere between a fifth and 95 hundredths of its 90 days, ten of which are over.
        self.assertTrue(START + 8 * DAY <= r.planned_at <= START + 76 * DAY)
        self.assertTrue(home.device.journal.ring.holds(key, 0))
        self.assertEqual(home.device.journal.ring.next > 0, True)
        home.run(r.planned_at + HOUR)
        self.assertEqual(len([i for i in home.ca.issued if i.names == (NAME,)]), 1)
        self.assertIsNone([i for i in home.ca.issued if i.names == (NAME,)][0].replaces)
        self.assertEqual(code_of(LocalError, lambda: home.device.event("adopt", adopt)), "adopt")
        self.assertEqual(
            code_of(LocalError, lambda: home.device.event("adopt", Adoption("x", 0, 1, key))), "adopt"
        )

    def test_prepare_wants_a_clock(self):
        home = Home()
        self.assertEqual(code_of(LocalError, lambda: home.device.prepare(None)), "clock")
        home.run()
        home.boot()
        self.assertEqual(code_of(LocalError, lambda: home.device.prepare(START - DAY)), "clock")
        home.device.prepare(START)
        self.assertEqual(sorted(home.records()), sorted([NAME, V4]))


class Lost(unittest.TestCase):
    """Files that the medium lost."""

    def test_a_live_certificate(self):
        for kind in ("key", "chain"):
            home = Home((V4,))
            home.run()
            del home.store.files["%s-%d" % (kind, home.record(V4).file_id)]
            home.sleep(DAY)
            home.run(home.clock.now + HOUR)
            self.assertEqual(len(home.ca.issued), 2)
            self.assertEqual(home.told(notices.FAILED), [V4])
            self.assertEqual(len(set(spkis(home))), 2)

    def test_the_number_of_a_stray_file_is_not_given_again(self):
        home = Home((V4,))
        home.run()
        home.store.files["account-9"] = home.store.files["account-1"]
        home.store.files["key-x"] = b"?"
        home.sleep(DAY)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(home.record(V4).file_id, 10)
        self.assertEqual([n for n in home.store.names() if n in ("account-9", "key-x")], [])

    def test_a_damaged_chain(self):
        home = Home((V4,))
        home.run()
        name = "chain-%d" % home.record(V4).file_id
        home.store.files[name] = home.store.files[name][:-10]
        home.sleep(DAY)
        home.run(home.clock.now + HOUR)
        self.assertEqual(len(home.ca.issued), 2)

    def test_the_account_key(self):
        home = Home((V4,))
        home.run()
        account = bytes(home.device.journal.account_key_hash)
        del home.store.files["account-1"]
        home.sleep(DAY)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(len(home.ca.accounts), 2)
        self.assertEqual(len(home.told(notices.ACCOUNT_LOST)), 1)
        self.assertTrue(home.device.journal.ring.holds(account, 0))
        self.assertIsNone(home.ca.issued[1].replaces)


if __name__ == "__main__":
    unittest.main()
