"""What the known policy makes of an outage that nobody saw: tables of one lineage's behaviour, read from the policy itself.

Every plan function leaves the interval that it drew from in the plan (`window_start` to `window_end`, uniform), so a few calls
give the whole density of its next moment. Nothing here knows a rule of the policy: another one is tabulated the same way.

Ages count from the CT timestamp of a certificate, in steps of the lineage's grid. An outage begins at age A and ends at age E.
Kinds: 0 power (the device sleeps, and finds the missed plan when it is back), 1 line (every attempt fails as transport), 2
validation (every attempt fails as validation).
"""

import numpy as np
from numba import njit

from ipcert import plan as shipped
from tools.lib.sim import world
from tools.lib.sim.city import words
from tools.lib.sim.world import BACKDATE, DAY, HOUR, YEAR

KINDS = 3
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
    swallowed             [kind][a, e, d]: the plan fell into an outage from age `starts[a]` to age e, and the next
                          certificate came d bins after its end; the sum over d is the probability that it fell in
    ages, late            bins of age, after which nothing changes any more; bins of d
    """

    def __init__(self, policy, is_address, life, step, starts_step, seed=1):
        self.is_address, self.life, self.step = is_address, life, step
        self._policy, self._words = policy, words(seed, 1 << 42)
        self._plan = shipped.Plan()
        self._before, self._after = EPOCH - BACKDATE, EPOCH - BACKDATE + life
        whole = -(-life // step)
        reach = max(self._windows(lambda: self._missed(self._after + HOUR))[:, 1].max() - self._after - HOUR, step)
        self.ages = n = int(whole + 2 + 2 * reach / step)
        self.renewal = self._renewal(n)
        some = np.flatnonzero(self.renewal)
        missed = [self._windows(lambda t=t: self._missed(self._moment(t))) for t in range(n + 1)]
        failed = [[[self._windows(lambda: self._retry(self._moment(t), f, kind)) for t in range(n)] for f in range(STATES)]
                  for kind in (shipped.TRANSPORT, shipped.VALIDATION)]  # fmt: skip
        furthest = max(w[:, 1].max() - self._moment(t) for t, w in enumerate(missed))
        self.late = int(min(furthest, life) / step) + 3
        self.starts = np.arange(some[0], some[-1] + 1, max(1, starts_step // step))
        self.swallowed = np.zeros((KINDS, self.starts.size, n + 1, self.late), np.float32)
        back = np.array([self._row(w, self._moment(t)) for t, w in enumerate(missed)])
        total = np.append(0, np.cumsum(self.renewal))
        for a, start in enumerate(self.starts):
            fell = np.maximum(total - total[start], 0)
            self.swallowed[0, a] = fell[:, None] * back
        for kind in (1, 2):
            rows = np.array([[self._row(w, self._moment(t)) for t, w in enumerate(one)] for one in failed[kind - 1]])
            for a, start in enumerate(self.starts):
                chain(self.renewal, rows, start, self.swallowed[kind, a])

    def _moment(self, t):
        return EPOCH + int((t + 0.5) * self.step)

    def _windows(self, call, times=CALLS):
        """(start, end) of the intervals that `call` drew from."""
        out = np.empty((times, 2))
        for q in range(times):
            call()
            out[q] = self._plan.window_start, self._plan.window_end
        return out

    def _new(self):
        self._plan.clear()
        self._policy.renewal(self._plan, self._words, self.is_address, self._before, self._after, EPOCH)

    def _missed(self, now):
        self._new()
        self._policy.missed(self._plan, self._words, self.is_address, now, self._before, self._after)

    def _retry(self, now, state, failure):
        self._new()
        self._policy.retry(
            self._plan, self._words, now, state + 1, failure, self._after, 0, self.is_address, self._before
        )

    def _renewal(self, n):
        out = np.zeros(n)
        for start, end in self._windows(self._new, RENEWALS):
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


def rates(outages=world.outages, homes=1500, span=YEAR, seed=7):
    """[kind, length bin]: outages per second and per second of length, from `homes` simulated with `outages(rng, span)`."""
    import random

    out = np.zeros((KINDS, LENGTHS.size - 1))
    rng = random.Random(seed)
    for _ in range(homes):
        for start, end, kind in outages(rng, span):
            q = np.searchsorted(LENGTHS, end - start) - 1
            if 0 <= q < LENGTHS.size - 1 and kind < KINDS:
                out[0 if kind == world.POWER_OFF else kind, q] += 1
    # Few are long: a tenth of a count is spread over the neighbours.
    smooth = out.copy()
    smooth[:, 1:] += 0.5 * out[:, :-1]
    smooth[:, :-1] += 0.5 * out[:, 1:]
    smooth[:, 1:-1] /= 2
    smooth[:, [0, -1]] /= 1.5
    return smooth / (homes * float(span)) / np.diff(LENGTHS)


def longer(rate):
    """[kind, length bin]: outages per second that last at least as long as the middle of the bin."""
    each = rate * np.diff(LENGTHS)
    return each[:, ::-1].cumsum(1)[:, ::-1] - each / 2


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
            w = rate[:, q] * (seen * step * step)
            out[e : e + name.late] += (w[:, None] * name.swallowed[:, max(a, 0), e]).sum(0)
    return out
