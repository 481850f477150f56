"""The whole device in a home, against a strict CA, under a virtual clock: what goes out, when, and what is told."""

import unittest

from ipcert import device, identifiers, intention, limits, notices, policy, seal
from ipcert.errors import Ours, Theirs
from portable_support import code_of
from virtual_ca import HOST, Refusal, rfc3339
from virtual_home import NAME, START, V4, V6, Home

DAY = limits.DAY
HOUR = limits.HOUR


def spkis(home):
    return [i.spki for i in home.ca.issued]


class First(unittest.TestCase):
    def test_name_and_both_families_share_nothing(self):
        home = Home((NAME, V4, V6))
        home.run(START + 15 * DAY)
        kinds = {}
        for i in home.ca.issued:
            self.assertEqual(len(i.names), 1)
            kinds[i.names[0]] = i.profile
        self.assertEqual(kinds, {NAME: "classic", V4: "shortlived", V6: "shortlived"})
        keys = spkis(home) + [b"x" * 26 + a["point"] for a in home.ca.accounts.values()]
        self.assertEqual(len(set(keys)), len(keys))
        self.assertEqual(len(home.ca.accounts), 1)
        self.assertEqual(sorted(home.deployed), sorted([NAME, V4, V6]))
        key, chain = home.deployed[NAME]
        self.assertEqual(key, seal.pkcs8(home.port, home.store.read("key-%d" % home.record(NAME).gen)))
        self.assertEqual(chain, home.ca.chain([i for i in home.ca.issued if i.names == (NAME,)][-1]).encode())
        self.assertEqual(home.published, {})
        self.assertEqual(home.device.issued, len(home.ca.issued))
        self.assertEqual(home.device.failures, 0)

    def test_the_urgent_one_goes_at_once_and_the_other_does_not(self):
        for urgent, first in (("ip", V4), ("domain", NAME), ("both", V4)):
            home = Home(urgent=urgent)
            home.run()
            self.assertEqual([i.names for i in home.ca.issued], [(first,)])
            other = home.record(NAME if first == V4 else V4)
            wait = DAY if urgent == "both" else 14 * DAY
            self.assertEqual((other.lo, other.hi), (START, START + wait))
            self.assertTrue(START < other.at <= START + wait)
            self.assertEqual(home.told(notices.BOTH_URGENT) != [], urgent == "both")

    def test_requests_counted(self):
        home = Home((V4,))
        home.run()
        self.assertLessEqual(home.ca.count(), 11)
        before = home.ca.count()
        home.run(home.record(V4).at)
        self.assertEqual(len(home.ca.issued), 2)
        # The directory is older than a day, and the window was asked for meanwhile.
        asked = home.ca.count("renewal-info") + home.ca.count("directory") - 1
        self.assertLessEqual(home.ca.count() - before - asked, 8)

    def test_the_directory_is_not_fetched_again_after_a_restart(self):
        home = Home()
        home.run()
        home.sleep(60)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(home.ca.count("directory"), 1)

    def test_a_directory_that_lies_in_pieces_is_fetched_again(self):
        for data in (b"", b"short", b"x" * 40, None):
            home = Home((V4,))
            home.run()
            whole = home.store.files["directory"]
            home.store.files["directory"] = whole[:60] if data is None else data
            home.sleep(60)
            home.device.event("renew", V4)
            home.run()
            self.assertEqual(len(home.ca.issued), 2)
            self.assertEqual(home.ca.count("directory"), 2)

    def test_a_sealed_home(self):
        home = Home(sealed=True)
        if home.aes is None:
            self.skipTest("this build's cryptolib has no CTR")
        home.run()
        for name in home.store.names():
            if name.startswith("key") or name.startswith("account"):
                self.assertEqual(len(home.store.read(name)), seal.SEALED)
        home.sleep(60)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(len(home.ca.accounts), 1)
        home.secret = b"another secret"
        home.sleep(60)
        self.assertEqual(code_of(Ours, home.run), "key-file")

    def test_nothing_to_do_before_the_clock_is_trusted(self):
        home = Home()
        home.trusted = False
        it = home.run()
        self.assertEqual((it.kind, it.until, it.busy), (intention.WAIT, None, False))
        self.assertEqual(home.ca.count(), 0)
        self.assertEqual(home.store.files, {})
        home.device.done(it.number)
        home.trusted = True
        home.run()
        self.assertEqual(len(home.ca.issued), 1)


