"""When an address is believed gone: what routers that lie, flap or fall silent can do to a live certificate, and what they cannot."""

import unittest

from virtual_home import NAME, START, V4, V6, Home, PowerCut

from ipcert import identifiers, limits, notices, plan, presence

DAY = limits.DAY
HOUR = limits.HOUR
OTHER = "198.51.100.8"
THIRD = "198.51.100.9"


class Found:
    """A home whose port looks for its address: what it finds is told as a port tells it, at once and then every hour.

    home    the `Home`; it has lived for four days with certificates for NAME and V4
    """

    def __init__(self, evidence=presence.ANSWERED, texts=(NAME, V4), days=4, **wishes):
        self.evidence = evidence
        self.texts = texts
        wishes.setdefault("first_delay", HOUR)
        self.home = Home(texts, **wishes)
        self.home.found = {4: evidence, 6: evidence}
        self.home.boot()
        self.home.run(START + days * DAY)
        self.live = self.home.record(V4)

    def say(self, text, evidence=None):
        """The port found `text` in the place of the IPv4 address."""
        self.home.found[4] = self.evidence if evidence is None else evidence
        self.home.identifiers = [identifiers.parse(t) for t in self.texts if t != V4] + [
            identifiers.parse(text)
        ]
        self.home.change(self.home.identifiers)
        self.home.run(self.home.clock.now)

    def hours(self, count, text, evidence=None):
        """`count` hours in which the port finds `text` again and again."""
        for _ in range(count):
            self.home.run(self.home.clock.now + HOUR)
            self.say(text, evidence)

    def serves(self, text=V4):
        """True while the address has a certificate that is in service and in time."""
        found = self.home.records().get(text)
        return bool(
            found
            and found.file_id
            and self.home.clock.now < found.not_after
            and self.home.deployed.get(text, (b"", b""))[1]
            and "key-%d" % found.file_id in self.home.store.names()
        )


