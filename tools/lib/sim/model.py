"""An attacker who knows the policy and thinks: hidden outages, over the whole history, and one matching for all.

Each gap between two of an address's certificates gives a posterior over the outage in it. Each interval between two of a
name's certificates has a density under those outages. The log of the product over a history is the score of a pair.
"""

import numpy as np
from numba import njit, prange

from ipcert import plan as shipped
from tools.lib.sim import posterior
from tools.lib.sim.posterior import RESET
from tools.lib.sim.world import DAY, HOUR, IP_LIFE

SAMPLES = 24  # outages that stand for the posterior of one gap
FLOOR = 1e-6  # of a density: what no part of the model foresees
IMPOSSIBLE = 2e-3  # probability that a name is renewed in an outage after all: the model is not the world
UNKNOWN = 40 * HOUR  # about how old an address's certificate is when the record begins
LEAST = 0.004  # a gap whose outage is less likely than this is not looked at


@njit(cache=True)
def gaps(city, windows, tables, rates, least, end, out):
    """Fill `out` with each notable gap's posterior; return how many there are.

    The record begins at 0 and stops at `end`, seconds. out: (homes' offsets, gap (start, end), open (1 at the record's
    beginning, 2 at its end), samples, weights, begins, ends, kinds).
    """
    ips, ioff, new = city
    ordinary, soonest = windows
    renewal, swallowed, starts, step = tables
    rate, longer, lengths, births, resets = rates
    goff, span, opened, count, weight, begin, finish, kind = out
    kinds, s_count, ages, late = swallowed.shape
    flat = np.empty(kinds * 160000)
    fa = np.empty(flat.size)
    fe = np.empty(flat.size)
    fk = np.empty(flat.size, np.int8)
    total = 0
    for h in range(ioff.size - 1):
        if ioff[h] == ioff[h + 1]:
            goff[h + 1] = total
            continue
        for j in range(ioff[h], ioff[h + 1] + 1):
            first = j == ioff[h]
            last = j == ioff[h + 1]
            a = -UNKNOWN if first else ips[j - 1]
            b = end if last else ips[j]
            g = b - a
            if not last and new[j]:
                continue
            if not first and not last and g < soonest and resets > 0:
                # Nothing but a new beginning is that early.
                span[total, 0] = a
                span[total, 1] = b
                count[total] = 1
                weight[total, 0] = 1.0
                begin[total, 0] = b - 60.0
                finish[total, 0] = b - 30.0
                kind[total, 0] = RESET
                opened[total] = 0
                total += 1
                continue
            if g <= ordinary:
                continue
            q = int(g / step)
            n = 0
            mass = 0.0
            if first and births > 0:
                mass += births / step
                flat[n] = mass
                fa[n] = -1e9
                fe[n] = b - 30.0
                fk[n] = RESET
                n += 1
            for d in range(1 if last else late):
                e = q - d
                if e <= starts[0]:
                    break
                ee = min(e, ages - 1)
                # It begins anywhere before the plan that it swallowed.
                for t in range(0, min(e, starts[-1] + 1)):
                    s = 0
                    if t > starts[0]:
                        s = min(int((t - starts[0]) / (starts[1] - starts[0])), s_count - 1)
                    z = min(max(np.searchsorted(lengths, (e - t) * step) - 1, 0), lengths.size - 2)
                    for k in range(kinds):
                        if last:
                            w = longer[k, z] * swallowed[k, s, ee].sum()
                        else:
                            w = rate[k, z] * step * swallowed[k, s, ee, d]
                        if w > 0 and n < flat.size:
                            mass += w
                            flat[n] = mass
                            fa[n] = a + (t + 0.5) * step
                            fe[n] = b - (d + 0.5) * step if d > 0 else b - 30.0
                            fk[n] = k
                            n += 1
            mass *= step
            if last:
                plain = renewal[min(q, renewal.size) :].sum()
            elif first:
                plain = renewal[min(int(b / step), renewal.size) :].sum() * step / UNKNOWN
            else:
                plain = renewal[q] if q < renewal.size else 0.0
            if n == 0 or mass <= least * (mass + plain):
                continue
            chance = mass / (mass + plain)
            span[total, 0] = a
            span[total, 1] = b
            opened[total] = 2 if last else 1 if first else 0
            samples = weight.shape[1] if chance > 0.1 else weight.shape[1] // 3
            count[total] = samples
            z = 0
            for i in range(samples):
                at = (i + 0.5) / samples * flat[n - 1]
                while flat[z] < at:
                    z += 1
                weight[total, i] = chance / samples
                begin[total, i] = fa[z]
                finish[total, i] = fe[z]
                kind[total, i] = fk[z]
            total += 1
        goff[h + 1] = total
    return total


