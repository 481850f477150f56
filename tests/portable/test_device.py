"""The whole device in a home, against a strict CA, under a virtual clock: what goes out, when, and what is told."""

import unittest

from portable_support import code_of
from virtual_ca import rfc3339
from virtual_home import NAME, START, V4, V6, Home

from ipcert import Device, action, device, limits, notices, plan, split
from ipcert.encoding import key_file
from ipcert.errors import LocalError, RemoteError

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
        self.assertEqual(
            key, key_file.pkcs8(home.port, home.store.read("key-%d" % home.record(NAME).file_id))
        )
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
            self.assertEqual((other.window_start, other.window_end), (START, START + wait))
            self.assertTrue(START < other.planned_at <= START + wait)
            self.assertEqual(home.told(notices.BOTH_URGENT) != [], urgent == "both")

    def test_requests_counted(self):
        home = Home((V4,))
        home.run()
        self.assertLessEqual(home.ca.count(), 11)
        before = home.ca.count()
        home.run(home.record(V4).planned_at)
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

    def test_an_idle_device_keeps_nothing_of_an_order(self):
        home = Home((V4,))
        it = home.run()
        self.assertEqual(len(home.ca.issued), 1)
        self.assertIsNone(home.device._scheduler.machine)
        self.assertEqual((bytes(it.key), bytes(it.chain)), (b"", b""))

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
                self.assertEqual(len(home.store.read(name)), key_file.SEALED)
        home.sleep(60)
        home.device.event("renew", V4)
        home.run()
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(len(home.ca.accounts), 1)
        home.secret = b"another secret"
        home.sleep(60)
        self.assertEqual(code_of(LocalError, home.run), "key-file")

    def test_nothing_to_do_before_the_clock_is_trusted(self):
        home = Home()
        home.trusted = False
        it = home.run()
        self.assertEqual((it.kind, it.until, it.busy), (action.WAIT, None, False))
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
                [
                    "account-1",
                    "chain-%d" % r.file_id,
                    "directory",
                    "journal-a",
                    "journal-b",
                    "key-%d" % r.file_id,
                ]
            ),
        )
        self.assertEqual(home.device.journal.ring.next, len(issued) - 1)

    def test_a_wrong_replaces_is_dropped(self):
        home = Home((V4,))
        home.run()
        home.ca.issued[0].account = "another"
        home.run(home.record(V4).planned_at + HOUR)
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
        self.assertEqual(code_of(LocalError, lambda: home.device.event("renew", NAME)), "event")
        self.assertEqual(code_of(LocalError, lambda: home.device.event("dance", None)), "event")

    def test_plans_missed_while_off(self):
        home = Home((NAME, V4))
        home.run(START + 15 * DAY)
        before = len(home.ca.issued)
        home.sleep(120 * DAY)
        home.run(home.clock.now)
        self.assertEqual(len(home.ca.issued), before)  # never at power-up
        start = home.clock.now
        ip, name = home.record(V4), home.record(NAME)
        self.assertTrue(start <= ip.planned_at <= start + 900)
        self.assertTrue(start <= name.planned_at <= start + 14 * DAY)
        plans = (ip.planned_at, name.planned_at)
        home.sleep(60)
        home.run(home.clock.now)
        self.assertEqual((home.record(V4).planned_at, home.record(NAME).planned_at), plans)
        home.run(start + 14 * DAY)
        self.assertEqual({i.names for i in home.ca.issued[before:]}, {(V4,), (NAME,)})
        self.assertEqual(sorted(home.told(notices.LAPSED)), sorted([V4, NAME]))
        self.assertEqual(home.told(notices.WAITS), [NAME])

    def test_who_waits_after_an_absence_and_for_how_long(self):
        for wishes, first, other, most, words in (
            ({}, V4, NAME, 14 * DAY, "14 days"),
            ({"recovery": 28 * DAY}, V4, NAME, 28 * DAY, "28 days"),
            ({"recovery": HOUR}, V4, NAME, HOUR, "59 minutes"),
            ({"urgent": "domain"}, NAME, V4, 14 * DAY, "14 days"),
            ({"urgent": "domain", "recovery": HOUR}, NAME, V4, HOUR, "59 minutes"),
            ({"urgent": "both"}, V4, NAME, DAY, "24 hours"),
            ({"urgent": "both", "recovery": HOUR}, V4, NAME, HOUR, "59 minutes"),
        ):
            home = Home(**wishes)
            home.run(START + 15 * DAY)
            home.sleep(120 * DAY)
            home.run(home.clock.now)
            start = home.clock.now
            urgent, late = home.record(first), home.record(other)
            self.assertEqual((urgent.reason, late.reason), (plan.LAPSED, plan.LATER))
            self.assertEqual((urgent.window_start, urgent.window_end), (start, start + plan.BACK))
            self.assertEqual((late.window_start, late.window_end), (start, start + most - most // 32))
            # The owner is told for how long, once, and the log does not learn a moment of it.
            told = [(subject, text) for n, subject, text in home.notices if n == notices.WAITS]
            self.assertEqual(told, [(other, words)])
            home.sleep(60)
            home.run(start + most)
            self.assertEqual(len(home.told(notices.WAITS)), 1)
            self.assertTrue(home.record(other).not_after > home.clock.now)

    def test_nobody_waits_where_nothing_is_hidden(self):
        for texts, wishes in (((NAME, V4), {"setting": "public"}), ((NAME,), {}), ((V4,), {})):
            home = Home(texts, **wishes)
            home.run(START + 15 * DAY)
            home.sleep(120 * DAY)
            home.run(home.clock.now)
            for text in texts:
                self.assertEqual(home.record(text).reason, plan.LAPSED)
            self.assertEqual(home.told(notices.WAITS), [])

    def test_the_owner_has_it_now_by_asking(self):
        home = Home()
        home.run(START + 15 * DAY)
        home.sleep(120 * DAY)
        home.run(home.clock.now)
        home.device.event("renew", NAME)
        home.run(home.clock.now + 60)
        self.assertEqual(home.ca.issued[-1].names, (NAME,))
        self.assertEqual(home.record(NAME).reason, plan.RENEWAL)

    def test_a_validation_that_fails_after_a_long_outage_is_repeated_within_minutes(self):
        home = Home((V4,))
        home.run()
        home.ca.hook = lambda kind, url: (503, {}, b"{}")
        home.run(START + 7 * DAY)  # the device is on, and its certificate expires
        record = home.record(V4)
        self.assertTrue(record.failures > 9 and record.failures_by(plan.TRANSPORT) > 9)
        self.assertTrue(record.not_after < home.clock.now)
        home.ca.hook = None
        home.look = lambda challenge, value, token: None
        home.ca.look = home.look
        home.run(record.planned_at)
        self.assertEqual(record.failures_by(plan.VALIDATION), 1)
        self.assertTrue(30 <= record.planned_at - home.clock.now <= 90)
        home.boot()  # the counts are in the journal
        self.assertEqual(home.record(V4).failures_by(plan.VALIDATION), 1)
        self.assertEqual(home.record(V4).failures_by(plan.TRANSPORT), record.failures_by(plan.TRANSPORT))
        del home.look
        home.ca.look = home.look
        home.run(home.clock.now + 120)
        self.assertEqual(len(home.ca.issued), 2)
        record = home.record(V4)
        self.assertEqual((record.failures, record.failures_by(plan.TRANSPORT)), (0, 0))

    def test_a_profile_that_disappears_costs_no_lapse(self):
        home = Home((NAME,), urgent="domain")
        home.run()
        self.assertEqual(home.ca.issued[0].profile, "classic")
        end = home.record(NAME).not_after
        home.ca.profiles = {"tlsserver": 45 * DAY, "shortlived": 160 * HOUR}
        for _ in range(4):
            home.run(home.record(NAME).planned_at)
            last = home.ca.issued[-1]
            self.assertEqual(last.profile, "tlsserver")
            self.assertTrue(last.at < end)
            end = home.record(NAME).not_after
        self.assertEqual(home.told(notices.PROFILE), [NAME])
        self.assertEqual(home.told(notices.LAPSED), [])

    def test_the_other_waits_while_an_order_is_in_flight(self):
        home = Home((NAME, V4), urgent="both")
        home.run()
        home.ca.decide = 100
        home.ca.retry_after = 20
        other = home.record(NAME)
        first = other.planned_at
        home.clock.now = first - 50
        home.device.event("renew", V4)
        while home.clock.now <= first:
            it = home.step()
            if it is not None:
                home.clock.now = it.until
                home.device.done(it.number)
        home.step()
        other = home.record(NAME)
        self.assertEqual(
            (other.reason, other.window_start, other.window_end), (plan.COLLISION, first, first + 1800)
        )
        self.assertTrue(first <= other.planned_at <= first + 1800)
        home.run(first + 3 * HOUR)
        a, b = home.ca.issued[1], home.ca.issued[2]
        self.assertEqual((a.names, b.names), ((V4,), (NAME,)))
        self.assertTrue(first < b.at <= first + 1800 + 300)
        self.assertGreater(b.at, a.at)


class Windows(unittest.TestCase):
    def test_an_emergency_overrides_the_plan(self):
        for text, wait in ((V4, 13 * HOUR), (NAME, 19 * HOUR)):
            home = Home((text,))
            home.run()
            (i,) = home.ca.issued
            home.ca.windows[i.ari] = (START - 2 * HOUR, START - HOUR, "https://ca.example/why")
            home.run(START + wait)
            self.assertEqual(len(home.ca.issued), 2)
            self.assertEqual(home.told(notices.EMERGENCY), [text])
            self.assertIn((notices.EMERGENCY, text, "https://ca.example/why"), home.notices)

    def test_strict_ari(self):
        home = Home((V4,), strict_ari=True)
        home.run()
        i = home.ca.issued[0]
        window = (i.start + 70 * HOUR, i.start + 90 * HOUR, None)
        home.ca.windows[i.ari] = window
        home.run(START + 13 * HOUR)
        r = home.record(V4)
        self.assertEqual((r.window_start, r.window_end), window[:2])
        at = r.planned_at
        home.run(START + 30 * HOUR)
        self.assertEqual(home.record(V4).planned_at, at)  # the same window is not drawn in again

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
            at = home.record(V4).planned_at
            home.run(START + 13 * HOUR)
            self.assertGreater(home.ca.count("renewal-info"), 0)
            self.assertEqual(home.record(V4).planned_at, at)
            self.assertGreater(home.record(V4).ask_window_at, START + 13 * HOUR)
            self.assertEqual(home.record(V4).failures, 0)

    def test_a_ca_without_windows_is_not_asked(self):
        home = Home((V4,))
        home.ca.ari = False
        home.run()
        home.run(home.record(V4).planned_at + HOUR)
        self.assertEqual(len(home.ca.issued), 2)
        self.assertEqual(home.ca.count("renewal-info"), 0)
        self.assertIsNone(home.ca.issued[1].replaces)

    def test_windows_are_no_longer_offered(self):
        home = Home((V4,))
        home.run()
        home.ca.ari = False
        home.device.exchange.directory = None
        home.run(START + 20 * HOUR)
        self.assertEqual(home.record(V4).ask_window_at, 0)

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
        self.assertGreater(home.record(V4).planned_at, START + 100 * DAY)
        home.ca.hook = None
        home.wrong = 0
        home.boot()
        home.run(START + HOUR)
        self.assertEqual(home.ca.issued, [])  # the journal says that it is later
        self.assertEqual(len(home.told(notices.CLOCK)), 1)

    def test_far_ahead_and_the_ca_was_never_reached(self):
        home = Home()
        home.wrong = 200 * DAY

        def cut(kind, url):
            raise RemoteError("network", "no route")

        home.ca.hook = cut
        home.run()
        self.assertGreater(home.record(V4).planned_at, START + 200 * DAY)
        self.assertGreater(home.record(NAME).planned_at, START + 200 * DAY)
        home.ca.hook = None
        home.wrong = 0
        home.boot()
        home.run(START + 60)
        self.assertEqual([i.names for i in home.ca.issued], [(V4,)])
        self.assertEqual(home.told(notices.CLOCK), [])
        self.assertTrue(START <= home.record(NAME).planned_at <= START + 14 * DAY + 60)
        self.assertEqual(home.record(NAME).window_end - home.record(NAME).window_start, 14 * DAY)

    def test_a_chain_that_is_not_valid_by_our_clock(self):
        home = Home((V4,))
        home.wrong = 20 * DAY
        home.run()
        self.assertEqual(home.deployed, {})
        self.assertEqual(home.device.last_error.code, "wrong-certificate")
        self.assertEqual(home.record(V4).failures, 1)


class Contract(unittest.TestCase):
    """What next, done, response and failed promise."""

    def test_the_same_until_it_is_answered(self):
        home = Home()
        it = home.device.next(START)
        number = it.number
        self.assertIs(home.device.next(START + 5), it)
        self.assertEqual(it.number, number)
        self.assertEqual(code_of(LocalError, lambda: home.device.done(number + 1)), "state")
        home.device.done(number)
        self.assertEqual(home.device.next(START).number, number + 1)

    def test_the_package_hands_it_on(self):
        home = Home()
        certificates = split.certificates(home.identifiers, home.policy)
        made = Device(home.port, home.policy, certificates, home.url)
        self.assertIsInstance(made, device.Device)

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
        home.fail[action.DEPLOY] = LocalError("deploy", "no")
        home.run()
        self.assertEqual(len(home.ca.issued), 1)
        self.assertEqual(home.deployed, {})
        self.assertEqual(home.device.last_error.code, "deploy")
        self.assertEqual(home.record(V4).failures, 0)
        it = home.run()
        self.assertEqual(it.until, START + 1 + limits.DEPLOY_AGAIN)
        home.fail[action.DEPLOY] = LocalError("deploy", "not yet")
        home.run(it.until)
        self.assertEqual(home.deployed, {})
        home.run(it.until + limits.DEPLOY_AGAIN)
        self.assertNotEqual(home.deployed.pop(V4), (b"", b""))
        home.run(START + 12 * HOUR)
        self.assertEqual(home.deployed, {})  # once is enough
        home.sleep(10)
        home.fail[action.DEPLOY] = RemoteError("deploy", "no")
        home.run()
        self.assertEqual(home.deployed, {})
        home.sleep(10)
        home.run()
        self.assertNotEqual(home.deployed[V4], (b"", b""))

    def test_a_publish_that_fails(self):
        for error in (LocalError("port", "Port 80 is taken."), RemoteError("dns", "no answer")):
            home = Home((V4,))
            home.fail[action.PUBLISH] = error
            home.run(START)
            self.assertEqual(home.record(V4).failures, 1)
            home.run(START + 3 * DAY)
            self.assertEqual(len(home.ca.issued), 1)
            self.assertEqual(home.record(V4).failures, 0)

    def test_a_directory_url_that_is_none(self):
        home = Home()
        for url in ("http://ca.example/dir", 'https://ca.example/"', "https://", "x"):
            self.assertEqual(
                code_of(RemoteError, lambda u=url: device.Device(home.port, home.policy, [], u)),
                "url",
            )

    def test_compressed(self):
        home = Home(compress=10000)
        home.run(START + 200)
        self.assertEqual({i.names for i in home.ca.issued}, {(V4,), (NAME,)})
        for r in home.device.journal.records():
            self.assertGreater(r.planned_at, START + DAY)  # a renewal's place stays where it is


if __name__ == "__main__":
    unittest.main()
