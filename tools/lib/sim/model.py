"""An attacker who knows the policy and thinks: hidden outages, over the whole history, and one matching for all.

Each gap between two of an address's certificates gives a posterior over the outage in it. Each interval between two of a
name's certificates has a density under those outages. The log of the product over a history is the score of a pair.
"""

import numpy as np
from numba import njit, prange

from ipcert import plan as shipped
from tools.lib.sim import matching, posterior, stats
from tools.lib.sim.attack import CERTAIN
from tools.lib.sim.habits import Habits
from tools.lib.sim.posterior import RESET
from tools.lib.sim.world import DAY, HOUR, NEVER, START, Lifetimes

SAMPLES = 24  # outages that stand for the posterior of one gap
FLOOR = 1e-8  # of a density: what no part of the model foresees
IMPOSSIBLE = 2e-3  # probability that a name is renewed in an outage after all: the model is not the world
UNKNOWN = 40 * HOUR  # about how old an address's certificate is when the record begins
TEMPERATURES = (0.5, 0.65, 0.8, 0.9, 1.0, 1.15, 1.3)
LEAST = 0.06  # a gap whose outage is less likely than this is not looked at: four in five, and they say next to nothing


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
def score(names, noff, rows, cols, found, tables, issued, floor, impossible, end, out):
    """out[c, r] += log ratio of name rows[r] under address cols[c]'s outages to a name without any.

    issued: (since, until), of the certificates of names that `tables` hold for; the first such call, since 0, also counts
    what contradicts an outage.
    """
    since, until = issued
    table, tail, base, left, starts, step, mean = tables
    goff, span, opened, count, weight, begin, finish, kind = found
    kinds, s_count, ages, late = table.shape
    s_step = starts[1] - starts[0]
    reach = starts[-1] + s_step
    for c in prange(cols.size):
        early = np.zeros(late)
        gained = np.zeros(rows.size)
        during = np.full(rows.size, -1)
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
                where = lo
                if k == lo and not inside:
                    if k == hi or not known or since > 0:
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
                        if q == lo or names[q - 1] < since or names[q - 1] >= until:
                            continue
                        if of == RESET:
                            gain -= w
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
                        f = w * table[of, z, e, d] / (base[t] + floor)
                        if f > 0:
                            gain += f
                            where = q
                if dead > 0 and since == 0:
                    out[c, r] += np.log(1 - dead + impossible)
                if gain != 0:
                    gain /= 1 - dead + impossible
                    # One outage swallows a plan, not two: what several gaps say of one certificate is added up.
                    if reset > 0 or during[r] != where:
                        out[c, r] += np.log(max(1 + gained[r], impossible))
                        gained[r] = 0.0
                        during[r] = where
                    gained[r] += gain
        for r in range(rows.size):
            out[c, r] += np.log(max(1 + gained[r], impossible))