class Renewal(unittest.TestCase):
    def test_a_month(self):
        home = Home((V4,))
        home.run(START + 30 * DAY)
        issued = home.ca.issued
        self.assertGreater(len(issued), 8)
        for k in range(1, len(issued)):
            part = (issued[k].at - issued[k - 1].start) / (issued[k - 1].end - issued[k - 1].start)
            self.assertTrue(0.299 < part < 0.66)
            self.assertEqual(issued[k].replaces, issued[k - 1].ari)
            self.assertEqual(issued[k].profile, "shortlived")
        self.assertEqual(len(set(spkis(home))), len(issued))
        # One live key, one live chain: retired ones are erased, and remembered.
        r = home.record(V4)
        self.assertEqual(
            home.store.names(),
            sorted(
                ["account-1", "chain-%d" % r.gen, "directory", "journal-a", "journal-b", "key-%d" % r.gen]
            ),
        )
        self.assertEqual(home.device.journal.ring.next, len(issued) - 1)

    def test_a_wrong_replaces_is_dropped(self):
        home = Home((V4,))
        home.run()
        home.ca.issued[0].account = "another"
        home.run(home.record(V4).at + HOUR)
        self.assertEqual(len(home.ca.issued), 2)
        self.assertIsNone(home.ca.issued[1].replaces)
        self.assertEqual(home.told(notices.FAILED), [])
        self.assertEqual(home.told(notices.ISSUED), [V4, V4])
        self.assertEqual(home.record(V4).failures, 0)

    def test_renew_is_at_once_also_during_a_long_wait(self):
        home = Home((V4,))
        home.run()
        home.clock.now += DAY  # the wait is still open
        home.device.event("renew", V4)
        home.run(START + DAY)
        self.assertEqual([i.at for i in home.ca.issued], [START + 1, START + DAY + 2])

    def test_renew_before_anything_was_read(self):
        home = Home((V4,))
        home.run()
        home.sleep(DAY)
        home.device.event("renew", V4)
        home.run(home.clock.now)
        self.assertEqual(len(home.ca.issued), 2)

    def test_renew_asks_for_what_is_there(self):
        home = Home((V4,))
        home.run()
        self.assertEqual(code_of(Ours, lambda: home.device.event("renew", NAME)), "event")
        self.assertEqual(code_of(Ours, lambda: home.device.event("dance", None)), "event")

    def test_plans_missed_while_off(self):
        home = Home((NAME, V4))
        home.run(START + 15 * DAY)
        before = len(home.ca.issued)
        home.sleep(120 * DAY)
        home.run(home.clock.now)
        self.assertEqual(len(home.ca.issued), before)  # never at power-up
        start = home.clock.now
        ip, name = home.record(V4), home.record(NAME)
        self.assertTrue(start <= ip.at <= start + 900)
        self.assertTrue(start <= name.at <= start + 3 * DAY)
        plans = (ip.at, name.at)
        home.sleep(60)
        home.run(home.clock.now)
        self.assertEqual((home.record(V4).at, home.record(NAME).at), plans)
        home.run(start + 4 * DAY)
        self.assertEqual({i.names for i in home.ca.issued[before:]}, {(V4,), (NAME,)})
        self.assertEqual(sorted(home.told(notices.LAPSED)), sorted([V4, NAME]))

    def test_the_other_waits_while_an_order_is_in_flight(self):
        home = Home((NAME, V4), urgent="both")
        home.run()
        home.ca.decide = 100
        home.ca.retry_after = 20
        other = home.record(NAME)
        first = other.at
        home.device.event("renew", V4)
        home.clock.now = first - 50
        home.device.event("renew", V4)
        home.run(first + 3 * HOUR)
        a, b = home.ca.issued[1], home.ca.issued[2]
        self.assertEqual((a.names, b.names), ((V4,), (NAME,)))
        self.assertTrue(first < b.at <= first + 1800 + 300)
        self.assertGreater(b.at, a.at)