@njit(inline="always")
def place(before, A, E, starts, s_step, s_count, ages, step, reset):
    """Where an outage stands in a table: (start, end), or start -1 where it swallows no plan."""
    e = int((E - before) / step + 0.5)
    if e <= starts[0] and not reset:
        return -1, 0
    sa = int((A - before) / step + 0.5)
    z = 0
    if sa > starts[0]:
        z = (sa - starts[0]) // s_step
        if z >= s_count:
            return -1, 0
    return z, min(e, ages - 1)


@njit(parallel=True, nogil=True, cache=True)
def score(names, noff, rows, cols, found, tables, floor, impossible, end, out):
    """out[c, r] = log ratio of name rows[r] under address cols[c]'s outages to a name without any."""
    table, tail, base, left, starts, step, mean = tables
    goff, span, opened, count, weight, begin, finish, kind = found
    kinds, s_count, ages, late = table.shape
    s_step = starts[1] - starts[0]
    reach = starts[-1] + s_step
    for c in prange(cols.size):
        early = np.zeros(late)
        h = cols[c]
        for g in range(goff[h], goff[h + 1]):
            a, b = span[g, 0], span[g, 1]
            samples = count[g]
            reset = 0.0
            for i in range(samples):
                if kind[g, i] == RESET:
                    reset += weight[g, i]
            # What the first certificate after the gap tells where the one before is not in the record: it may be of any age.
            known = a < reach * step and opened[g] != 2
            if known:
                early[:] = 0.0
                for i in range(samples):
                    A, E, of = begin[g, i], finish[g, i], kind[g, i]
                    if A < -1e8:  # a birth
                        for d in range(late):
                            early[d] += weight[g, i] * table[RESET, 0, 0, d] * mean
                        continue
                    for m in range(ages):
                        before = -(m + 0.5) * step
                        if before > A:
                            continue
                        z, e = place(before, A, E, starts, s_step, s_count, ages, step, of == RESET)
                        if z < 0:
                            continue
                        for d in range(late):
                            early[d] += weight[g, i] * table[of, z, e, d]
            for r in range(rows.size):
                lo, hi = noff[rows[r]], noff[rows[r] + 1]
                k = lo + np.searchsorted(names[lo:hi], a)
                inside = k < hi and names[k] < b
                if not inside and reset == 0.0:
                    if k == lo and not (known and k < hi):
                        continue
                    if k > lo and b - names[k - 1] < starts[0] * step:
                        continue
                    if k < hi and names[k] - b > late * step:
                        continue
                dead = 0.0
                gain = 0.0
                if k == lo and not inside:
                    if k == hi or not known:
                        continue
                    d = int((names[k] - b) / step)
                    t = min(int(names[k] / step), left.size - 1)
                    if d < late:
                        gain = early[d] / (left[t] + floor)
                    gain -= reset
                else:
                    for i in range(samples):
                        A, E, of = begin[g, i], finish[g, i], kind[g, i]
                        q = k
                        if A < -1e8:
                            q = lo
                        while q < hi and names[q] <= A:
                            q += 1
                        w = weight[g, i]
                        if q < hi and names[q] < E:
                            dead += w
                            continue
                        if of == RESET:
                            gain -= w
                        if q == lo:
                            if of == RESET and q < hi:  # what came before is not known
                                gain += w
                            continue
                        z, e = place(names[q - 1], A, E, starts, s_step, s_count, ages, step, of == RESET)
                        if z < 0:
                            continue
                        if q == hi:  # it has not come back
                            t = min(int((end - names[q - 1]) / step), left.size - 1)
                            d = int((end - E) / step) if opened[g] != 2 else 0
                            if d < late:
                                gain += w * tail[of, z, e, d] / (left[t] + floor)
                            continue
                        d = int((names[q] - E) / step)
                        if d >= late:
                            continue
                        t = min(int((names[q] - names[q - 1]) / step), base.size - 1)
                        gain += w * table[of, z, e, d] / (base[t] + floor)
                if dead > 0:
                    out[c, r] += np.log(1 - dead + impossible)
                if gain != 0:
                    out[c, r] += np.log(max(1 + gain / (1 - dead + impossible), impossible))


