"""What the known policy makes of an outage that nobody saw: tables of one lineage's behaviour, read from the policy itself.

Every plan function leaves the interval that it drew from in the plan (`window_start` to `window_end`, uniform), so a few calls
give the whole density of its next moment. Nothing here knows a rule of the policy: another one is tabulated the same way.

Ages count from the CT timestamp of a certificate, in steps of the lineage's grid. An outage begins at age A and ends at age E.
Kinds: POWER, the device sleeps, and finds the missed plan when it is back; LINE, every attempt fails as transport; LOST, every
attempt fails as validation; RESET, the device is gone from A to E and begins again then; ALONE, validation is lost for the
address and not for the name.
"""

import numpy as np
from numba import njit

from ipcert import plan as shipped
from tools.lib.sim import world
from tools.lib.sim.city import words
from tools.lib.sim.home import RECOVERY
from tools.lib.sim.world import BACKDATE, DAY, HOUR, YEAR

KINDS = 5
POWER, LINE, LOST, RESET, ALONE = range(KINDS)
STATES = 6  # failures in a row that are told apart
CALLS = 24  # of a plan function at one age
RENEWALS = 3000  # of `renewal`, whose rare branch must be met often
EPOCH = 400000000  # the tabulated certificate's CT timestamp: far from both ends of core time