class Windows(unittest.TestCase):
    def test_an_emergency_overrides_the_plan(self):
        home = Home((NAME, V4))
        home.run(START + 15 * DAY)
        last = {}
        for i in home.ca.issued:
            last[i.names[0]] = i
        now = home.clock.now
        for i in last.values():
            home.ca.windows[i.ari] = (now - 2 * HOUR, now - HOUR, "https://ca.example/why")
        done = len(home.ca.issued)
        home.run(now + 13 * HOUR + 6 * HOUR)
        self.assertEqual({i.names for i in home.ca.issued[done:]} >= {(V4,), (NAME,)}, True)
        self.assertIn(V4, home.told(notices.EMERGENCY))
        self.assertIn(NAME, home.told(notices.EMERGENCY))
        self.assertIn("https://ca.example/why", [text for n, s, text in home.notices])

    def test_strict_ari(self):
        home = Home((V4,), strict_ari=True)
        home.run()
        i = home.ca.issued[0]
        window = (i.start + 70 * HOUR, i.start + 90 * HOUR, None)
        home.ca.windows[i.ari] = window
        home.run(START + 13 * HOUR)
        r = home.record(V4)
        self.assertEqual((r.lo, r.hi), window[:2])
        at = r.at
        home.run(START + 30 * HOUR)
        self.assertEqual(home.record(V4).at, at)  # the same window is not drawn in again

    def test_garbage_about_the_window_changes_nothing(self):
        for answer in (
            (200, {}, b"{}"),
            (200, {}, b'{"suggestedWindow":{"start":"x","end":"y"}}'),
            (404, {}, b""),
            (500, {}, b""),
        ):
            home = Home((V4,))
            home.run()
            home.ca.hook = lambda kind, url, a=answer: a if kind == "renewal-info" else None
            at = home.record(V4).at
            home.run(START + 13 * HOUR)
            self.assertGreater(home.ca.count("renewal-info"), 0)
            self.assertEqual(home.record(V4).at, at)
            self.assertGreater(home.record(V4).poll_at, START + 13 * HOUR)
            self.assertEqual(home.record(V4).failures, 0)

    def test_a_ca_without_windows_is_not_asked(self):
        home = Home((V4,))
        home.ca.ari = False
        home.run()
        home.run(home.record(V4).at + HOUR)
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(home.ca.count("renewal-info"), 0)
        self.assertIsNone(home.ca.issued[1].replaces)

    def test_windows_are_no_longer_offered(self):
        home = Home((V4,))
        home.run()
        home.ca.ari = False
        home.device.directory = None
        home.run(START + 20 * HOUR)
        self.assertEqual(home.record(V4).poll_at, 0)

    def test_dates(self):
        self.assertEqual(rfc3339(0), "2020-01-01T00:00:00Z")
        self.assertEqual(rfc3339(limits.BUILT), "2026-11-01T00:00:00Z")