class Doubted(unittest.TestCase):
    def test_one_false_answer_takes_nothing_down(self):
        for evidence in (presence.ANSWERED, presence.INTERFACE):
            found = Found(evidence)
            key = bytes(found.home.record(V4).key_hash)
            found.say(OTHER)
            self.assertTrue(found.serves())
            self.assertEqual(found.home.record(OTHER).reason, plan.HELD)
            found.say(V4)
            self.assertTrue(found.serves())
            self.assertEqual(bytes(found.home.record(V4).key_hash), key)
            self.assertNotIn(OTHER, found.home.records())
            self.assertFalse(found.home.device.doubts)
            self.assertEqual(found.home.told(notices.RETIRED), [OTHER])

    def test_a_router_that_lies_for_weeks_takes_nothing_down(self):
        found = Found()
        found.home.away = (OTHER,)  # the CA does not find us there
        found.say(OTHER)
        for _ in range(21):
            found.hours(24, OTHER)
            self.assertTrue(found.serves())
        issued = [i for i in found.home.ca.issued if i.names == (V4,)]
        # As many as the ordinary renewals of 25 days, and not one more a week than a CA allows.
        self.assertTrue(8 <= len(issued) <= 14, len(issued))
        self.assertEqual(found.home.told(notices.RETIRED), [])
        self.assertTrue(V4 in found.home.told(notices.DOUBTED))

    def test_a_router_that_lies_once_and_falls_silent_takes_nothing_down(self):
        found = Found()
        found.say(OTHER)
        found.home.away = (V4,)
        for _ in range(6):
            found.hours(24, OTHER, presence.KEPT)
        self.assertIn(V4, found.home.records())

    def test_answers_without_end_within_an_hour_are_one_answer(self):
        found = Found()
        found.say(OTHER)
        for _ in range(200):
            found.home.run(found.home.clock.now + 15)
            found.say(OTHER)
        self.assertEqual(found.home.record(V4).doubt_answers, 1)

    def test_an_address_that_is_gone_is_let_go_after_a_day_and_a_failed_validation(self):
        found = Found()
        key, file_id = bytes(found.home.record(V4).key_hash), found.home.record(V4).file_id
        found.home.away = (V4,)
        found.say(OTHER)
        found.hours(23, OTHER)
        self.assertTrue(found.serves())
        began = found.home.clock.now
        while V4 in found.home.records() and found.home.clock.now < began + 4 * DAY:
            found.hours(1, OTHER)
        self.assertNotIn(V4, found.home.records())
        self.assertEqual(found.home.deployed[V4], (b"", b""))
        self.assertTrue(found.home.device.journal.ring.holds(key, 0))
        self.assertNotIn("key-%d" % file_id, found.home.store.names())
        self.assertEqual(found.home.told(notices.RETIRED), [V4])
        self.assertTrue(found.serves(OTHER))

    def test_an_interface_that_lost_its_address_is_enough_after_a_day(self):
        found = Found(presence.INTERFACE)
        found.home.away = (V4,)
        found.say(OTHER)
        found.hours(23, OTHER)
        self.assertTrue(found.serves())
        found.hours(2, OTHER)
        self.assertEqual([t for t in found.home.records() if t != NAME], [OTHER])

    def test_an_interface_says_nothing_of_an_address_that_a_router_had(self):
        found = Found()
        found.say(OTHER, presence.INTERFACE)  # as where somebody hands out addresses in the router's place
        found.hours(30, OTHER, presence.INTERFACE)
        self.assertTrue(found.serves())

    def test_a_validation_that_succeeds_ends_what_spoke_against_the_address(self):
        found = Found()
        found.home.away = (OTHER,)
        found.say(OTHER)
        self.assertEqual(found.home.record(V4).doubt_answers, 1)
        found.home.device.event("renew", V4)
        found.home.run(found.home.clock.now)
        self.assertEqual(found.home.record(V4).doubt_answers, 0)
        self.assertTrue(found.serves())

    def test_troubles_of_the_ca_are_no_evidence(self):
        found = Found()
        found.say(OTHER)
        found.home.ca.hook = lambda kind, url: (500, {}, b"{}")
        found.hours(30, OTHER)
        self.assertIn(V4, found.home.records())
        self.assertEqual(found.home.record(V4).presence & presence.NOT_VALID, 0)

    def test_two_lines_that_take_turns_cost_neither(self):
        found = Found()
        found.hours(100, OTHER)  # the second one lasts long enough to have a certificate
        self.assertTrue(found.serves() and found.serves(OTHER))
        for turn in range(100):
            found.hours(2, (V4, OTHER)[turn % 2])
            self.assertTrue(found.serves() and found.serves(OTHER), turn)
        self.assertEqual(found.home.told(notices.RETIRED), [])

    def test_an_address_that_comes_and_goes_is_held_off_each_time(self):
        found = Found()
        for _ in range(20):
            found.hours(3, OTHER)
            found.say(V4)
        self.assertTrue(found.serves())
        self.assertEqual([i for i in found.home.ca.issued if i.names == (OTHER,)][1:], [])

    def test_a_new_one_every_hour_orders_nothing_and_costs_nothing(self):
        found = Found()
        found.home.away = ["198.51.100.%d" % k for k in range(9, 255)]
        orders = found.home.ca.count("new-order")
        for k in range(72):
            found.hours(1, "198.51.100.%d" % (9 + k))
        self.assertTrue(found.serves())
        self.assertTrue(
            found.home.ca.count("new-order") - orders <= 8, found.home.ca.count("new-order") - orders
        )
        self.assertTrue(len(found.home.records()) <= 3)

    def test_what_the_owner_changes_goes_at_once(self):
        found = Found()
        found.home.found = None
        found.home.identifiers = [identifiers.parse(NAME), identifiers.parse(OTHER)]
        found.home.change(found.home.identifiers)
        found.home.run(found.home.clock.now)
        self.assertNotIn(V4, found.home.records())

    def test_the_other_family_is_not_touched(self):
        found = Found(texts=(NAME, V4, V6))
        found.say(OTHER)
        self.assertEqual(found.home.record(V6).doubted_at, 0)
        self.assertTrue(found.home.record(V4).doubted_at)

    def test_a_combined_certificate_is_doubted_too(self):
        home = Home(combined=True)
        home.found = {4: presence.ANSWERED}
        home.boot()
        home.run()
        home.device.event("consent", home.device.consent_challenge())
        home.run()
        both = NAME + "," + V4
        home.identifiers = [identifiers.parse(NAME), identifiers.parse(OTHER)]
        home.change(home.identifiers)
        home.run(home.clock.now)
        self.assertTrue(home.record(both).file_id and home.record(both).doubted_at)
        self.assertTrue(home.deployed[both][1])

    def test_only_so_many_are_kept_and_the_oldest_longest(self):
        found = Found()
        known = [V4]
        for k in range(10, 16):
            known.append("198.51.100.%d" % k)
            found.hours(20, known[-1], presence.ANSWERED)
            found.home.run(found.home.clock.now + 2 * DAY)
        kept = [t for t in known[:-1] if t in found.home.records()]
        self.assertTrue(len(kept) <= limits.DOUBTED)
        self.assertEqual(kept[0], V4)


class Durable(unittest.TestCase):
    def test_a_restart_neither_ends_a_doubt_nor_begins_one(self):
        found = Found()
        found.hours(10, OTHER)
        before = found.home.record(V4)
        seen = before.doubted_at, before.doubt_answers, before.wanted_at
        found.home.found[4] = presence.KEPT
        found.home.sleep(60)
        found.home.run(found.home.clock.now)
        after = found.home.record(V4)
        self.assertEqual((after.doubted_at, after.doubt_answers, after.wanted_at), seen)

    def test_a_power_cut_at_any_moment_of_a_doubt_costs_nothing(self):
        for count in range(14):
            found = Found()
            home = found.home
            home.cut = count
            try:
                found.hours(2, OTHER)
            except PowerCut:
                home.boot()
                home.run(home.clock.now)
            self.assertTrue(found.serves(), count)
            self.assertTrue(home.record(V4).doubt_answers <= 2)
            found.say(V4)
            self.assertEqual(home.record(V4).doubted_at, 0)
            self.assertTrue(found.serves())

    def test_state_of_before_has_no_doubts(self):
        found = Found()
        self.assertEqual(found.home.record(V4).wanted_at, found.home.record(V4).created_at)


if __name__ == "__main__":
    unittest.main()