def _spread(row, start, end, weight, step):
    """Add `weight`, uniform over [start, end] seconds, to the bins of `row`; what lies behind the last bin goes there."""
    last = len(row) - 1
    if end - start < 1:
        row[min(max(int(start // step), 0), last)] += weight
        return
    first, final = int(start // step), int(end // step)
    if final > last:
        final = last
        first = min(first, last)
    for q in range(first, final + 1):
        low, high = max(start, q * step), end if q == final else min(end, (q + 1) * step)
        row[max(q, 0)] += weight * max(high - low, 0) / (end - start)


class Lineage:
    """The densities of one lineage, each value the probability of one bin of `step` seconds.

    renewal[t]            the plan that follows a certificate
    first                 the first certificate after the device began, from then on
    swallowed             [kind][a, e, d]: the plan fell into an outage from age `starts[a]` to age e, and the next
                          certificate came d bins after its end; the sum over d is the probability that it fell in. For RESET
                          the probability that the plan does not come before the outage, and the first one after it
    ages, late            bins of age, after which nothing changes any more; bins of d
    """

    def __init__(self, policy, is_address, life, step, starts_step, recovery=RECOVERY, seed=1):
        self.is_address, self.life, self.step = is_address, life, step
        self._policy, self._words, self._recovery = policy, words(seed, 1 << 42), recovery
        self._plan = shipped.Plan()
        self._before, self._after = EPOCH - BACKDATE, EPOCH - BACKDATE + life
        whole = -(-life // step)
        reach = max((self._windows(self._missed, self._after + HOUR)[:, 1] - self._after - HOUR).max(), step)
        self.ages = n = int(whole + 2 + 2 * reach / step)
        self.renewal = self._renewal(n)
        some = np.flatnonzero(self.renewal)
        missed = [self._windows(self._missed, self._moment(t)) for t in range(n + 1)]
        failed = {
            kind: [
                [self._windows(self._retry, self._moment(t), f, failure) for t in range(n)]
                for f in range(STATES)
            ]
            for kind, failure in ((LINE, shipped.TRANSPORT), (LOST, shipped.VALIDATION))
        }
        firsts = self._windows(self._first)
        furthest = max(w[:, 1].max() - self._moment(t) for t, w in enumerate(missed))
        self.late = int(min(max(furthest, firsts[:, 1].max() - EPOCH), 2 * life) / step) + 3
        self.first = self._row(firsts, EPOCH)
        self.starts = np.arange(some[0], some[-1] + 1, max(1, starts_step // step))
        self.swallowed = np.zeros((KINDS, self.starts.size, n + 1, self.late), np.float32)
        back = np.array([self._row(w, self._moment(t)) for t, w in enumerate(missed)])
        total = np.append(0, np.cumsum(self.renewal))
        for a, start in enumerate(self.starts):
            fell = np.maximum(total - total[start], 0)
            self.swallowed[0, a] = fell[:, None] * back
        for kind in (LINE, LOST):
            rows = np.array(
                [[self._row(w, self._moment(t)) for t, w in enumerate(one)] for one in failed[kind]]
            )
            for a, start in enumerate(self.starts):
                chain(self.renewal, rows, start, self.swallowed[kind, a])
        self.swallowed[ALONE] = self.swallowed[LOST] if is_address else 0
        self.swallowed[RESET] = (1 - total[self.starts])[:, None, None] * self.first

    def _moment(self, t):
        return EPOCH + int((t + 0.5) * self.step)

    def _windows(self, call, *arguments, times=CALLS):
        """(start, end) of the intervals that `call` drew from."""
        out = np.empty((times, 2))
        for q in range(times):
            call(*arguments)
            out[q] = self._plan.window_start, self._plan.window_end
        return out

    def _new(self):
        self._plan.clear()
        certificate = self.is_address, self._before, self._after
        self._policy.renewal(self._plan, self._words, *certificate, EPOCH, self._recovery)

    def _missed(self, now):
        self._new()
        certificate = self._before, self._after
        self._policy.missed(self._plan, self._words, self.is_address, now, *certificate, self._recovery)

    def _first(self):
        self._plan.clear()
        self._policy.first(self._plan, self._words, EPOCH, self.is_address)

    def _retry(self, now, state, failure):
        self._new()
        self._policy.retry(
            self._plan, self._words, now, state + 1, failure, self._after, 0, self.is_address, self._before, self._recovery
        )  # fmt: skip

    def _renewal(self, n):
        out = np.zeros(n)
        for start, end in self._windows(self._new, times=RENEWALS):
            _spread(out, start - EPOCH, end - EPOCH, 1 / RENEWALS, self.step)
        return out

    def _row(self, windows, now):
        out = np.zeros(self.late)
        for (start, end), count in zip(*np.unique(windows, axis=0, return_counts=True)):
            _spread(out, start - now, end - now, count / len(windows), self.step)
        return out


@njit(cache=True)
def chain(renewal, rows, start, out):
    """Attempt after attempt fails from bin `start` on; fill out[e, d] as `Lineage.swallowed` has it.

    rows[f, t, d]: after failure f + 1 at bin t, the next attempt is d bins later.
    """
    states, n, late = rows.shape
    v = np.zeros((n + late + 2, states))
    total = np.zeros(n + late + 2)
    for t in range(n):
        if t >= start:
            v[t, 0] += renewal[t]
            for f in range(states):
                mass = v[t, f]
                if mass <= 1e-12:
                    continue
                g = min(f + 1, states - 1)
                # An attempt stands in the middle of its bin: half of what comes d bins later is in the next one.
                stay = 0.5 * rows[f, t, 0]
                if g == f:
                    mass /= max(1.0 - stay, 0.02)
                else:
                    v[t, g] += mass * stay
                for d in range(late):
                    half = 0.5 * mass * rows[f, t, d]
                    if d > 0:
                        v[t + d, g] += half
                        total[t + d] += half
                    v[t + d + 1, g] += half
                    total[t + d + 1] += half
        for d in range(late):
            out[t + 1, d] = total[t + 1 + d]


LENGTHS = np.geomspace(HOUR, 200 * DAY, 33)
OFTEN = 15  # outages of six hours and more in a year: such a home has habits, which are read otherwise


class Rates:
    """What the world does, from `homes` that were simulated for it, of `life`: other ones than those that are attacked.

    lengths   [kind, length bin], outages per second and per second of length, in homes without habits
    births, deaths   per second
    resets    per second, those before which the device was not off
    """

    def __init__(self, kind="kind", homes=1500, seed=7, life=None):
        count = np.zeros((KINDS, LENGTHS.size - 1))
        seconds = 0.0
        self.births = self.deaths = self.resets = 0.0
        if hasattr(world, "WORLDS"):
            regions = world.regional_outages(seed, 365) if kind != "kind" else None
            homes = [
                world.World(seed, h, 365, False, [], kind=kind, life=life, regions=regions)
                for h in range(homes)
            ]
        else:
            homes = [world.World(seed, h, 365, False, []) for h in range(homes)]
        lived = born = died = 0
        for home in homes:
            begin = getattr(home, "enrolled", home.begin)
            died += bool(getattr(home, "died", 0))
            born += begin > home.begin
            lived += home.end - max(begin, world.START)
            span = home.end - home.begin
            if sum(b - a > 6 * HOUR for a, b, _ in home.outages) > OFTEN * span / YEAR:
                continue
            seconds += span
            again = set(getattr(home, "resets", ()))
            for start, end, of in home.outages:
                self._count(count, RESET if again & {end, end - world.BOOT} else of, end - start)
            for start, end, who in getattr(home, "lost", ()):
                if who & 1:
                    self._count(count, LOST if who == 3 else ALONE, end - start)
            self.resets += len(again)
        # Few are long: half of a count is spread over the neighbours.
        smooth = count.copy()
        smooth[:, 1:] += 0.5 * count[:, :-1]
        smooth[:, :-1] += 0.5 * count[:, 1:]
        smooth[:, 1:-1] /= 2
        smooth[:, [0, -1]] /= 1.5
        self.lengths = smooth / seconds / np.diff(LENGTHS)
        self.resets /= seconds
        self.births = born / max(lived, 1)
        self.deaths = died / max(lived, 1)

    def _count(self, count, kind, length):
        q = np.searchsorted(LENGTHS, length) - 1
        if 0 <= q < LENGTHS.size - 1:
            count[kind, q] += 1


def longer(rates):
    """[kind, length bin]: outages per second that last at least as long as the middle of the bin. Death is one without end."""
    each = rates.lengths * np.diff(LENGTHS)
    out = each[:, ::-1].cumsum(1)[:, ::-1] - each / 2
    out[POWER] += rates.deaths
    return out


def quiet(lineage):
    """[bins]: the probability that an outage of so many bins falls between a lineage's plans and is not seen."""
    left = 1 - np.cumsum(lineage.renewal)
    mean = left.sum()
    return np.maximum(left[::-1].cumsum()[::-1] / mean, 0)


def unseen(name, address, rate):
    """[bins of the name's ages]: the density of its next certificate where the address shows no outage at all."""
    n = name.ages
    out = np.zeros(n + name.late + 1)
    out[:n] = name.renewal
    hidden = quiet(address)
    step = name.step
    lengths = np.arange(1, int(address.ages * address.step / step))
    for start in range(n):
        a = np.searchsorted(name.starts, start, "right") - 1
        for length in lengths:
            e = min(start + length, n)
            if e <= name.starts[0] or a >= name.starts.size:
                continue
            seen = hidden[min(int(length * step / address.step), hidden.size - 1)]
            if seen < 1e-4:
                break
            q = min(max(np.searchsorted(LENGTHS, length * step) - 1, 0), LENGTHS.size - 2)
            if length * step < LENGTHS[0]:
                continue
            w = rate[:RESET, q] * (seen * step * step)
            out[e : e + name.late] += (w[:, None] * name.swallowed[:RESET, max(a, 0), e]).sum(0)
    return out
