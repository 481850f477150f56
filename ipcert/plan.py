"""When a lineage acts next: docs/privacy.md#p1 to #p6 and #p14 as pure functions of (lineage, now, random words).

What holds. Everything that shows in the public record at a certain second was planned for that second, and the second was drawn
uniformly from an interval that says nothing: not when the device was set up, switched on or off, or came back on line, and not
when the home's other certificate was issued. So each function fills a plan from a fresh draw, from one lineage's own numbers,
and never from another lineage's plan. tools/simulate lives through a million homes with these very functions and lets
attackers at the result; its gate fails where a change gives them anything.

What an outage leaves in the record is what a home is found by, so a plan that was missed is drawn again from the ordinary law,
given that it is still to come: half of all names are renewed late on purpose, and one that was late because its device was off
looks like those. Where nothing is left of that law, the lineage that is not urgent comes back as a first issuance would, anywhere
in `recovery` seconds, expired or not: hurry would show when the device came back, a second time. The urgent one is served
first: it is renewed before it expires (HURRY), or is back within a quarter of an hour, and shows that the device was off.

A device that was on all the time has nothing to hide: where its CA is down, or its certificate is old when it gets it, what is
not urgent is renewed before it expires too, somewhere in what is left of the validity (`_before_end`).

A plan is `Plan` or anything with its four attributes, such as a journal's record. Times and durations are whole core seconds,
0 <= t < 2**30; nothing here allocates, uses a float, or reads a clock. `is_address` is True for an address's lineage and
False for the names'. A certificate is given by its `not_before` and `not_after`; `not_after` 0: none yet.

What must never happen: a plan before `now` or after `LAST`; a draw that is reduced by remainder, which would prefer early
seconds; a plan that is drawn again because it was looked at.
"""

from . import limits
from .errors import LocalError

LAST = limits.NEVER - 1  # the latest second that can be planned for
GRACE = 120  # a plan this late was not missed, only delayed
BACK = 840  # a lapsed address is asked for within 15 minutes
SOON = 600  # shortest distance to a renewal, and of retries that are hurried: no busy loop
DAY = limits.DAY
HOUR = limits.HOUR
MINUTE = limits.MINUTE
MARGIN = 60 * HOUR  # from the last ordinary renewal of a name to its end, for a CA that is down
RECOVERY = (
    14 * DAY
)  # docs/privacy.md#p3: the longest wait of what is not urgent, as long as a first issuance's

# docs/privacy.md#p2, in thousandths of the lifetime. Some draws (LATE of 1000) come from a later part of it, up to LATEST: a renewal that an
# outage delayed looks like one of these, so it tells nobody that there was an outage. docs/privacy.md has what was tried.
ADDRESS_START, ADDRESS_END, ADDRESS_LATEST, ADDRESS_LATE = 300, 510, 650, 50
NAME_START, NAME_END, NAME_LATEST, NAME_LATE = 200, 500, 950, 500

TRANSPORT, REFUSED, VALIDATION, LIMITED, SLOW = range(
    5
)  # what went wrong, for `retry`; SLOW: nothing yet, but it is not there

(
    NONE, URGENT, FIRST, RENEWAL, STRICT, REST, VALID, HURRY, LAPSED, RETRY, ASKED, COLLISION, EMERGENCY, POLL, HELD,
    REVOKE, PROOF, LATER,
) = range(18)  # fmt: skip


class Plan:
    """planned_at: the second to act, drawn from window_start..window_end (both included); reason: a code for `explanations.reason_text`."""

    def __init__(self):
        self.clear()

    def clear(self):
        """No plan."""
        self.planned_at = limits.NEVER
        self.window_start = self.window_end = 0
        self.reason = NONE


class Words:
    """16-bit random words from `fill(buf)`, the port's CSPRNG; each is used once and wiped. Raises what `fill` does."""

    def __init__(self, fill, size=32):
        self._fill = fill
        self._buffer = bytearray(size)
        self._next = size

    def word(self):
        """A fresh 0..65535."""
        buffer = self._buffer
        index = self._next
        if index >= len(buffer):
            self._fill(buffer)
            index = 0
        self._next = index + 2
        word = buffer[index] << 8 | buffer[index + 1]
        buffer[index] = buffer[index + 1] = 0
        return word


