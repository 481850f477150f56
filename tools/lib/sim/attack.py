"""Attackers who know the software, learn on other homes, and match every name with every address."""

import contextlib
from unittest import mock

import numpy as np
from scipy.optimize import linear_sum_assignment

from ipcert import plan
from tools.lib.sim import cells, features
from tools.lib.sim.world import BACKDATE

KAPPA = (
    0.3,
    1.0,
    3.0,
)  # pseudo-counts that pull a cell seen rarely towards "says nothing": the best on homes kept back


MOST_TUNED = 800  # homes
CERTAIN = 0.9  # posterior


def windows(life):
    """The shipped policy's ordinary windows for these Lifetimes, seconds after the CT timestamp before; at last, the lifetime
    of a name. Where it changes: from the earliest that the shorter one allows to the latest that the longer one does."""
    shorter, longer = sorted((life.name, life.later))
    return np.array(
        [
            life.address * plan.ADDRESS_START / 1000 - BACKDATE,
            life.address * plan.ADDRESS_END / 1000 - BACKDATE,
            shorter * plan.NAME_START / 1000 - BACKDATE,
            longer * plan.NAME_END / 1000 - BACKDATE,
            float(longer),
        ]
    )


def prepared(city):
    """The city as cells wants it; worked out once."""
    if city.prepared is None:
        slots = int(max(city.names.max(), city.ips.max()) / cells.SLOT) + 2
        more = cells.prepare(city.ips, city.ioff, city.new, windows(city.life), slots)
        city.prepared = (city.names, city.noff, city.ips, city.ioff, city.new) + more
    return city.prepared


def measured(city):
    """The city as features wants it; worked out once."""
    if city.measured is None:
        city.measured = features.prepare(city.ips, city.ioff, city.new)
    return city.measured


def wrong(rng, homes, times):
    """Each home's name beside `times` other homes' addresses."""
    a = np.repeat(homes, times)
    b = homes[rng.integers(0, homes.size, a.size)]
    keep = a != b
    return a[keep], b[keep]


class Ratio:
    """The likelihood-ratio attacker: the log ratio of each cell's frequency in true and in wrong pairs, added up."""

    name = "likelihood ratio"
    whole = False

    def __init__(self, city, homes, rng, times=40):
        half = homes.size * 3 // 4
        learn, tune = homes[:half], homes[half:]
        w = windows(city.life)
        args = prepared(city)
        true = np.zeros(cells.CELLS)
        false = np.zeros(cells.CELLS)
        cells.count(args, learn, learn, w, true)
        a, b = wrong(rng, learn, times)
        cells.count(args, a, b, w, false)
        expected = false * (learn.size / a.size)
        # How far to trust rare cells, and each channel, is learned on homes that the table has not seen: each name of
        # them among all their addresses, as it is tried later.
        tune = tune[:MOST_TUNED]
        a, b = np.repeat(tune, tune.size), np.tile(tune, tune.size)
        edges = list(cells.BASE) + [cells.CELLS]
        best = None
        for kappa in KAPPA:
            table = np.log((true + kappa) / (expected + kappa))
            x = np.zeros((a.size, len(cells.CHANNELS)))
            cells.channels(args, a, b, table, w, x)
            loss, weights = conditional(x.reshape(tune.size, tune.size, -1))
            if best is None or loss < best[0]:
                best = loss, kappa, weights, table
        _, self.kappa, self.weights, self.table = best
        for c in range(len(cells.CHANNELS)):
            self.table[edges[c] : edges[c + 1]] *= self.weights[c]
        self.windows = w
        self.temperature = temperature(self, city, tune)

    def scores(self, city, rows, cols):
        """The matrix of scores, names by addresses."""
        out = np.empty((cols.size, rows.size), np.float32)
        cells.score(prepared(city), rows, cols, self.table.astype(np.float32), self.windows, out)
        return out.T


