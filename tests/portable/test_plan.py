"""The plan's functions on both interpreters: windows, bounds, hostile input, no allocation."""

import unittest

from ipcert import explanations, limits, plan
from ipcert.errors import LocalError

try:
    import micropython
except ImportError:
    micropython = None

NOW = 217728000  # 2026-11-25
HOUR = 3600
DAY = 86400
IP_LIFE = 160 * HOUR
NAME_LIFE = 90 * DAY


class Fixed:
    """Words given by hand, over and over."""

    def __init__(self, *words):
        self.words = words
        self.used = 0

    def word(self):
        self.used += 1
        return self.words[(self.used - 1) % len(self.words)]


class Counting:
    """A multiplicative generator: spread out, repeatable, small ints only, no allocation."""

    def __init__(self, seed):
        self.state = seed % 30268 + 1
        self.used = 0

    def word(self):
        self.used += 1
        self.state = self.state * 171 % 30269
        return (self.state * 2 + self.used) & 65535


def each(seed=1, n=60):
    rng = Counting(seed)
    for _ in range(n):
        yield plan.Plan(), rng


class Below(unittest.TestCase):
    def test_small_range_rejects_the_uneven_tail(self):
        self.assertEqual(plan.below(Fixed(65535, 7), 10), 7)  # 65535 would favour 0 to 5
        self.assertEqual(plan.below(Fixed(65529), 10), 9)

    def test_exact_powers_never_reject(self):
        rng = Fixed(65535)
        self.assertEqual(plan.below(rng, 65536), 65535)
        self.assertEqual(rng.used, 1)

    def test_wide_range_takes_two_words(self):
        rng = Fixed(1, 2)
        self.assertEqual(plan.below(rng, 1 << 29), 65538)
        self.assertEqual(rng.used, 2)

    def test_one(self):
        self.assertEqual(plan.below(Fixed(123), 1), 0)

    def test_largest(self):
        self.assertEqual(plan.below(Fixed(0x3FFF, 0xFFFF, 0, 5), limits.NEVER), 5)

    def test_a_stuck_source_is_an_error(self):
        with self.assertRaises(LocalError):
            plan.below(Fixed(65535), 10)

    def test_every_value_appears(self):
        rng = Counting(3)
        seen = set()
        for _ in range(400):
            seen.add(plan.below(rng, 10))
        self.assertEqual(len(seen), 10)


class WordsTest(unittest.TestCase):
    def test_words_are_fresh_and_wiped(self):
        calls = []
        kept = []

        def fill(buf):
            kept.append(buf)
            calls.append(len(buf))
            for i in range(len(buf)):
                buf[i] = i + 1

        w = plan.Words(fill, 4)
        self.assertEqual(calls, [])
        self.assertEqual(w.word(), 0x0102)
        self.assertEqual(w.word(), 0x0304)
        self.assertEqual(bytes(kept[0]), b"\0\0\0\0")
        self.assertEqual(w.word(), 0x0102)
        self.assertEqual(calls, [4, 4])