class Names:
    """The tables of names' certificates of one lifetime, seconds, that are issued from `since` to `until`, record seconds."""

    def __init__(self, policy, life, address, rates, recovery, since, until):
        step = max(HOUR, life // 360 // HOUR * HOUR)
        self.lineage = posterior.Lineage(policy, False, life, step, 4 * step, recovery)
        swallowed = self.lineage.swallowed
        tail = np.ascontiguousarray(swallowed[..., ::-1].cumsum(-1)[..., ::-1])
        base = posterior.unseen(self.lineage, address, rates.lengths)
        base /= base.sum()
        left = np.maximum(1 - np.append(0, base.cumsum()), 0)  # no certificate yet at this age
        self.tables = swallowed, tail, base, left, self.lineage.starts, float(step), float(left.sum())
        self.issued = float(since), float(until)


class Attacker:
    """Who thinks. life: of the name's certificates, seconds or `world.Lifetimes`; policy: has plan's functions; world_rates: a
    `posterior.Rates` of the world, today's kind one by default; recovery: P3's option,
    seconds, the policy's own by default."""

    name = "model"
    whole = True  # `match` must see all names of a crowd

    def __init__(self, life, policy=shipped, world_rates=None, recovery=None):
        life = life if isinstance(life, Lifetimes) else Lifetimes(life)
        self.rates = world_rates or posterior.Rates(life=life)
        recovery = policy.RECOVERY if recovery is None else recovery
        self.address = posterior.Lineage(policy, True, life.address, HOUR, 2 * HOUR, shipped.BACK)
        change = life.change - START if life.change < NEVER else 1e18
        self.names = [Names(policy, life.name, self.address, self.rates, recovery, 0, change)]
        if change < 1e18:
            self.names.append(Names(policy, life.later, self.address, self.rates, recovery, change, 1e18))
        self.habits = None
        self.temperature = 1.0
        self._read = None  # (city, its outages): crowd after crowd of one city is scored

    def train(self, city, homes=None, seed=1, size=1500):
        """Learn the hours of silence and the temperature of the matching from other homes than will be attacked. Returns self."""
        rng = np.random.default_rng(seed)
        homes = rng.permutation(np.arange(city.n) if homes is None else homes)
        self.habits = Habits(city, homes, rng)
        crowd = homes[:size]
        s = self.scores(city, crowd, crowd)
        said = []
        for t in TEMPERATURES:
            self.temperature = t
            p = np.diagonal(self.match(s)).astype(np.float64)
            said.append(np.log(p + 1e-3 / size).mean())
        self.temperature = TEMPERATURES[int(np.argmax(said))]
        return self

    def outages(self, city):
        """The posterior of each notable gap of the city's addresses, as `gaps` fills it; worked out once."""
        if self._read is None or self._read[0] is not city:
            self._read = city, self._outages(city)
        return self._read[1]

    def _outages(self, city):
        one, rates = self.address, self.rates
        some = np.flatnonzero(one.renewal > one.renewal.max() / 2)
        ordinary, soonest = float((some[-1] + 1) * one.step), float((some[0] - 1) * one.step)
        between = np.diff(city.ips)
        most = int((between > ordinary).sum() + (between < soonest).sum()) + 2 * city.ioff.size
        out = (
            np.zeros(city.ioff.size, np.int64), np.zeros((most, 2)), np.zeros(most, np.int8), np.zeros(most, np.int64),
            np.zeros((most, SAMPLES)), np.zeros((most, SAMPLES)), np.zeros((most, SAMPLES)),
            np.zeros((most, SAMPLES), np.int8),
        )  # fmt: skip
        n = gaps(
            (city.ips, city.ioff, city.new), (ordinary, soonest),
            (one.renewal, one.swallowed, one.starts, float(one.step)),
            (rates.lengths, posterior.longer(rates), posterior.LENGTHS, rates.births, rates.resets), LEAST, ends(city), out,
        )  # fmt: skip
        return (out[0],) + tuple(x[:n] for x in out[1:])

    def scores(self, city, rows, cols, found=None):
        """float32[rows, cols]: log likelihood ratios of names rows[r] beside addresses cols[c], up to a number for each name.
        found: `outages(city)`, where it is known already."""
        found = found or self.outages(city)
        out = np.zeros((cols.size, rows.size), np.float32)
        for one in self.names:
            score(
                city.names,
                city.noff,
                rows,
                cols,
                found,
                one.tables,
                one.issued,
                FLOOR,
                IMPOSSIBLE,
                ends(city),
                out,
            )
        if self.habits:
            self.habits.add(city, rows, cols, out)
        return out.T

    def match(self, scores):
        """The posterior float32[names, addresses] of one matching for all: rows and columns add up to one."""
        return matching.sinkhorn(scores, self.temperature)

    def sparse(self, city, rows, cols, keep=300, block=1000):
        """`match` for more homes than a whole matrix has room for: (addresses int32[names, keep], posterior float32 of the same).
        The `keep` likeliest addresses of each name are matched; of the others only the sums are kept."""
        found = self.outages(city)

        def scored(start, end):
            return self.scores(city, rows, cols[start:end], found)

        return matching.sparse(scored, rows.size, cols.size, keep, block, self.temperature)

    def report(self, city, homes, size, match=None):
        """Attack crowds of `size` out of `homes`: a dict with

        top1, bound       share whose likeliest address is the right one, and its one-sided 95 % bound
        top10             share whose right address is among the ten likeliest
        classes           {class: (share, bound, homes)}
        certain           share of names with a posterior of `CERTAIN` and more; certain_right: how many of those are right
        shuffled          (share, bound) of names beside other homes' addresses, which is guessing
        """
        found = self.outages(city)
        hits, top10, sure, tried, wrong = [], [], [], [], []
        groups = [homes[q : q + size] for q in range(0, homes.size - size + 1, size)]
        for q, group in enumerate(groups):
            p = self.match(self.scores(city, group, group, found))
            hit, ten, certain = judge(p)
            hits.append(hit)
            top10.append(ten)
            sure.append(certain)
            tried.append(group)
            if q == 0:
                # Half of the crowd's names beside the other half's addresses.
                half = size // 2
                s = self.scores(city, group[:half], group[half : 2 * half], found)
                wrong.append(judge(self.match(s))[0])
        hits, top10, sure, tried, wrong = (np.concatenate(x) for x in (hits, top10, sure, tried, wrong))
        return {
            "top1": float(hits.mean()), "bound": stats.share_above(hits.sum(), hits.size), "top10": float(top10.mean()),
            "classes": {
                name: (float(hits[k].mean()), stats.share_above(hits[k].sum(), k.sum()), int(k.sum()))
                for name, k in classes(city, tried).items() if k.any()
            },
            "certain": float(sure.mean()), "certain_right": float(hits[sure].mean()) if sure.any() else None,
            "shuffled": (float(wrong.mean()), stats.share_above(wrong.sum(), wrong.size)), "homes": int(hits.size),
        }  # fmt: skip


def judge(p):
    """Of a posterior whose diagonal is right: (chance of a right first guess, of one in ten, certain?) of each row; ties are
    shared."""
    true = np.diagonal(p)[:, None]
    above = (p > true).sum(1)
    ties = (p == true).sum(1)
    return np.where(above == 0, 1.0 / ties, 0.0), np.clip((10.0 - above) / ties, 0, 1), p.max(1) >= CERTAIN


def classes(city, homes):
    """{class: mask of homes}, by what happened to them."""
    longest = city.longest[homes]
    out = {"off at most 1 d": longest <= DAY}
    for a, b in ((1, 7), (7, 14), (14, 28), (28, 1 << 20)):
        out[f"off {a}-{b} d" if b < 1 << 20 else f"off over {a} d"] = (longest > a * DAY) & (
            longest <= b * DAY
        )
    out["name lapsed"] = np.isin(homes, city.lapses[city.lapses[:, 1] == 0, 0])
    if hasattr(city, "resets"):
        out["reset"] = city.resets[homes] > 0
        out["died"] = city.died[homes] > 0
        out["begun"] = city.enrolled[homes] > START
        out["validation lost over 14 d"] = city.lost[homes, 0] > 14 * DAY
        out["off at night"] = city.nights[homes]
        none = (
            (longest <= DAY)
            & (city.resets[homes] == 0)
            & (city.died[homes] == 0)
            & (city.lost[homes, 1] <= DAY)
        )
        out["none of these"] = none & ~city.nights[homes] & (city.enrolled[homes] <= START)
    return out


def ends(city):
    """The second at which the record stops: whole days."""
    return float(-(-max(city.names.max(), city.ips.max()) // DAY) * DAY)
