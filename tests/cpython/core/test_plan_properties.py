"""Properties of the plan over random histories: hypothesis chooses times, lifetimes, words and mishaps."""

import bisect

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ipcert import explanations, limits, plan

pytestmark = pytest.mark.quick

NOW = 217728000
HOUR, DAY = 3600, 86400
BARE = plan.SOON  # a certificate with less than this left cannot be helped

moments = st.integers(0, plan.LAST)
lives = st.one_of(
    st.sampled_from(
        [HOUR, 6 * HOUR, 144 * HOUR, 160 * HOUR, 45 * DAY, 64 * DAY, 90 * DAY, limits.LIFETIME_MAX]
    ),
    st.integers(limits.LIFETIME_MIN, limits.LIFETIME_MAX),
)
waits = st.one_of(st.integers(-(1 << 29), 1 << 29), st.sampled_from([-1, 0, 1, 365 * DAY]))
kinds = st.sampled_from([plan.TRANSPORT, plan.REFUSED, plan.VALIDATION, plan.LIMITED])


class Source:
    """Words from a seed; every one is counted, and a few may be forced to the extremes."""

    def __init__(self, seed, forced=()):
        self.state = seed
        self.forced = list(forced)
        self.used = []

    def word(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & (1 << 64) - 1
        w = self.forced.pop(0) if self.forced else self.state >> 48
        self.used.append(w)
        return w


sources = st.builds(
    Source, st.integers(0, 1 << 64), st.lists(st.sampled_from([0, 1, 65534, 65535]), max_size=6)
)


def check(p, now):
    """What holds for every plan."""
    assert now <= p.planned_at <= plan.LAST
    assert p.window_start <= p.planned_at <= p.window_end <= plan.LAST
    for v in (p.planned_at, p.window_start, p.window_end):
        assert type(v) is int and v < 1 << 30
    assert explanations.reason_text(p.reason).endswith(".")


@given(sources, st.integers(1, (1 << 30) - 1))
def test_draws_are_below(rng, n):
    assert 0 <= plan.below(rng, n) < n


@given(sources, st.booleans(), moments, lives, moments)
def test_a_renewal_is_in_time_if_it_can_be_helped(rng, ip, now, life, age):
    assume(age <= 2 * life and age <= now and now - age + life < plan.LAST - 8 * DAY)
    end = now - age + life
    p = plan.Plan()
    plan.renewal(p, rng, ip, now - age, end, now)
    check(p, now)
    if end - now > BARE:
        assert p.planned_at < end
    elif ip:
        assert p.planned_at <= now + 15 * 60
    else:
        assert p.planned_at <= now + 14 * DAY


recoveries = st.one_of(
    st.sampled_from([plan.BACK, HOUR, DAY, 14 * DAY, 28 * DAY]), st.integers(HOUR, 28 * DAY)
)


@given(sources, st.booleans(), moments, lives, moments, recoveries)
def test_a_missed_plan_is_in_the_law_or_in_time_or_within_recovery(rng, ip, now, life, age, recovery):
    assume(age <= 2 * life and age <= now and now - age + life < plan.LAST - 31 * DAY)
    begin, end = now - age, now - age + life
    p = plan.Plan()
    plan.missed(p, rng, ip, now, begin, end, recovery)
    check(p, now)
    latest = plan.ADDRESS_LATEST if ip else plan.NAME_LATEST
    if p.reason == plan.REST:
        assert now + plan.SOON <= p.planned_at <= begin + life * latest // 1000 < end
        assert ip or p.planned_at <= max(end - 60 * HOUR, begin + life // 2)
    elif recovery > plan.BACK:
        assert p.reason == plan.LATER and p.planned_at < now + recovery
    elif end - now >= BARE:
        assert p.planned_at < end
    else:
        assert p.planned_at <= now + 15 * 60
    assert not plan.is_lost(p, now, end)


def distance(draws, others):
    """The largest difference of two samples' distributions (Kolmogorov and Smirnov)."""
    draws, others = sorted(draws), sorted(others)
    return max(
        abs(bisect.bisect_right(draws, one) / len(draws) - bisect.bisect_right(others, one) / len(others))
        for one in draws + others
    )


@pytest.mark.parametrize("percent", [5, 22, 35, 45, 49, 55, 70, 88])
@pytest.mark.parametrize(
    "ip, life", [(True, 160 * HOUR), (False, 90 * DAY), (False, 45 * DAY), (False, 10 * DAY)]
)
def test_a_missed_plan_has_the_ordinary_law_given_that_it_is_still_to_come(ip, life, percent):
    now = NOW + life * percent // 100
    rng = Source(percent * life)
    p = plan.Plan()
    ordinary, later = [], []
    for _ in range(3000):
        plan.renewal(p, rng, ip, NOW, NOW + life, NOW)
        if p.planned_at >= now + plan.SOON:
            ordinary.append(p.planned_at)
        plan.missed(p, rng, ip, now, NOW, NOW + life)
        later.append(p.planned_at)
    if p.reason != plan.REST:
        # Nothing is left of it, or next to nothing.
        assert percent >= (60 if ip else 55) and len(ordinary) < 300
        return
    # 0.001 of right ones are farther apart.
    assert distance(later, ordinary) < 1.95 * (1 / len(later) + 1 / len(ordinary)) ** 0.5
    # And it is not uniform where the law is not: this distance would show that.
    if life == 90 * DAY and percent == 35:
        flat = [now + plan.below(rng, p.window_end - now) for _ in later]
        assert distance(flat, ordinary) > 1.95 * (1 / len(flat) + 1 / len(ordinary)) ** 0.5


@given(
    sources, st.booleans(), lives, st.lists(st.integers(600, 40 * DAY), min_size=1, max_size=6), recoveries
)
def test_each_wait_ends_where_the_owner_was_told_or_begins_anew(rng, ip, life, off, recovery):
    """Switched off again and again during the wait: the end of the window moves only where next to nothing was left of it."""
    assume(recovery > plan.BACK)
    now = NOW
    p = plan.Plan()
    plan.missed(p, rng, ip, now, now - 2 * life, now - life, recovery)
    for length in off:
        until = p.window_end
        now += length
        if plan.is_missed(p, now):
            plan.missed(p, rng, ip, now, NOW - 2 * life, NOW - life, recovery)
            check(p, now)
            assert p.window_end == until if until - now >= 6 * HOUR else p.window_end < now + recovery


@given(sources, st.booleans(), st.sampled_from([HOUR, 2 * HOUR, DAY, 10 * DAY, 45 * DAY, limits.LIFETIME_MAX]),
       st.sampled_from([0, HOUR]), st.sampled_from([plan.BACK, HOUR, 14 * DAY]))  # fmt: skip
def test_any_lifetime_is_renewed_in_time_while_the_device_is_on(rng, ip, life, backdated, recovery):
    """Of an hour or ten years, dated back or not, and changed at each renewal: bounded, and no lapse."""
    assume(life > backdated)
    now = NOW
    p = plan.Plan()
    for step in range(8):
        lasts = max(life, HOUR + backdated) if step % 2 else 45 * DAY
        end = now - backdated + lasts
        if end > plan.LAST - DAY:
            return
        plan.renewal(p, rng, ip, now - backdated, end, now, recovery)
        check(p, now)
        assert now + BARE // 2 <= p.planned_at < end
        now = p.planned_at


@given(sources, st.booleans(), moments, waits, waits, lives)
def test_any_window_of_the_ca_is_survived(rng, ip, now, start, end, life):
    assume(now + life < plan.LAST)
    p = plan.Plan()
    plan.strict(p, rng, ip, now + start, now + end, now, now + life, now)
    check(p, now)
    assert p.planned_at < now + life
    plan.is_emergency(now + start, now + end, now, now + life)


@given(sources, moments, st.integers(1, 5000), kinds, waits, waits, st.booleans(), lives)
@example(Source(1), NOW, 1, plan.LIMITED, 3 * HOUR, 365 * DAY, True, 160 * HOUR)
@example(Source(0), NOW, 2, plan.TRANSPORT, 1201, 1660, False, HOUR)
def test_a_retry_is_never_a_busy_loop_and_never_far(rng, now, failures, kind, left, asked, ip, life):
    end = now + left if left else 0
    assume(0 <= end < plan.LAST - 8 * DAY and now < plan.LAST - 8 * DAY)
    p = plan.Plan()
    plan.retry(p, rng, now, failures, kind, end, asked, ip, max(end - life, 0))
    check(p, now)
    assert p.planned_at >= now + 30
    if failures > 1:
        assert p.planned_at >= now + 300
    assert not plan.is_lost(p, now, end)
    if left > 4 * DAY and (kind not in (plan.TRANSPORT, plan.VALIDATION) or ip):
        assert p.planned_at <= now + 36 * HOUR + DAY // 10
    if left > 1300 and failures > 1 and not ip and kind in (plan.TRANSPORT, plan.VALIDATION) and asked <= 0:
        assert p.planned_at < end
    if left <= 0 and not ip:
        assert p.planned_at <= now + 14 * DAY
    if left <= 0 and ip and kind == plan.TRANSPORT and asked <= 0 and end:
        assert (
            p.planned_at <= now + 15 * 60
        )  # a lapsed address is asked for again soon after the line is back
    if kind == plan.TRANSPORT and left > BARE * 2 and 1 < failures and (ip or left > 2 * BARE):
        # An hour is believed whatever is left, where the CA asks for it.
        assert p.planned_at < end + BARE or asked > 0 and p.planned_at <= now + HOUR + HOUR // 10


@given(
    sources, st.booleans(), st.booleans(), lives, st.integers(0, 1000), st.sampled_from([0, HOUR, 365 * DAY]),
    st.sampled_from([plan.TRANSPORT, plan.VALIDATION]),
)  # fmt: skip
def test_a_ca_that_is_down_for_two_days_causes_no_lapse(rng, ip, urgent, life, when, asked, kind):
    """Nor one that reaches nobody for two days: nothing lapses where the device was on, whichever is urgent."""
    life = 160 * HOUR if ip else max(life, 10 * DAY)
    recovery = plan.BACK if urgent else 14 * DAY
    p = plan.Plan()
    plan.renewal(p, rng, ip, NOW, NOW + life, NOW, recovery)
    down = max(NOW, p.planned_at - when * 48 * HOUR // 1000)  # at any moment that touches the plan
    failures = 0
    while p.planned_at < down + 48 * HOUR:
        failures += 1
        assert failures < 2000
        at = p.planned_at + 20
        plan.retry(p, rng, at, failures, kind, NOW + life, asked, ip, NOW, recovery)
        assert p.planned_at > at
    assert p.planned_at + 20 < NOW + life


@given(sources, moments, waits, moments)
def test_the_other_plans(rng, now, asked, past):
    p = plan.Plan()
    for call in (
        lambda: plan.first(p, rng, now, True),
        lambda: plan.first(p, rng, now, False),
        lambda: plan.first(p, rng, now, False, 60 * DAY),
        lambda: plan.collide(p, rng, now),
        lambda: plan.emergency(p, rng, True, now),
        lambda: plan.emergency(p, rng, False, now),
        lambda: plan.poll(p, rng, now, asked),
        lambda: plan.held(p, rng, now, past),
        lambda: plan.revocation(p, rng, now, min(past, now)),
        lambda: plan.missed(p, rng, False, now, 0, 0),
        lambda: plan.missed(p, rng, True, now, 0, 0),
    ):
        call()
        check(p, now)
        assert not plan.is_lost(p, now, 0)


@given(sources, st.booleans(), st.integers(0, 160 * HOUR), st.lists(st.integers(60, 20 * DAY), max_size=8))
def test_a_history_of_power_cuts_moves_a_plan_only_when_it_was_missed(rng, ip, age, off):
    """A restart reads the plan that was written; only one that passed meanwhile is drawn again."""
    begun, now = NOW, NOW + age
    life = 160 * HOUR if ip else 90 * DAY
    p = plan.Plan()
    plan.renewal(p, rng, ip, begun, begun + life, begun)
    for length in off:
        written = (p.planned_at, p.window_start, p.window_end, p.reason)
        words = len(rng.used)
        now += length
        if plan.is_missed(p, now):
            plan.missed(p, rng, ip, now, begun, begun + life)
            check(p, now)
        else:
            assert (p.planned_at, p.window_start, p.window_end, p.reason) == written and len(
                rng.used
            ) == words
            if p.planned_at <= now:  # due: it is renewed
                begun = now
                plan.renewal(p, rng, ip, begun, begun + life, begun)
                check(p, begun)


@given(st.integers(0, 1 << 64), st.integers(2, 64))
@settings(max_examples=50)
def test_two_lineages_never_share_a_draw(seed, rounds):
    """Each plan takes words that no other plan took, from a buffer that is wiped as it is read."""
    given_out = []
    source = Source(seed)

    def fill(buf):
        for i in range(len(buf)):
            buf[i] = source.word() >> 8
        given_out.append(bytes(buf))

    words = plan.Words(fill, 8)
    taken = []
    real = words.word
    spent = []
    words.word = lambda: spent.append(real()) or spent[-1]
    for k in range(rounds):
        p = plan.Plan()
        before = len(spent)
        plan.renewal(p, words, k % 2 == 0, NOW, NOW + 90 * DAY, NOW)
        assert len(spent) > before
        taken.append(len(spent) - before)
    stream = b"".join(given_out)
    assert [stream[2 * i] << 8 | stream[2 * i + 1] for i in range(len(spent))] == spent
    assert sum(taken) == len(spent)
    assert not any(words._buffer[: words._next])


@given(sources, st.sampled_from([NOW, NOW - 400 * DAY, NOW + 3000 * DAY]), st.booleans())
def test_a_clock_that_jumped(rng, other, ip):
    """A plan made under another clock is either still good, missed, or lost; planning anew makes it good."""
    life = 160 * HOUR if ip else 90 * DAY
    p = plan.Plan()
    plan.renewal(p, rng, ip, other, other + life, other)
    end = NOW + life // 2
    for _ in range(3):
        if plan.is_missed(p, NOW) or plan.is_lost(p, NOW, end):
            plan.missed(p, rng, ip, NOW, end - life, end)
    assert NOW - plan.GRACE <= p.planned_at
    assert not plan.is_lost(p, NOW, end)