def below(words, count):
    """A uniform int in [0, count), 1 <= count < 2**30. Raises LocalError("entropy") from a source that is stuck."""
    top = 65535 if count <= 65536 else limits.NEVER
    for _ in range(128):  # each try fails less than half of the time
        drawn = words.word()
        if top > 65535:
            drawn = (drawn & 0x3FFF) << 16 | words.word()
        rest = drawn % count
        # The last, incomplete round of `count` values would prefer the small ones: such a draw is thrown away.
        if drawn - rest <= top - (count - 1):
            return rest
    raise LocalError("entropy", "The random source repeats itself: nothing can be planned with it.")


def _add(second, duration):
    return second + duration if duration < LAST - second else LAST


def _draw(plan, words, start, end, reason):
    plan.window_end = end = min(end, LAST)
    plan.window_start = start = min(start, end)
    plan.planned_at = start + below(words, end - start + 1)
    plan.reason = reason


def _within(plan, words, now, least, most, reason):
    _draw(plan, words, _add(now, least), _add(now, most), reason)


def _lifetime(not_before, not_after):
    return min(max(not_after - not_before, limits.LIFETIME_MIN), limits.LIFETIME_MAX)


def _part(lifetime, thousandths):
    return (
        lifetime // 1000 * thousandths + lifetime % 1000 * thousandths // 1000
    )  # the product would leave 2**30


def first(plan, words, now, urgent, window=14 * DAY):
    """docs/privacy.md#p1: at once when urgent, else uniform over `window` seconds from now (14 days; 24 h when both are urgent)."""
    _within(plan, words, now, 0, 0 if urgent else window, URGENT if urgent else FIRST)