class Clock(unittest.TestCase):
    def test_back_behind_the_journal(self):
        home = Home()
        home.run()
        home.wrong = -2 * DAY
        home.boot()
        asked = home.ca.count()
        it = home.run()
        self.assertEqual(it.until, home.now() + 600)
        self.assertEqual(len(home.told(notices.CLOCK)), 1)
        home.device.done(it.number)
        home.run()
        self.assertEqual(len(home.told(notices.CLOCK)), 1)
        self.assertEqual(home.ca.count(), asked)
        home.wrong = 0
        home.run(START + 6 * DAY)
        self.assertGreater(len(home.ca.issued), 1)

    def test_a_little_back_is_no_matter(self):
        home = Home((V4,))
        home.run()
        home.wrong = -1800
        home.sleep(10)
        home.run(START + 5 * DAY)
        self.assertEqual(home.told(notices.CLOCK), [])
        self.assertGreater(len(home.ca.issued), 1)

    def test_far_ahead_and_back_again(self):
        home = Home((V4,))
        home.wrong = 200 * DAY
        home.ca.hook = lambda kind, url: (500, {}, b"")
        home.run()  # a plan made under a clock that is far ahead
        self.assertGreater(home.record(V4).at, START + 100 * DAY)
        home.ca.hook = None
        home.wrong = 0
        home.boot()
        home.run(START + HOUR)
        self.assertEqual(home.ca.issued, [])  # the journal says that it is later
        self.assertEqual(len(home.told(notices.CLOCK)), 1)

    def test_a_chain_that_is_not_valid_by_our_clock(self):
        home = Home((V4,))
        home.wrong = 20 * DAY
        home.run()
        self.assertEqual(home.deployed, {})
        self.assertEqual(home.device.last_error.code, "wrong-certificate")
        self.assertEqual(home.record(V4).failures, 1)


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
        self.assertEqual(code_of(Ours, lambda: home.device.event("renew", self.ALL)), "event")

    def test_wrong_answers(self):
        home = self.combined()
        right = home.device.consent_challenge()
        self.assertEqual(len(right), 8)
        for wrong in ("", "yes", right[:7], right + "0", "00000000"):
            self.assertEqual(code_of(Ours, lambda w=wrong: home.device.event("consent", w)), "consent")
        home.run(START + DAY)
        self.assertEqual(home.ca.issued, [])

    def test_the_right_answer_after_a_restart(self):
        home = self.combined()
        right = home.device.consent_challenge()
        home.sleep(DAY)
        self.assertEqual(
            code_of(Ours, lambda: home.device.event("consent", right)), "consent"
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
        home.device.event("address", [identifiers.parse(NAME), identifiers.parse("198.51.100.8")])
        home.run(home.clock.now + 40 * DAY)
        self.assertEqual(len(home.ca.issued), 1)
        self.assertNotEqual(home.device.consent_challenge(), right)
        # Back to what was agreed to: the old answer is worth nothing.
        home.device.event("address", [identifiers.parse(NAME), identifiers.parse(V4)])
        home.run(home.clock.now + DAY)
        self.assertEqual(code_of(Ours, lambda: home.device.event("consent", right)), "consent")
        self.assertEqual(len(home.ca.issued), 1)

    def test_a_public_server_is_not_asked(self):
        home = self.combined(setting="public")
        self.assertEqual([i.names for i in home.ca.issued], [(NAME, V4)])
        self.assertEqual(home.device.consent_challenge(), "")
        self.assertEqual(code_of(Ours, lambda: home.device.event("consent", "x")), "consent")

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
        home.device.event("address", home.identifiers)

    def test_a_new_address(self):
        home = Home()
        home.run(START + 15 * DAY)
        old = home.record(V4)
        gen, key = old.gen, bytes(old.key_hash)
        name_at = home.record(NAME).at
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
        self.assertEqual(home.record(NAME).at, name_at)
        self.assertEqual(home.told(notices.RETIRED), [V4])
        self.assertEqual(home.told(notices.HELD), ["198.51.100.8"])
        self.assertNotIn(new.spki, spkis(home)[:count])

    def test_an_address_that_did_not_last_holds_the_next_off(self):
        home = Home()
        home.run()
        home.clock.now += 10 * HOUR
        self.change(home, NAME, "198.51.100.8")
        home.run(home.clock.now)
        r = home.record("198.51.100.8")
        self.assertTrue(home.clock.now + DAY <= r.at <= home.clock.now + DAY + 900)
        at = r.at
        home.sleep(60)
        home.run(home.clock.now)
        self.assertEqual(home.record("198.51.100.8").at, at)
        # Renumbered every night: nothing goes out.
        for k in range(9, 14):
            home.run(home.clock.now + 20 * HOUR)
            self.change(home, NAME, "198.51.100.%d" % k)
        home.run(home.clock.now + 20 * HOUR)
        self.assertEqual({i.names[0] for i in home.ca.issued} <= {V4, NAME}, True)

    def test_not_during_an_order(self):
        home = Home()
        home.ca.decide = 50
        for _ in range(30):
            it = home.step()
            if it is not None and it.busy:
                break
        self.assertTrue(it.busy)
        self.assertEqual(code_of(Ours, lambda: self.change(home, NAME)), "busy")

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
        gen = home.record(NAME).gen
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
            self.assertEqual(code_of(Ours, lambda b=bad: home.device.event("address", b)), code)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)

    def test_as_many_lineages_as_there_may_be(self):
        texts = [NAME] + ["198.51.100.%d" % k for k in range(limits.LINEAGES - 1)]
        home = Home(texts)
        home.run(START + 15 * DAY)
        self.assertEqual({i.names[0] for i in home.ca.issued}, set(texts))
        home.sleep(10)
        home.run()
        self.assertEqual(sorted(home.records()), sorted(texts))

    def test_private_addresses(self):
        self.assertEqual(code_of(Ours, lambda: Home(("10.0.0.1",), test_ca=False)), "not-public")

    def test_another_ca(self):
        home = Home((V4,))
        home.run()
        account = bytes(home.device.journal.account_hash)
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
        self.assertEqual(code_of(Ours, home.boot), "cloned")
        self.assertEqual(home.store.files, before)

    def test_a_device_without_a_number_draws_one(self):
        home = Home()
        home.number = None
        home.store.files.clear()
        home.boot()
        home.run()
        self.assertTrue(any(home.device.journal.device))
        home.boot()
        home.run()
        self.assertEqual(len(home.ca.issued), 1)