class Attacker:
    """life: of the name's certificates, seconds; policy: the module with plan's functions; world_rates: as
    `posterior.rates` gives them."""

    name = "model"

    def __init__(self, life, policy=shipped, world_rates=None):
        self.life = life
        self.rates = posterior.Rates() if world_rates is None else world_rates
        self.address = posterior.Lineage(policy, True, IP_LIFE, HOUR, 2 * HOUR)
        step = max(HOUR, life // 360 // HOUR * HOUR)
        self.names = posterior.Lineage(policy, False, life, step, 4 * step)
        self.tail = np.ascontiguousarray(self.names.swallowed[..., ::-1].cumsum(-1)[..., ::-1])
        self.base = posterior.unseen(self.names, self.address, self.rates.lengths)
        self.base /= self.base.sum()
        self.left = np.maximum(1 - np.append(0, self.base.cumsum()), 0)  # no certificate yet at this age
        self.temperature = 1.0

    def outages(self, city):
        """The posterior of each notable gap of the city's addresses."""
        some = np.flatnonzero(self.address.renewal > self.address.renewal.max() / 2)
        ordinary = (some[-1] + 1) * self.address.step
        rates = self.rates
        most = int((np.diff(city.ips) > ordinary).sum() + (np.diff(city.ips) < some[0] * HOUR).sum()) + 2 * city.ioff.size
        out = (
            np.zeros(city.ioff.size, np.int64), np.zeros((most, 2)), np.zeros(most, np.int8), np.zeros(most, np.int64),
            np.zeros((most, SAMPLES)), np.zeros((most, SAMPLES)), np.zeros((most, SAMPLES)),
            np.zeros((most, SAMPLES), np.int8),
        )  # fmt: skip
        one = self.address
        n = gaps(
            (city.ips, city.ioff, city.new), (float(ordinary), float((some[0] - 1) * one.step)),
            (one.renewal, one.swallowed, one.starts, float(one.step)),
            (rates.lengths, posterior.longer(rates), posterior.LENGTHS, rates.births, rates.resets), LEAST, ends(city), out,
        )  # fmt: skip
        return (out[0],) + tuple(x[:n] for x in out[1:])

    def scores(self, city, rows, cols):
        """float32[rows, cols]: names by addresses."""
        found = self.outages(city)
        out = np.zeros((cols.size, rows.size), np.float32)
        one = self.names
        mean = float(self.left.sum())
        score(
            city.names, city.noff, rows, cols, found,
            (one.swallowed, self.tail, self.base, self.left, one.starts, float(one.step), mean),
            FLOOR, IMPOSSIBLE, ends(city), out,
        )  # fmt: skip
        return out.T


def ends(city):
    """The second at which the record stops: whole days."""
    return float(-(-max(city.names.max(), city.ips.max()) // DAY) * DAY)
