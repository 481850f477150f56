"""G1: first issuance. One certificate goes at once, the other waits; reboots must not change that."""

import numpy as np
from numba import njit

from ipcert import plan
from tools.lib.sim.city import words
from tools.lib.sim.world import BOOT, DAY, START


def delays(seed, n, reboots, window=14 * DAY):
    """Realised delay in seconds of `n` homes' second certificates, each with `reboots` power cuts during the wait."""
    env = np.random.default_rng([seed, 0xE1, reboots])
    rng = words(seed, 1 << 40 | reboots)
    p = plan.Plan()
    out = np.empty(n)
    for h in range(n):
        plan.first(p, rng, START, False, window)
        cuts = sorted((int(env.random() * window), 60 + int(env.exponential(240))) for _ in range(reboots))
        for at, length in cuts:
            if START + at <= p.planned_at < START + at + length:
                ready = START + at + length + BOOT
                if plan.is_missed(p, ready):
                    plan.missed(p, rng, False, ready, 0, 0)
                else:
                    p.planned_at = ready
        out[h] = p.planned_at - START + 3 + int(env.random() * 18)
    return out


def crowd(seed, n, per_day):
    """(times of the urgent one, times of the other), seconds, for `n` homes that enrol `per_day` a day, 0 to 5 reboots."""
    env = np.random.default_rng([seed, 0xE2, int(per_day * 1000)])
    at = np.sort(env.random(n) * n / per_day * DAY)
    wait = np.concatenate([delays(seed + 17 * k, (n + 5) // 6, k) for k in range(6)])
    return at, at + env.permutation(wait)[:n]


def floor(per_day, window=14 * DAY):
    """What nobody can do better than: (1 - exp(-LW)) / (LW)."""
    m = per_day * window / DAY
    return (1 - np.exp(-m)) / m


def learn(first, second, window=14 * DAY, bins=28):
    """Log density of the delay, learned on other homes."""
    edges = np.linspace(0, window + 60, bins + 1)
    counted, _ = np.histogram(second - first, edges)
    return np.log((counted + 1.0) / (counted.sum() + bins))


@njit(cache=True)
def guess(first, second, order, density, width, out):
    """out[h]: the chance that the likeliest of all second certificates is home h's own; ties shared."""
    times = second[order]
    for h in range(first.size):
        own = second[h] - first[h]
        b = int(own / width)
        mine = density[b] if 0 <= own and b < density.size else -1e9
        j = np.searchsorted(times, first[h])
        ties = 0
        while j < times.size:
            d = times[j] - first[h]
            b = int(d / width)
            if b >= density.size:
                break
            if density[b] > mine:
                ties = -1
                break
            ties += density[b] == mine
            j += 1
        out[h] = 1.0 / ties if ties > 0 else 0.0


def top1(seed, n, per_day, window=14 * DAY):
    """The attacker's chance for each of `n` homes; the density is learned on as many others."""
    a, b = crowd(seed + 1000, n, per_day)
    density = learn(a, b, window)
    first, second = crowd(seed, n, per_day)
    out = np.zeros(n)
    guess(first, second, np.argsort(second), density, (window + 60) / density.size, out)
    return out