def conditional(x, steps=20, ridge=3.0):
    """Loss and weights of a conditional logistic model: x[h, c] are the channels of name h beside candidate c, and
    candidate h is right. Newton's method. The ridge pulls towards 1: a channel keeps its own ratio unless the tuning
    homes speak against it."""
    n = len(x)
    own = x[np.arange(n), np.arange(n)]

    def loss(w):
        z = x @ w
        top = z.max(1)
        return (
            float((top + np.log(np.exp(z - top[:, None]).sum(1)) - own @ w).sum())
            + ridge / 2 * ((w - 1) ** 2).sum()
        )

    w = np.ones(x.shape[2])
    now = loss(w)
    for _ in range(steps):
        p = x @ w
        p = np.exp(p - p.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        mean = np.einsum("hc,hck->hk", p, x)
        g = (own - mean).sum(0) - ridge * (w - 1)
        h = np.einsum("hck,hc,hcl->kl", x, p, x, optimize=True) - mean.T @ mean + ridge * np.eye(len(w))
        step = np.linalg.solve(h, g)
        while True:
            tried = np.clip(w + step, 0, 3)
            then = loss(tried)
            if then <= now or np.abs(step).max() < 1e-4:
                break
            step /= 2
        done = now - then < 1e-3
        w, now = tried, then
        if done:
            break
    return now / n, w


# Of each stage of `Trees`: wrong pairs looked at, how many of the likeliest are learned from, trees, leaves, learning rate.
STAGES = ((100000, 100000, 60, 15, 0.1), (2500000, 100000, 100, 31, 0.08), (16000000, 50000, 100, 31, 0.08))
ENOUGH = 100  # right and wrong pairs, each, that a stage is learned from
FEW_STAGES = ((40000, 40000, 40, 15, 0.1), (600000, 20000, 60, 15, 0.1))


class Trees:
    """Boosted trees over `features`, in stages: scikit-learn's histogram gradient boosting.

    A wrong pair that looks right is one in thousands, and those decide who is found. So each stage judges only the pairs
    that the stages before took for likely, and learns from the wrong ones among these, out of a larger pool each time.
    """

    name = "boosted trees"
    whole = False

    def __init__(self, city, homes, rng, stages=STAGES):
        self.windows = windows(city.life)
        self.cuts = np.zeros(0)
        self.forest = None
        kept, homes = homes[: homes.size // 6], homes[homes.size // 6 :]
        for stage in stages:
            self._learn(city, homes, rng, *stage)
        self.temperature = temperature(self, city, kept)

    def _learn(self, city, homes, rng, pool, keep, trees, leaves, rate):
        from sklearn.ensemble import HistGradientBoostingClassifier
        from threadpoolctl import threadpool_limits

        right = homes
        if self.forest is None:
            a, b = wrong(rng, homes, max(1, pool // homes.size))
            pool = a.size
        else:
            part = rng.permutation(homes)[: max(1, pool // homes.size)]
            s = self.scores(city, part, homes)
            s[part[:, None] == homes[None, :]] = -np.inf
            pool = s.size - part.size
            cut = np.partition(s.ravel(), -min(keep, s.size // 10))[-min(keep, s.size // 10)]
            if (s >= cut).sum() > 2 * keep:  # most pairs look the same
                cut = np.nextafter(cut, np.float32(np.inf))
            r, c = np.nonzero(s >= cut)
            own = np.empty(homes.size, np.float32)
            features.judge(self._features(city, homes, homes), *self.forest, self.cuts, own)
            if min(r.size, (own >= cut).sum()) < ENOUGH:
                return  # the stages before leave nothing to learn
            a, b, right = part[r], homes[c], homes[own >= cut]
            self.cuts = np.append(self.cuts, cut)
        x = self._features(city, np.concatenate([right, a]), np.concatenate([right, b]))
        y = np.zeros(len(x))
        y[: right.size] = 1
        model = HistGradientBoostingClassifier(
            max_iter=trees, learning_rate=rate, max_leaf_nodes=leaves, min_samples_leaf=40, l2_regularization=5.0,
            random_state=1, early_stopping=True, validation_fraction=0.15, n_iter_no_change=12,
        )  # fmt: skip
        # So weighted, each stage gives the log odds of one right pair against one wrong one, whatever came through.
        # threadpool_limits: its many short parallel parts wait for one another on a busy machine.
        with threadpool_limits(1), _sorted_once():
            model.fit(x, y, sample_weight=np.where(y > 0, 1.0, homes.size / pool))
        said = np.empty(min(300, len(x)))
        features.judge(x[: said.size], *features.flat(model), np.zeros(0), said)
        if not np.allclose(said, model.decision_function(x[: said.size])):
            raise RuntimeError("scikit-learn's trees are not read as it reads them: see features.flat.")
        self.forest = features.flat(model, self.forest)

    def _features(self, city, a, b):
        out = np.empty((a.size, features.COUNT))
        features.pairs(prepared(city), *measured(city), a, b, self.windows, out)
        return out

    def scores(self, city, rows, cols):
        """The matrix of scores, names by addresses."""
        out = np.empty((rows.size, cols.size), np.float32)
        features.score(
            prepared(city), *measured(city), rows, cols, self.windows, *self.forest, self.cuts, out
        )
        return out


@contextlib.contextmanager
def _sorted_once():
    """While it lasts, scikit-learn finds the thresholds of a weighted column's bins with one sort: the same ones.

    Its 1.9 sorts the column and adds up the weights anew for each of 254 thresholds, which takes most of a fit's time,
    though the function that it calls takes all of them at once.
    """
    from sklearn.ensemble._hist_gradient_boosting import binning
    from sklearn.utils.stats import _weighted_percentile

    few = binning._find_binning_thresholds

    def thresholds(column, bins, sample_weight):
        if np.unique(column).size <= bins:
            return few(column, bins, sample_weight)
        order = np.argsort(column)
        ranks = np.linspace(0, 100, num=bins + 1)[1:-1]
        return np.unique(_weighted_percentile(column[order], sample_weight[order], ranks, average=True))

    with mock.patch.object(binning, "_find_binning_thresholds", thresholds):
        yield


class Collisions:
    """Counts renewals that come close, at several distances: more than by chance, or fewer (a hole)."""

    name = "collision counting"
    whole = False
    temperature = 0.0  # a count is no probability: its leak is not measured
    DISTANCE = (60, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600)

    def __init__(self, city, homes, rng, times=40):
        a, b = wrong(rng, homes, times)
        true = self._counts(city, homes, homes).mean(0)
        false = self._counts(city, a, b)
        self.mean = false.mean(0)
        deviation = false.std(0) + 1e-9
        ratio = np.log((true + 1e-4) / (self.mean + 1e-4))
        best = np.argmax(np.abs(true - self.mean) / deviation)
        self.pick = int(best)
        self.sign = float(np.sign(ratio[best]) or 1.0)

    def _counts(self, city, a, b):
        out = np.zeros((a.size, len(self.DISTANCE)))
        count_near(city.names, city.noff, city.ips, city.ioff, a, b, np.array(self.DISTANCE, float), out)
        return out

    def scores(self, city, rows, cols):
        """The matrix of scores, names by addresses."""
        out = np.empty((rows.size, cols.size), np.float32)
        for r in range(rows.size):
            a = np.full(cols.size, rows[r])
            out[r] = self.sign * self._counts(city, a, cols)[:, self.pick]
        return out


@cells.njit(nogil=True, cache=True)
def count_near(names, noff, ips, ioff, a, b, distances, out):
    """out[q, d] = renewals of name a[q] with one of address b[q] closer than distances[d]."""
    for q in range(a.size):
        ip = ips[ioff[b[q]] : ioff[b[q] + 1]]
        for k in range(noff[a[q]], noff[a[q] + 1]):
            j = np.searchsorted(ip, names[k])
            near = 1e12
            if j > 0:
                near = names[k] - ip[j - 1]
            if j < ip.size:
                near = min(near, ip[j] - names[k])
            for d in range(distances.size):
                out[q, d] += near < distances[d]


class Result:
    """One attack on one crowd after another. hits: chance of a right first guess for each target (ties shared). sure, of an
    attacker who matches: which targets' likeliest address has a posterior of CERTAIN and more."""

    def __init__(self):
        self.hits = []
        self.top10 = []
        self.auc = []
        self.bits = []
        self.matched = []
        self.sure = []
        self.homes = []

    def add(self, s, homes, temperature=1.0, match=False):
        """Take one square matrix of scores; the diagonal is true."""
        true = np.diagonal(s)[:, None]
        above = (s > true).sum(1)
        ties = (s == true).sum(1)
        self.hits.append(np.where(above == 0, 1.0 / ties, 0.0))
        self.top10.append(np.clip((10.0 - above) / ties, 0, 1))
        self.auc.append(1 - (above + (ties - 1) / 2) / (s.shape[1] - 1))
        bits = []
        for q in range(0, len(s), 1000):  # a few rows at a time: a crowd of 10,000 takes gigabytes
            z = (s[q : q + 1000] * temperature).astype(np.float64)
            top = z.max(1, keepdims=True)
            own = np.diagonal(z, q) - top[:, 0]
            bits.append((own - np.log(np.exp(z - top).mean(1))) / np.log(2))
        self.bits.append(np.concatenate(bits))
        if match:
            jitter = np.random.default_rng(1).random(s.shape) * 1e-6  # ties are broken at random
            _, c = linear_sum_assignment(s + jitter, maximize=True)
            self.matched.append((c == np.arange(len(s))).astype(float))
        self.homes.append(homes)

    def done(self):
        """Join the parts."""
        for k in ("hits", "top10", "auc", "bits", "matched", "sure", "homes"):
            v = getattr(self, k)
            setattr(self, k, np.concatenate(v) if v else np.zeros(0))
        return self


def crowds(homes, size):
    """Disjoint crowds of `size` homes; the rest is left out."""
    return [homes[i : i + size] for i in range(0, homes.size - size + 1, size)]


def attack(attacker, city, homes, size, match=0, progress=None, rows=None):
    """Try `attacker` on disjoint crowds of `size` out of `homes`; in the first `match` crowds also one-to-one.
    rows: no more than so many targets, each among all the candidates of its crowd; an attacker who matches has them all."""
    r = Result()
    whole = attacker.whole
    if whole:
        rows = None
    groups = crowds(homes, size)
    if rows is not None:
        groups = groups[: -(-rows // size)]
    for q, group in enumerate(groups):
        tried = group[: None if rows is None else rows - q * size]
        s = attacker.scores(city, tried, group)
        if whole:
            p = attacker.match(s)
            r.sure.append(p.max(1) >= CERTAIN)
            s = np.log(p + np.float32(1e-30))
        r.add(s, tried, 1.0 if whole else attacker.temperature, q < match)
        if progress:
            progress((q + 1) / len(groups))
    return r.done()


def temperature(attacker, city, homes, size=500):
    """How far the attacker's scores may be read as log odds: the factor that leaks most on homes kept back."""
    best = 0.0, 1.0
    groups = crowds(homes, min(size, homes.size))[:4]
    scores = [attacker.scores(city, g, g) for g in groups]
    for t in (0.1, 0.25, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7):
        r = Result()
        for s, g in zip(scores, groups):
            r.add(s, g, t)
        bits = float(np.concatenate(r.bits).mean())
        if bits > best[0]:
            best = bits, t
    return best[1]
