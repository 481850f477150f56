"""When a lineage acts next: PRIVACY.md's P1 to P6 and P14 as pure functions of (lineage, now, random words).

Each fills a plan `p`, a `Plan` or anything with its four attributes, from a fresh draw and never from another
lineage's plan. Times and durations are whole core seconds, 0 <= t < 2**30; nothing here allocates, uses a
float, or reads a clock. No plan lies before `now` or after `LAST`. `ip` is True for the address's lineage and
False for the name's. A certificate is given by its `not_before` and `not_after`; `not_after` 0: none yet.
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

# P2, in thousandths of the lifetime. A few draws come from a later part of it: a renewal that an outage delayed
# looks like one of these, so it tells nobody that there was an outage.
IP_LO, IP_HI, IP_FAR = 300, 510, 650
NAME_LO, NAME_HI, NAME_FAR = 450, 677, 840
IP_LATE = 50  # of 1000 draws
NAME_LATE = 50

TRANSPORT, REFUSED, VALIDATION, LIMITED = range(4)  # what went wrong, for `retry`

(
    NONE, URGENT, FIRST, RENEWAL, STRICT, REST, VALID, HURRY, LAPSED, RETRY, ASKED, COLLISION, EMERGENCY, POLL, HELD,
    REVOKE,
) = range(16)  # fmt: skip

_REASONS = (
    "Nothing is planned.",
    "You asked for this one first, so it goes at once.",
    "The first certificate waits a random time, so that it cannot be matched with the one that went at once.",
    "The ordinary renewal, at a random second of the renewal window.",
    "The renewal, at a random second of the window that the CA suggests.",
    "The planned time passed while we were off or off line: a new random second of what is left of the window.",
    "The planned time passed while we were off or off line: a random second while the certificate is still valid.",
    "The certificate expires soon, so it is renewed before that.",
    "The certificate expired, so a new one is fetched soon, but not at the moment we came back.",
    "The last attempt failed; this is the next one.",
    "The CA asked us to wait this long.",
    "Another order was under way at the planned second, so this one starts a random while later.",
    "The CA wants the certificate replaced early.",
    "We ask the CA whether the renewal window has moved.",
    "The address is new, so we wait to see whether it lasts.",
    "Revocations are kept apart, so that no list shows two at one moment.",
)


class Plan:
    """planned_at: the second to act, drawn from window_start..window_end (both included); reason: a code for `reason_text`."""

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
        self._buf = bytearray(size)
        self._at = size

    def word(self):
        """A fresh 0..65535."""
        b = self._buf
        i = self._at
        if i >= len(b):
            self._fill(b)
            i = 0
        self._at = i + 2
        w = b[i] << 8 | b[i + 1]
        b[i] = b[i + 1] = 0
        return w


def below(rng, n):
    """A uniform int in [0, n), 1 <= n < 2**30. Raises LocalError("entropy") from a source that is stuck."""
    top = 65535 if n <= 65536 else limits.NEVER
    for _ in range(128):  # each try fails less than half of the time
        x = rng.word()
        if top > 65535:
            x = (x & 0x3FFF) << 16 | rng.word()
        r = x % n
        if x - r <= top - (n - 1):
            return r
    raise LocalError("entropy", "The random source repeats itself: nothing can be planned with it.")


def _add(t, d):
    return t + d if d < LAST - t else LAST


def _draw(p, rng, lo, hi, why):
    p.window_end = hi = min(hi, LAST)
    p.window_start = lo = min(lo, hi)
    p.planned_at = lo + below(rng, hi - lo + 1)
    p.reason = why


def _within(p, rng, now, lo, hi, why):
    _draw(p, rng, _add(now, lo), _add(now, hi), why)


def _life(not_before, not_after):
    return min(max(not_after - not_before, limits.LIFETIME_MIN), limits.LIFETIME_MAX)


def _part(life, k):
    return life // 1000 * k + life % 1000 * k // 1000  # life * k would leave 2**30


def first(p, rng, now, urgent, window=14 * DAY):
    """P1: at once when urgent, else uniform over `window` seconds from now (14 days; 24 h when both are urgent)."""
    _within(p, rng, now, 0, 0 if urgent else window, URGENT if urgent else FIRST)


def renewal(p, rng, ip, not_before, not_after, now=0, recovery=3 * DAY):
    """P2: one draw from the lineage's window; where that is already past at `now`, as `missed`."""
    life = _life(not_before, not_after)
    lo = IP_LO if ip else NAME_LO
    hi = IP_HI if ip else NAME_HI
    if below(rng, 1000) < (IP_LATE if ip else NAME_LATE):
        lo = hi
        hi = IP_FAR if ip else NAME_FAR
    _draw(p, rng, _add(not_before, _part(life, lo)), _add(not_before, _part(life, hi)), RENEWAL)
    if p.planned_at - now < SOON:  # not now + SOON: that may leave 2**30
        missed(p, rng, ip, now, not_before, not_after, recovery)