class Lost(unittest.TestCase):
    """Files that the medium lost."""

    def test_a_live_certificate(self):
        for kind in ("key", "chain"):
            home = Home((V4,))
            home.run()
            del home.store.files["%s-%d" % (kind, home.record(V4).gen)]
            home.sleep(DAY)
            home.run(home.clock.now + HOUR)
            self.assertEqual(len(home.ca.issued), 2)
            self.assertEqual(home.told(notices.FAILED), [V4])
            self.assertEqual(len(set(spkis(home))), 2)

    def test_a_damaged_chain(self):
        home = Home((V4,))
        home.run()
        name = "chain-%d" % home.record(V4).gen
        home.store.files[name] = home.store.files[name][:-10]
        home.sleep(DAY)
        home.run(home.clock.now + HOUR)
        self.assertEqual(len(home.ca.issued), 2)

    def test_the_account_key(self):
        home = Home((V4,))
        home.run()
        account = bytes(home.device.journal.account_hash)
        del home.store.files["account-1"]
        home.sleep(DAY)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(len(home.ca.accounts), 2)
        self.assertEqual(len(home.told(notices.ACCOUNT_LOST)), 1)
        self.assertTrue(home.device.journal.ring.holds(account, 0))
        self.assertIsNone(home.ca.issued[1].replaces)


class Contract(unittest.TestCase):
    """What next, done, response and failed promise."""

    def test_the_same_until_it_is_answered(self):
        home = Home()
        it = home.device.next(START)
        number = it.number
        self.assertIs(home.device.next(START + 5), it)
        self.assertEqual(it.number, number)
        self.assertEqual(code_of(Ours, lambda: home.device.done(number + 1)), "state")
        home.device.done(number)
        self.assertEqual(home.device.next(START).number, number + 1)

    def test_a_late_answer_to_a_wait(self):
        home = Home((V4,))
        it = home.run()
        number = it.number
        home.device.event("renew", V4)
        home.device.done(number)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)

    def test_a_deploy_that_fails(self):
        home = Home((V4,))
        home.fail[intention.DEPLOY] = Ours("deploy", "no")
        home.run()
        self.assertEqual(len(home.ca.issued), 1)
        self.assertEqual(home.deployed, {})
        self.assertEqual(home.device.last_error.code, "deploy")
        self.assertEqual(home.record(V4).failures, 0)
        home.sleep(10)
        home.fail[intention.DEPLOY] = Theirs("deploy", "no")
        home.run()
        self.assertEqual(home.deployed, {})
        home.sleep(10)
        home.run()
        self.assertNotEqual(home.deployed[V4], (b"", b""))

    def test_a_publish_that_fails(self):
        for error in (Ours("port", "Port 80 is taken."), Theirs("dns", "no answer")):
            home = Home((V4,))
            home.fail[intention.PUBLISH] = error
            home.run(START)
            self.assertEqual(home.record(V4).failures, 1)
            home.run(START + 3 * DAY)
            self.assertEqual(len(home.ca.issued), 1)
            self.assertEqual(home.record(V4).failures, 0)

    def test_a_directory_url_that_is_none(self):
        home = Home()
        for url in ("http://ca.example/dir", 'https://ca.example/"', "https://", "x"):
            self.assertEqual(
                code_of(Theirs, lambda u=url: device.Device(home.port, policy.Policy(), home.identifiers, u)),
                "url",
            )

    def test_compressed(self):
        home = Home(compress=10000)
        home.run(START + 200)
        self.assertEqual({i.names for i in home.ca.issued}, {(V4,), (NAME,)})
        for r in home.device.journal.records():
            self.assertGreater(r.at, START + DAY)  # a renewal's place stays where it is


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
            if home.record(NAME).revoke and not home.device._dirty:
                break
            home.step()
        home.sleep(3 * DAY)
        home.run(home.clock.now + HOUR)
        self.assertEqual([i.names for i in self.revoked(home)], [(NAME,)])

    def test_by_its_own_key(self):
        home = self.both()
        home.ca.accounts.clear()
        home.device.event("revoke", (V4, 0, True))
        home.run(home.clock.now)
        self.assertEqual([i.names for i in self.revoked(home)], [(V4,)])
        self.assertEqual(home.ca.accounts, {})

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