class Windows(unittest.TestCase):
    def test_first(self):
        p = plan.Plan()
        plan.first(p, Counting(1), NOW, True)
        self.assertEqual((p.planned_at, p.reason), (NOW, plan.URGENT))
        for p, rng in each():
            plan.first(p, rng, NOW, False)
            self.assertTrue(NOW <= p.planned_at <= NOW + 14 * DAY)
            self.assertEqual((p.window_start, p.window_end, p.reason), (NOW, NOW + 14 * DAY, plan.FIRST))

    def test_renewal_spans_its_window(self):
        # One address in twenty, and half of the names, are late on purpose.
        for ip, life, lo, mid, hi, share in (
            (True, IP_LIFE, 300, 510, 650, 50),
            (False, NAME_LIFE, 200, 500, 950, 500),
            (False, 64 * DAY, 200, 500, 950, 500),
            (False, 45 * DAY, 200, 500, 1000 * (45 * 24 - 60) // (45 * 24), 500),
            (False, limits.LIFETIME_MAX, 200, 500, 950, 500),
        ):
            low, high = NOW + life * lo // 1000, NOW + life * hi // 1000 + 45 * DAY // 1000
            least, most = high, low
            late = 0
            ordinary = NOW + life * mid // 1000
            rng = Counting(7)
            p = plan.Plan()
            for _ in range(2000):
                plan.renewal(p, rng, ip, NOW, NOW + life)
                self.assertTrue(p.window_start <= p.planned_at <= p.window_end)
                self.assertTrue(low <= p.planned_at <= high)
                least, most = min(least, p.planned_at), max(most, p.planned_at)
                late += p.planned_at > ordinary
            self.assertTrue(least < low + (high - low) // 10)
            self.assertTrue(most > high - (high - low) // 10)
            self.assertTrue(abs(late - 2 * share) <= 80, late)

    def test_a_short_lifetime_leaves_a_name_its_margin_and_never_half_of_the_draws_in_an_hour(self):
        for life in (10 * DAY, IP_LIFE, 121 * HOUR, 5 * DAY, 2 * DAY, HOUR):
            latest = max(life - 60 * HOUR, life // 2)
            rng = Counting(3)
            p = plan.Plan()
            late = 0
            for _ in range(1000):
                plan.renewal(p, rng, False, NOW, NOW + life, NOW)
                self.assertTrue(
                    NOW + life // 5 - 1 <= p.planned_at <= NOW + latest, (life, p.planned_at - NOW)
                )
                late += p.planned_at > NOW + life // 2
            fair = 1000 * (latest - life // 2) // (latest - life // 5)
            self.assertTrue(late <= min(fair, 500) + 60, (life, late, fair))

    def test_renewal_that_would_be_past_is_planned_before_the_end(self):
        # A certificate that was old when it came, such as one of an hour that is dated back: no device was off.
        for ip, life, left in (
            (True, IP_LIFE, HOUR), (False, NAME_LIFE, HOUR), (False, NAME_LIFE, DAY), (False, 2 * HOUR, HOUR),
            (False, 45 * DAY, 3 * DAY),
        ):  # fmt: skip
            for p, rng in each():
                plan.renewal(p, rng, ip, NOW + left - life, NOW + left, NOW)
                self.assertTrue(NOW + plan.SOON <= p.planned_at < NOW + left, (life, left))
        for p, rng in each():  # and one that had expired when it came
            plan.renewal(p, rng, True, NOW - IP_LIFE, NOW, NOW)
            self.assertTrue(NOW <= p.planned_at <= NOW + 900)
            plan.renewal(p, rng, False, NOW - NAME_LIFE, NOW, NOW)
            self.assertTrue(NOW <= p.planned_at <= NOW + 14 * DAY)

    def test_strict_stays_inside_the_suggested_window(self):
        for p, rng in each():
            plan.strict(p, rng, True, NOW + 78 * HOUR, NOW + 82 * HOUR, NOW, NOW + IP_LIFE, NOW)
            self.assertTrue(NOW + 78 * HOUR <= p.planned_at <= NOW + 82 * HOUR)
            self.assertEqual(p.reason, plan.STRICT)

    def test_strict_does_not_believe_nonsense(self):
        for start, end in (
            (NOW + 82 * HOUR, NOW + 78 * HOUR),
            (0, 1),
            (NOW, NOW + 100 * 365 * DAY // 4),
            (NOW - 10 * DAY, NOW + 80 * HOUR),
            (NOW + 200 * HOUR, NOW + 201 * HOUR),
        ):
            p = plan.Plan()
            plan.strict(p, Counting(2), True, start, end, NOW, NOW + IP_LIFE, NOW)
            self.assertEqual(p.reason, plan.RENEWAL)

    def test_poll_at_least_twice_a_day(self):
        for p, rng in each():
            plan.poll(p, rng, NOW, 0)
            self.assertTrue(NOW + 6 * HOUR <= p.planned_at <= NOW + 12 * HOUR)

    def test_poll_honours_retry_after_within_bounds(self):
        p = plan.Plan()
        plan.poll(p, Counting(1), NOW, 15 * HOUR)
        self.assertTrue(NOW + 15 * HOUR <= p.planned_at <= NOW + 17 * HOUR)
        plan.poll(p, Counting(1), NOW, 365 * DAY)
        self.assertTrue(p.planned_at <= NOW + DAY + DAY // 10)
        plan.poll(p, Counting(1), NOW, -1)
        self.assertTrue(NOW + 6 * HOUR <= p.planned_at <= NOW + 12 * HOUR)

    def test_held(self):
        p = plan.Plan()
        plan.held(p, Counting(1), NOW, limits.NEVER)
        self.assertTrue(NOW <= p.planned_at <= NOW + 900)
        plan.held(p, Counting(1), NOW, 10 * HOUR)
        self.assertTrue(NOW + DAY <= p.planned_at <= NOW + DAY + 900)

    def test_revocations_are_hours_apart(self):
        p = plan.Plan()
        plan.revocation(p, Counting(1), NOW, 0)
        self.assertEqual(p.planned_at, NOW)
        for p, rng in each():
            plan.revocation(p, rng, NOW, NOW - 60)
            self.assertTrue(NOW - 60 + 2 * HOUR <= p.planned_at <= NOW - 60 + DAY)
        plan.revocation(p, Counting(1), NOW, NOW - 23 * HOUR)
        self.assertTrue(NOW <= p.planned_at <= NOW + HOUR)


class Missed(unittest.TestCase):
    def span(self, ip, life, age, recovery=None):
        """The earliest and latest plan, seconds from now, of a certificate `age` seconds old, and the reasons."""
        least, most = 1 << 29, -1
        reasons = set()
        for p, rng in each(age % 1000):
            plan.missed(p, rng, ip, NOW, NOW - age, NOW - age + life, recovery)
            self.assertTrue(p.window_start <= p.planned_at <= p.window_end)
            least, most = min(least, p.planned_at - NOW), max(most, p.planned_at - NOW)
            reasons.add(p.reason)
        self.assertTrue(least >= 0)
        return least, most, reasons

    def test_what_is_left_of_the_law_comes_first(self):
        # Urgent or not: a renewal in the ordinary window says nothing.
        for ip, life, age, until in (
            (False, 90 * DAY, 30 * DAY, 90 * 950 * DAY // 1000),
            (False, 90 * DAY, 60 * DAY, 90 * 950 * DAY // 1000),
            (False, 45 * DAY, 30 * DAY, 45 * DAY - 60 * HOUR),
            (False, 10 * DAY, 6 * DAY, 10 * DAY - 60 * HOUR),
            (True, IP_LIFE, 50 * HOUR, 104 * HOUR),
            (True, IP_LIFE, 90 * HOUR, 104 * HOUR),
        ):
            for recovery in (None, plan.BACK, HOUR, 28 * DAY):
                least, most, reasons = self.span(ip, life, age, recovery)
                self.assertEqual(reasons, {plan.REST})
                self.assertTrue(plan.SOON <= least and most <= until - age, (life, age, most))
                self.assertTrue(most > (until - age) * 8 // 10, (life, age, most))

    def test_the_other_waits_up_to_recovery_expired_or_not(self):
        for ip, life, age in (
            (False, 90 * DAY, 85 * DAY), (False, 90 * DAY, 89 * DAY), (False, 90 * DAY, 200 * DAY),
            (False, 45 * DAY, 42 * DAY), (False, 45 * DAY, 60 * DAY),
            (True, IP_LIFE, 110 * HOUR), (True, IP_LIFE, 400 * HOUR),
        ):  # fmt: skip
            for recovery in (HOUR, DAY, 14 * DAY, 28 * DAY):
                least, most, reasons = self.span(ip, life, age, recovery)
                self.assertEqual(reasons, {plan.LATER})
                self.assertTrue(
                    least < recovery // 5 and recovery * 8 // 10 < most < recovery, (age, recovery)
                )
        self.assertTrue(14 * DAY > self.span(False, 45 * DAY, 60 * DAY)[1] > 11 * DAY)  # by default

    def test_the_urgent_one_is_back_within_a_quarter_of_an_hour(self):
        for ip, life in ((True, IP_LIFE), (False, NAME_LIFE), (False, HOUR)):
            least, most, reasons = self.span(ip, life, life + DAY, plan.BACK)
            self.assertEqual(reasons, {plan.LAPSED})
            self.assertTrue(600 < most <= 900)

    def test_the_urgent_one_is_planned_before_its_end(self):
        for ip, life in ((True, IP_LIFE), (False, NAME_LIFE), (False, 45 * DAY), (True, HOUR), (False, HOUR)):
            for percent in range(1, 100):
                age = life // 100 * percent
                if life - age >= plan.SOON:
                    self.assertTrue(self.span(ip, life, age, plan.BACK)[1] < life - age, (ip, life, age))

    def test_a_wait_that_has_not_ended_goes_on(self):
        p = plan.Plan()
        rng = Counting(4)
        plan.missed(p, rng, False, NOW, NOW - 60 * DAY, NOW - 15 * DAY)
        until = p.window_end
        for _ in range(60):
            p.window_start, p.window_end, p.reason = NOW, until, plan.LATER
            plan.missed(p, rng, False, NOW + 5 * DAY, NOW - 60 * DAY, NOW - 15 * DAY)
            self.assertEqual((p.window_start, p.window_end, p.reason), (NOW + 5 * DAY, until, plan.LATER))
        # Where it is over, this is another absence; where it lies beyond, a clock was wrong.
        for now in (until - HOUR, until + DAY, NOW - 20 * DAY):
            p.window_end, p.reason = until, plan.LATER
            plan.missed(p, rng, False, now, now - 60 * DAY, now - 15 * DAY)
            self.assertEqual(
                (p.window_start, p.window_end, p.reason), (now, now + 14 * DAY * 31 // 32, plan.LATER)
            )

    def test_a_short_absence_of_a_short_lived_name_is_no_lapse(self):
        for life in (45 * DAY, 10 * DAY, IP_LIFE, 2 * DAY, 6 * HOUR):
            for percent in (21, 30, 40):
                age = life * percent // 100
                self.assertTrue(self.span(False, life, age)[1] < life - age, (life, percent))

    def test_first_keeps_its_wait(self):
        for ip, recovery, most in (
            (False, None, DAY),
            (True, None, 900),
            (False, plan.BACK, 900),
            (True, HOUR, HOUR),
        ):
            for p, rng in each():
                plan.first(p, rng, NOW - 10 * DAY, False)
                plan.missed(p, rng, ip, NOW, 0, 0, recovery)
                self.assertTrue(NOW <= p.planned_at <= NOW + 4 * DAY)
                plan.missed(p, rng, ip, NOW + 40 * DAY, 0, 0, recovery)
                self.assertTrue(NOW + 40 * DAY <= p.planned_at <= NOW + 40 * DAY + most)

    def test_an_emergency_that_was_missed_or_failed_stays_one(self):
        for ip, most in ((True, 900), (False, 6 * HOUR)):
            for p, rng in each():
                plan.emergency(p, rng, ip, NOW)
                plan.missed(p, rng, ip, NOW + DAY, NOW - DAY, NOW + NAME_LIFE)
                self.assertTrue(NOW + DAY <= p.planned_at <= NOW + DAY + most)
                for failures in (1, 2, 3):
                    plan.retry(p, rng, NOW, failures, plan.TRANSPORT, NOW + NAME_LIFE, 0, ip, NOW - DAY)
                    self.assertTrue(p.planned_at <= NOW + 3 * HOUR)
                plan.collide(p, rng, NOW)
                self.assertEqual(p.reason, plan.EMERGENCY)

    def test_delayed_is_not_missed(self):
        p = plan.Plan()
        p.planned_at = NOW
        self.assertTrue(not plan.is_missed(p, NOW + plan.GRACE))
        self.assertTrue(plan.is_missed(p, NOW + plan.GRACE + 1))
        p.clear()
        self.assertTrue(not plan.is_missed(p, NOW))

    def test_a_plan_from_a_clock_that_was_ahead_is_lost(self):
        p = plan.Plan()
        self.assertTrue(not plan.is_lost(p, NOW, 0))
        p.planned_at = NOW + 400 * DAY
        self.assertTrue(plan.is_lost(p, NOW, NOW + DAY))
        self.assertTrue(plan.is_lost(p, NOW, NOW - DAY))
        self.assertTrue(plan.is_lost(p, NOW, 0))

    def test_what_is_drawn_is_never_lost(self):
        for p, rng in each():
            plan.first(p, rng, NOW, False, 60 * DAY)
            self.assertTrue(not plan.is_lost(p, NOW, 0))
            for left in (-DAY, 1, HOUR, 80 * HOUR):
                for failures in (1, 5):
                    plan.retry(p, rng, NOW, failures, plan.LIMITED, NOW + left, 365 * DAY)
                    self.assertTrue(not plan.is_lost(p, NOW, NOW + left))
                for recovery in (HOUR, 14 * DAY, 28 * DAY):
                    plan.missed(p, rng, False, NOW, NOW + left - NAME_LIFE, NOW + left, recovery)
                    self.assertTrue(not plan.is_lost(p, NOW, NOW + left))


class Retry(unittest.TestCase):
    def span(self, failures, kind, left, retry_after=0, ip=True):
        least, most = 1 << 29, -1
        for p, rng in each(failures, 60):
            end = NOW + left if left else 0
            plan.retry(p, rng, NOW, failures, kind, end, retry_after, ip, max(end - NAME_LIFE, 0))
            least, most = min(least, p.planned_at - NOW), max(most, p.planned_at - NOW)
        return least, most

    def test_backoff(self):
        for failures, minutes in ((1, 1), (2, 10), (3, 100), (4, 1000), (5, 1440), (60, 1440)):
            least, most = self.span(failures, plan.VALIDATION, 0)
            self.assertTrue(minutes * 30 <= least < minutes * 45, (failures, least))
            self.assertTrue(minutes * 75 < most <= minutes * 90, (failures, most))

    def test_transport_waits_an_eighth_of_what_is_left(self):
        for left in (HOUR, 10 * HOUR, 100 * HOUR):
            for failures in range(1, 12):
                self.assertTrue(self.span(failures, plan.TRANSPORT, left)[1] <= max(left // 8, 600))

    def test_an_address_does_not_lapse_over_one_failed_validation(self):
        # After a week without a line, say: 44 failures, and the first attempt on line is the one that fails.
        for left in (1200, HOUR, 2 * HOUR, 10 * HOUR, 100 * HOUR):
            for failures in (3, 5, 44):
                least, most = self.span(failures, plan.VALIDATION, left)
                self.assertTrue(
                    7 * 60 <= least and most <= max(left // 4, plan.BACK), (left, failures, least, most)
                )
                self.assertTrue(most < left)
        # What the CA refuses for another reason is not asked for again and again.
        for kind in (plan.REFUSED, plan.LIMITED):
            self.assertTrue(self.span(44, kind, HOUR)[0] >= 2 * HOUR)

    def test_nothing_is_retried_in_a_busy_loop(self):
        for kind in (plan.TRANSPORT, plan.REFUSED, plan.VALIDATION, plan.LIMITED):
            for left in (0, -5, 1, 60, HOUR, 30 * DAY):
                for ip in (True, False):
                    self.assertTrue(self.span(1, kind, left, -1, ip)[0] >= 30)
                    self.assertTrue(self.span(3, kind, left, -1, ip)[0] >= 300)

    def test_retry_after_is_honoured_and_bounded(self):
        least, most = self.span(1, plan.LIMITED, 0, 7200)
        self.assertTrue(7200 <= least and most <= 7920)
        least, most = self.span(1, plan.LIMITED, 0, 365 * DAY)
        self.assertTrue(DAY <= least and most <= DAY + DAY // 10)
        self.assertTrue(self.span(1, plan.LIMITED, 20 * HOUR, 365 * DAY)[1] <= 11 * HOUR)
        self.assertEqual(self.span(2, plan.REFUSED, 0, -1), self.span(2, plan.REFUSED, 0, 0))

    def test_what_is_not_urgent_does_not_come_back_with_the_line(self):
        for kind in (plan.TRANSPORT, plan.VALIDATION):
            # The first attempt is repeated at once; from the second on it is as if the device was off.
            self.assertTrue(self.span(1, kind, 45 * DAY, 0, False)[1] <= 90)
            for failures in (2, 9):
                self.assertTrue(self.span(failures, kind, 45 * DAY, 0, False)[1] > 30 * DAY)
                self.assertTrue(8 * DAY < self.span(failures, kind, -4 * DAY, 0, False)[1] < 14 * DAY)
                self.assertTrue(self.span(failures, kind, -4 * DAY, 365 * DAY, False)[0] >= DAY)
        for kind in (plan.REFUSED, plan.LIMITED):  # these say nothing about a line
            self.assertTrue(self.span(9, kind, -4 * DAY, 0, False)[1] <= 36 * HOUR)

    def test_what_is_not_urgent_is_not_left_to_expire_while_the_device_is_on(self):
        for kind in (plan.TRANSPORT, plan.VALIDATION):
            for left in (4 * DAY, 60 * HOUR, DAY, HOUR, 1300):
                least, most = self.span(9, kind, left, 0, False)
                self.assertTrue(plan.SOON <= least and most < left, (left, least, most))
                if left > HOUR:
                    self.assertTrue(most > left // 2)  # and it is not hurried either


class Events(unittest.TestCase):
    def test_collision_starts_after_its_own_plan(self):
        for p, rng in each():
            p.planned_at = NOW
            plan.collide(p, rng, NOW)
            self.assertTrue(NOW <= p.planned_at <= NOW + 1800)
            p.planned_at = NOW
            plan.collide(p, rng, NOW + 1700)
            self.assertTrue(NOW + 1700 <= p.planned_at <= NOW + 3500)

    def test_emergency(self):
        p = plan.Plan()
        plan.emergency(p, Counting(1), True, NOW)
        self.assertEqual(p.planned_at, NOW)
        for p, rng in each():
            plan.emergency(p, rng, False, NOW)
            self.assertTrue(NOW <= p.planned_at <= NOW + 6 * HOUR)

    def test_what_is_an_emergency(self):
        half = NOW + IP_LIFE // 2
        end = NOW + IP_LIFE
        self.assertTrue(not plan.is_emergency(half, half, NOW, end))
        self.assertTrue(not plan.is_emergency(half, half - IP_LIFE // 200, NOW, end))
        self.assertTrue(not plan.is_emergency(half, half + DAY, NOW, end))
        self.assertTrue(plan.is_emergency(half, half - IP_LIFE // 50, NOW, end))
        self.assertTrue(plan.is_emergency(0, NOW + HOUR, NOW, end))
        self.assertTrue(not plan.is_emergency(0, half, NOW, end))
        self.assertTrue(not plan.is_emergency(half, 0, NOW, end))
        self.assertTrue(not plan.is_emergency(half, -1577836800, NOW, end))

    def test_words_for_people(self):
        for code in range(plan.LATER + 1):
            self.assertTrue(explanations.reason_text(code).endswith("."))
        for name, default, line in explanations.settings():
            self.assertTrue(name and default and line.endswith("."))


def everything(p, rng):
    """Each function once with ordinary and extreme arguments."""
    end = NOW + NAME_LIFE
    plan.first(p, rng, NOW, False)
    plan.renewal(p, rng, True, NOW, NOW + IP_LIFE, NOW)
    plan.renewal(p, rng, False, NOW, NOW + limits.LIFETIME_MAX, NOW)
    plan.renewal(p, rng, False, limits.NEVER - 2, limits.NEVER - 1, limits.NEVER - 2)
    plan.strict(p, rng, True, NOW + DAY, NOW + 2 * DAY, NOW, end, NOW)
    plan.missed(p, rng, False, NOW + 70 * DAY, NOW, end)
    plan.missed(p, rng, True, limits.NEVER - 1, NOW, end)
    plan.missed(p, rng, False, NOW, NOW - limits.LIFETIME_MAX // 2, NOW + limits.LIFETIME_MAX // 2)
    plan.missed(p, rng, True, NOW, NOW - limits.LIFETIME_MAX // 2, NOW + limits.LIFETIME_MAX // 2)
    plan.missed(p, rng, False, NOW + 100 * DAY, NOW, end)
    plan.missed(p, rng, False, NOW + 101 * DAY, NOW, end)
    plan.renewal(p, rng, False, NOW, NOW + 10 * DAY, NOW + 9 * DAY)
    plan.retry(p, rng, NOW, 3, plan.TRANSPORT, end, 0, False, NOW)
    plan.retry(p, rng, NOW, 9, plan.LIMITED, 0, limits.NEVER)
    plan.retry(p, rng, limits.NEVER - 1, 9, plan.VALIDATION, 0, 5)
    plan.collide(p, rng, NOW)
    plan.emergency(p, rng, False, NOW)
    plan.poll(p, rng, NOW, limits.NEVER)
    plan.held(p, rng, limits.NEVER - 5, 5)
    plan.revocation(p, rng, NOW, NOW - 5)
    plan.is_emergency(0, NOW, NOW, end)
    plan.is_lost(p, NOW, end)


class Bounds(unittest.TestCase):
    def test_nothing_is_planned_beyond_the_last_second(self):
        for p, rng in each(n=20):
            everything(p, rng)
            plan.renewal(p, rng, False, limits.NEVER - 2, limits.NEVER - 1, limits.NEVER - 2)
            self.assertTrue(p.planned_at <= plan.LAST)
            plan.retry(p, rng, limits.NEVER - 1, 9, plan.VALIDATION, 0, 5)
            self.assertTrue(p.planned_at <= plan.LAST)

    def test_no_allocation(self):
        if micropython is None or not hasattr(micropython, "heap_lock"):
            return
        p, rng = plan.Plan(), Counting(5)
        everything(p, rng)
        micropython.heap_lock()
        try:
            everything(p, rng)
        finally:
            micropython.heap_unlock()
        self.assertTrue(p.planned_at > 0)


if __name__ == "__main__":
    unittest.main()