def strict(p, rng, ip, start, end, not_before, not_after, now=0, recovery=3 * DAY):
    """P2 `strict_ari`: uniform in the CA's window (RFC 9773 4.2). A window that is inverted, wider than the
    lifetime or outside the certificate's validity is not believed: the ordinary renewal instead."""
    if not not_before < start <= end < not_after:
        return renewal(p, rng, ip, not_before, not_after, now, recovery)
    _draw(p, rng, start, end, STRICT)
    if p.planned_at - now < SOON:  # not now + SOON: that may leave 2**30
        missed(p, rng, ip, now, not_before, not_after, recovery)


def is_missed(p, now):
    """True when the planned second passed so long ago that the device was off: ask `missed` for a new one."""
    return now - p.planned_at > GRACE


def is_lost(p, now, not_after):
    """True when a plan was made under a clock that was far ahead: plan anew. No plan lies more than eight days after
    the certificate's end or now, or 61 days away where there is none yet."""
    return p.planned_at != limits.NEVER and p.planned_at > _add(max(not_after, now), 8 * DAY if not_after else 61 * DAY)


def missed(p, rng, ip, now, not_before, not_after, recovery=3 * DAY):
    """P3: a plan that passed while the device was off. `recovery`: the longest wait of a lapsed name, seconds."""
    if not not_after:  # the first one: the rest of its own wait
        rest = p.window_end - now
        if rest < 6 * HOUR:
            return _within(p, rng, now, 0, BACK if ip else DAY, FIRST)
        return _within(p, rng, now, 0, min(rest, 60 * DAY), FIRST)
    left = not_after - now
    if left < SOON:  # too late for a plan that helps
        # A thirty-second is kept back, so that the certificate is there within `recovery`, not only asked for.
        return _within(p, rng, now, 0, BACK if ip else recovery - recovery // 32, LAPSED)
    life = _life(not_before, not_after)
    rest = _add(not_before, _part(life, IP_HI if ip else NAME_HI)) - now
    if rest > (6 * HOUR if ip else 2 * DAY) and rest < left:
        return _within(p, rng, now, 0, rest, REST)
    if ip:
        if left > 36 * HOUR:
            return _within(p, rng, now, 0, min(left - 24 * HOUR, 36 * HOUR), VALID)
        if left > 6 * HOUR:
            return _within(p, rng, now, 0, min(left - 5 * HOUR, 2 * HOUR), HURRY)
        return _within(p, rng, now, 0, min(left // 2, BACK), HURRY)
    if left > 60 * HOUR:
        return _within(p, rng, now, 0, min(left - 2 * DAY, 14 * DAY), VALID)
    _within(p, rng, now, 0, left * 3 // 4, HURRY)


def retry(p, rng, now, failures, kind, not_after, retry_after=0, ip=True, not_before=0, recovery=3 * DAY):
    """P4: after `failures` (1 and up) attempts in a row that failed, the last for the reason `kind`.

    Backoff of 1, 10, 100, 1000 minutes, then a day, times U[0.5, 1.5]. `retry_after`: the CA's, seconds; below 1
    counts as none, and no more than a day or half of the validity left is believed. Transport errors wait no
    longer than an eighth of the validity left (10 minutes at least), others no longer than a quarter of it (4 hours
    at least; 14 minutes after a failed validation of an address). A name that cannot get through twice is treated
    as one whose device was off, because it was: nothing is fetched at the moment the line comes back.
    """
    left = max(not_after - now, 0)
    step = failures + (1 if kind == LIMITED else 0)
    if kind == TRANSPORT and not ip and not_after and step > 1:
        missed(p, rng, ip, _add(now, SOON), not_before, not_after, recovery)
        if retry_after <= p.planned_at - now:
            return
    wait = MINUTE
    while step > 1 and wait < DAY:
        wait *= 10
        step -= 1
    wait = min(wait, DAY)
    hi = wait + wait // 2
    if kind == TRANSPORT:
        hi = min(hi, max(left // 8, SOON)) if not_after else hi
    elif left:
        hi = min(hi, max(left // 4, BACK if ip and kind == VALIDATION else 4 * HOUR))
    lo = min(wait // 2, hi // 2)
    asked = min(retry_after, limits.RETRY_AFTER)
    if left:
        asked = min(asked, max(left // 2, HOUR))
    if asked > lo:
        return _within(p, rng, now, asked, max(hi, asked + asked // 10), ASKED)
    _within(p, rng, now, lo, hi, RETRY)


def collide(p, rng, now):
    """P5: another order is in flight at p.at, so this one starts up to half an hour after its own planned second;
    where that is past too, up to half an hour from now."""
    lo = p.planned_at if p.planned_at < limits.NEVER else now
    _within(p, rng, lo, 0, 30 * MINUTE, COLLISION)
    if p.planned_at < now:
        _within(p, rng, now, 1, 30 * MINUTE, COLLISION)


def is_emergency(stored_end, fetched_end, not_before, not_after):
    """P2: True when the CA's window now ends earlier, by more than 1 % of the lifetime, than the one stored
    (`stored_end`; 0: none, then half of the validity under ten days and two thirds above). A window that ended
    a day before the certificate began is nonsense, not an emergency."""
    life = _life(not_before, not_after)
    if not stored_end:
        stored_end = _add(not_before, _part(life, 500 if life < 10 * DAY else 667))
    return not_before - DAY <= fetched_end < stored_end - life // 100


def emergency(p, rng, ip, now):
    """P2: the address at once, the name within six hours."""
    _within(p, rng, now, 0, 0 if ip else 6 * HOUR, EMERGENCY)


def poll(p, rng, now, retry_after=0):
    """The next ARI poll: 6 to 12 hours from now, or later if the CA asks (RFC 9773 4.3.2), up to a day."""
    lo = max(6 * HOUR, min(retry_after, DAY))
    _within(p, rng, now, lo, max(12 * HOUR, lo + lo // 10), POLL)


def held(p, rng, now, last_address_lasted, min_age=DAY):
    """P6: a new address. Within 15 minutes, or after `min_age` seconds where the last one lasted less than 72 h.
    `last_address_lasted`: seconds; limits.NEVER when there was none. The caller drops the plan if it changes again."""
    wait = min_age if last_address_lasted < 72 * HOUR else 0
    _within(p, rng, now, wait, wait + 15 * MINUTE, HELD)


def revocation(p, rng, now, last):
    """P14: at once, or 2 to 24 hours after the `last` revocation (0: none) where that was less than a day ago."""
    if not last or now - last > DAY:
        return _within(p, rng, now, 0, 0, REVOKE)
    _draw(p, rng, max(now, _add(last, 2 * HOUR)), max(now, _add(last, DAY)), REVOKE)


def reason_text(code):
    """One plain sentence for a plan's `why`."""
    return _REASONS[code]


def settings():
    """The owner's options: (name, default, one line), for `ipcert plan --explain`."""
    return (
        ("urgent", "ip", "Which certificate is fetched at once when you start: ip, domain or both."),
        (
            "first_delay",
            "14 days",
            "The other one waits a random time up to this, so that the two cannot be matched.",
        ),
        (
            "recovery",
            "balanced",
            "How soon an expired name certificate is back: fast 1 h, balanced 3 days, private 7 days.",
        ),
        (
            "strict_ari",
            "no",
            "Renew inside the window that the CA suggests. It hides less: the window is narrow.",
        ),
        (
            "min_ip_age",
            "24 h",
            "A new address must last this long first, where the last one lasted less than 72 h.",
        ),
    )
