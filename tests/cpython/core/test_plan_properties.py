"""Properties of the plan over random histories: hypothesis chooses times, lifetimes, words and mishaps."""

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
        assert p.planned_at <= now + 3 * DAY


@given(sources, st.booleans(), moments, lives, moments, st.sampled_from([HOUR, 3 * DAY, 7 * DAY]))
def test_a_missed_plan_is_in_time_if_it_can_be_helped(rng, ip, now, life, age, recovery):
    assume(age <= 2 * life and age <= now and now - age + life < plan.LAST - 8 * DAY)
    end = now - age + life
    p = plan.Plan()
    plan.missed(p, rng, ip, now, now - age, end, recovery)
    check(p, now)
    if end - now >= BARE:
        assert p.planned_at < end
    else:
        assert p.planned_at <= now + (15 * 60 if ip else recovery)
    assert not plan.is_lost(p, now, end)


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
    if left > 4 * DAY and kind != plan.TRANSPORT:
        assert p.planned_at <= now + 36 * HOUR + DAY // 10
    if left <= 0 and ip and kind == plan.TRANSPORT and asked <= 0 and end:
        assert (
            p.planned_at <= now + 15 * 60
        )  # a lapsed address is asked for again soon after the line is back
    if kind == plan.TRANSPORT and left > BARE * 2 and 1 < failures and (ip or left > 2 * BARE):
        # An hour is believed whatever is left, where the CA asks for it.
        assert p.planned_at < end + BARE or asked > 0 and p.planned_at <= now + HOUR + HOUR // 10


@given(sources, st.booleans(), lives, st.integers(0, 1000), st.sampled_from([0, HOUR, 365 * DAY]))
def test_a_ca_that_is_down_for_two_days_causes_no_lapse(rng, ip, life, when, asked):
    life = 160 * HOUR if ip else max(life, 20 * DAY)
    p = plan.Plan()
    plan.renewal(p, rng, ip, NOW, NOW + life, NOW)
    down = max(NOW, p.planned_at - when * 48 * HOUR // 1000)  # at any moment that touches the plan
    failures = 0
    while p.planned_at < down + 48 * HOUR:
        failures += 1
        assert failures < 2000
        at = p.planned_at + 20
        plan.retry(p, rng, at, failures, plan.TRANSPORT, NOW + life, asked, ip, NOW)
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
    assert p.planned_at <= end + 8 * DAY