def _ordinary(plan, words, is_address, not_before, lifetime, since, reason):
    """One draw from the lineage's ordinary law, given that it comes after `since`. False, and nothing drawn, where too little
    is left of it to hide in."""
    start = _part(lifetime, ADDRESS_START if is_address else NAME_START)
    end = _part(lifetime, ADDRESS_END if is_address else NAME_END)
    latest = _part(lifetime, ADDRESS_LATEST if is_address else NAME_LATEST)
    late = ADDRESS_LATE if is_address else NAME_LATE
    least = 6 * HOUR if is_address else 2 * DAY
    # The product of seconds and thousandths would leave 2**30.
    unit = lifetime // 1000000 + 1
    if not is_address and latest > lifetime - MARGIN:
        latest = max(lifetime - MARGIN, end)
        # What is left of the late part is not denser than the early one: half of all draws in an hour would be a tick.
        late = min(late, 1000 * ((latest - end) // unit) // ((latest - start) // unit))
    start = _add(not_before, start)
    end = _add(not_before, end)
    latest = _add(not_before, latest)
    # A short lifetime has a short window: a twentieth of it is what two days are to forty.
    if since > start and latest - since < min(least, lifetime // 20):
        return False
    early = 1000 - late
    if since > start:
        early = early * (max(end - since, 0) // unit) // max((end - start) // unit, 1)
        start = since
    if below(words, early + late) < late:
        start, end = max(start, end), latest
    _draw(plan, words, start, end, reason)
    return True


def _before_end(plan, words, now, left, recovery):
    """Anywhere in the `left` seconds of validity, at most; only the last hours are hurried. What is not urgent has three
    quarters of them: where it fails there again, the rest is still enough."""
    if recovery > BACK:
        return _within(plan, words, now, 0, left - left // 4, VALID)
    if left > 36 * HOUR:
        return _within(plan, words, now, 0, min(left - 24 * HOUR, 36 * HOUR), VALID)
    if left > 6 * HOUR:
        return _within(plan, words, now, 0, min(left - 5 * HOUR, 2 * HOUR), HURRY)
    _within(plan, words, now, 0, min(left // 2, BACK), HURRY)


def _replan(plan, words, is_address, now, not_before, not_after, recovery, away):
    """A new plan for one that is past. `away`: because the device was off; else it was on, and nothing has to look like anything."""
    left = not_after - now
    # What is left of the law hides best: nobody sees from it that the device was off.
    lifetime = _lifetime(not_before, not_after)
    if left >= SOON and _ordinary(plan, words, is_address, not_before, lifetime, _add(now, SOON), REST):
        return
    if left >= SOON and (recovery <= BACK or not away):
        return _before_end(plan, words, now, left, recovery)
    if recovery <= BACK:
        return _within(plan, words, now, 0, recovery, LAPSED)
    # A thirty-second is kept back, so that the certificate is there within `recovery`, not only asked for.
    _within(plan, words, now, 0, recovery - recovery // 32, LATER)


def _longest(is_address, recovery):
    """The longest wait of what is late, where the caller said none: an address is urgent, a name is not."""
    if recovery is None:
        return BACK if is_address else RECOVERY
    return recovery


def renewal(plan, words, is_address, not_before, not_after, now=0, recovery=None):
    """docs/privacy.md#p2: one draw from the lineage's ordinary law. Where that is already past at `now`, because the certificate was old
    when it came, what is left of the law, or else of the validity. `recovery` as in `missed`."""
    _ordinary(plan, words, is_address, not_before, _lifetime(not_before, not_after), not_before, RENEWAL)
    _not_past(plan, words, is_address, now, not_before, not_after, recovery)


def strict(plan, words, is_address, start, end, not_before, not_after, now=0, recovery=None):
    """docs/privacy.md#p2 `strict_ari`: uniform in the CA's window (RFC 9773 4.2). A window that is inverted, wider than the
    lifetime or outside the certificate's validity is not believed: the ordinary renewal instead."""
    if not not_before < start <= end < not_after:
        return renewal(plan, words, is_address, not_before, not_after, now, recovery)
    _draw(plan, words, start, end, STRICT)
    _not_past(plan, words, is_address, now, not_before, not_after, recovery)


def _not_past(plan, words, is_address, now, not_before, not_after, recovery):
    if plan.planned_at - now < SOON:  # not now + SOON: that may leave 2**30
        if not_after - now > 2 * SOON:
            now += SOON
        _replan(plan, words, is_address, now, not_before, not_after, _longest(is_address, recovery), False)


def is_missed(plan, now):
    """True when the planned second passed so long ago that the device was off: ask `missed` for a new one."""
    return now - plan.planned_at > GRACE


def is_lost(plan, now, not_after):
    """True when a plan was made under a clock that was far ahead: plan anew. No plan lies more than 31 days after
    the certificate's end or now, or 61 days away where there is none yet."""
    furthest = _add(max(not_after, now), 31 * DAY if not_after else 61 * DAY)
    return plan.planned_at != limits.NEVER and plan.planned_at > furthest


def missed(plan, words, is_address, now, not_before, not_after, recovery=None):
    """docs/privacy.md#p3: a plan that passed while the device was off; the plan itself says what it was for. `recovery`: the longest wait of what
    is late, seconds; BACK: of the urgent one; None: BACK for an address, RECOVERY for a name."""
    recovery = _longest(is_address, recovery)
    if plan.reason == EMERGENCY:  # the certificate is about to be revoked, whoever was off
        return _within(plan, words, now, 0, min(recovery, 6 * HOUR), EMERGENCY)
    # A wait that has not ended goes on: a uniform draw, given that it is still to come, is uniform in what is left.
    rest = plan.window_end - now
    if not not_after:
        if rest < 6 * HOUR:
            return _within(plan, words, now, 0, min(recovery, DAY), FIRST)
        return _within(plan, words, now, 0, min(rest, 60 * DAY), FIRST)
    if plan.reason == LATER and recovery > BACK and 6 * HOUR <= rest <= recovery:
        return _within(plan, words, now, 0, rest, LATER)
    _replan(plan, words, is_address, now, not_before, not_after, recovery, True)


def retry(
    plan,
    words,
    now,
    failures,
    failure,
    not_after,
    retry_after=0,
    is_address=True,
    not_before=0,
    recovery=None,
):
    """docs/privacy.md#p4: after an attempt that failed for the reason `failure`, as `failures` (1 and up) did since the last success.

    Backoff of 1, 10, 100, 1000 minutes, then a day, times U[0.5, 1.5]. `retry_after`: the CA's, seconds; below 1
    counts as none, and no more than a day or half of the validity left is believed. Transport errors wait no
    longer than an eighth of the validity left (10 minutes at least), others no longer than a quarter of it (4 hours
    at least; 14 minutes after a failed validation of what is urgent). What is not urgent and twice did not get through, to
    the CA or the CA to us, is planned anew as if it was missed: nothing of it is fetched at the moment the way is free
    again. But the device is on, so it is not left to expire. `recovery` as in `missed`.
    """
    recovery = _longest(is_address, recovery)
    urgent = recovery <= BACK or plan.reason == EMERGENCY
    reason = EMERGENCY if plan.reason == EMERGENCY else RETRY  # what is to be revoked stays that
    left = max(not_after - now, 0)
    steps = failures + (1 if failure == LIMITED else 0)
    retry_after = min(retry_after, limits.RETRY_AFTER)
    unreached = failure == TRANSPORT or failure == VALIDATION
    if unreached and not urgent and not_after and steps > 1:
        _replan(plan, words, is_address, _add(now, SOON), not_before, not_after, recovery, False)
        if retry_after <= plan.planned_at - now:
            return
    wait = MINUTE
    while steps > 1 and wait < DAY:
        wait *= 10
        steps -= 1
    wait = min(wait, DAY)
    most = wait + wait // 2
    if failure == TRANSPORT:
        most = min(most, max(left // 8, SOON)) if not_after else most
    elif left:
        most = min(most, max(left // 4, BACK if urgent and failure == VALIDATION else 4 * HOUR))
    least = min(wait // 2, most // 2)
    # A CA that asks for more than the certificate has left would have it lapse.
    asked = min(retry_after, max(left // 2, HOUR)) if left else retry_after
    if asked > least:
        return _within(
            plan, words, now, asked, max(most, asked + asked // 10), ASKED if reason == RETRY else reason
        )
    _within(plan, words, now, least, most, reason)


def collide(plan, words, now):
    """docs/privacy.md#p5: another order is in flight at the planned second, so this one starts up to half an hour after it; where that is
    past too, up to half an hour from now."""
    start = plan.planned_at if plan.planned_at < limits.NEVER else now
    reason = EMERGENCY if plan.reason == EMERGENCY else COLLISION
    _within(plan, words, start, 0, 30 * MINUTE, reason)
    if plan.planned_at < now:
        _within(plan, words, now, 1, 30 * MINUTE, reason)


def is_emergency(stored_end, fetched_end, not_before, not_after):
    """docs/privacy.md#p2: True when the CA's window now ends earlier, by more than 1 % of the lifetime, than the one stored
    (`stored_end`; 0: none, then half of the validity under ten days and two thirds above). A window that ended
    a day before the certificate began is nonsense, not an emergency."""
    lifetime = _lifetime(not_before, not_after)
    if not stored_end:
        stored_end = _add(not_before, _part(lifetime, 500 if lifetime < 10 * DAY else 667))
    return not_before - DAY <= fetched_end < stored_end - lifetime // 100


def emergency(plan, words, is_address, now):
    """docs/privacy.md#p2: the address at once, the name within six hours."""
    _within(plan, words, now, 0, 0 if is_address else 6 * HOUR, EMERGENCY)


def poll(plan, words, now, retry_after=0):
    """The next ARI poll: 6 to 12 hours from now, or later if the CA asks (RFC 9773 4.3.2), up to a day."""
    least = max(6 * HOUR, min(retry_after, DAY))
    _within(plan, words, now, least, max(12 * HOUR, least + least // 10), POLL)


def held(plan, words, now, last_address_lasted, min_age=DAY):
    """docs/privacy.md#p6: a new address. Within 15 minutes, or after `min_age` seconds where the last one lasted less than 72 h.
    `last_address_lasted`: seconds; limits.NEVER when there was none. The caller drops the plan if it changes again."""
    wait = min_age if last_address_lasted < 72 * HOUR else 0
    _within(plan, words, now, wait, wait + 15 * MINUTE, HELD)


def proof(plan, words, now, not_before):
    """docs/privacy.md#p6: an address that is doubted is proved again within a day, but not before its certificate is two days old: somebody
    who makes us doubt gets no more orders out of us than the ordinary renewals are."""
    _within(plan, words, max(now, _add(not_before, 2 * DAY)), 0, DAY, PROOF)


def revocation(plan, words, now, last):
    """docs/privacy.md#p14: at once, or 2 to 24 hours after the `last` revocation (0: none) where that was less than a day ago."""
    if not last or now - last > DAY:
        return _within(plan, words, now, 0, 0, REVOKE)
    _draw(plan, words, max(now, _add(last, 2 * HOUR)), max(now, _add(last, DAY)), REVOKE)
