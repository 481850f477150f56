"""Hours in which a home is never heard: nights and weekends.

An address is renewed some 135 times a year, so the longest stretch of the day (or of the week) without one of its certificates
shows when its device is switched off. A name that is renewed in that stretch belongs to somebody else. How much each place in
the stretch or beside it says is counted on other homes.
"""

import numpy as np
from numba import njit, prange

from tools.lib.sim.world import DAY, HOUR

# (period, stretches longer than which say something, seconds): chance leaves them in one home in thousands.
PERIODS = (
    (float(DAY), np.array([3.0, 4.5, 6, 7, 8, 9, 10, 12]) * HOUR),
    (7.0 * DAY, np.array([34.0, 46, 54, 60, 66, 80]) * HOUR),
)
ENOUGH = 30  # certificates of an address
PLACES = 40
INSIDE = np.array([0.0, 0.01, 0.03, 0.06, 0.1, 0.2])  # how deep inside, as a part of the stretch
KAPPA = 2.0  # pseudo-count


@njit(cache=True)
def silent(ips, ioff, period, out):
    """out[h] = (start, length) of the longest part of `period` without a certificate; length 0 with too few of them."""
    for h in range(ioff.size - 1):
        m = ioff[h + 1] - ioff[h]
        out[h] = 0
        if m < ENOUGH:
            continue
        x = np.sort(ips[ioff[h] : ioff[h + 1]] % period)
        best = x[0] + period - x[-1]
        at = x[-1]
        for j in range(1, m):
            if x[j] - x[j - 1] > best:
                best = x[j] - x[j - 1]
                at = x[j - 1]
        # Chance alone leaves a longest stretch of about log(m)/m of the period.
        if best > period * (np.log(m) + 4.0) / m:
            out[h, 0] = at
            out[h, 1] = best


@njit(inline="always")
def place(x, start, length, period):
    """Which of PLACES a moment has beside a stretch."""
    t = (x - start) % period
    if t < length:
        depth = min(t, length - t) / length
        q = 0
        while q < INSIDE.size and depth >= INSIDE[q]:
            q += 1
        return q - 1 + (INSIDE.size if t > length / 2 else 0)
    part = (t - length) / (period - length)
    return 2 * INSIDE.size + min(int(part * (PLACES - 2 * INSIDE.size)), PLACES - 2 * INSIDE.size - 1)


@njit(cache=True)
def count(names, noff, stretch, a, b, edges, period, out):
    """out[size, place] += 1 for each certificate of name a[q] beside the stretch of address b[q]."""
    for q in range(a.size):
        start, length = stretch[b[q]]
        s = np.searchsorted(edges, length)
        if s == 0:
            continue
        for k in range(noff[a[q]], noff[a[q] + 1]):
            out[s - 1, place(names[k], start, length, period)] += 1


@njit(parallel=True, nogil=True, cache=True)
def add(names, noff, stretch, rows, cols, edges, period, table, out):
    """out[c, r] += the table's logs for name rows[r] beside address cols[c]."""
    for c in prange(cols.size):
        start, length = stretch[cols[c]]
        s = np.searchsorted(edges, length)
        if s == 0:
            continue
        for r in range(rows.size):
            w = 0.0
            for k in range(noff[rows[r]], noff[rows[r] + 1]):
                w += table[s - 1, place(names[k], start, length, period)]
            out[c, r] += w


class Habits:
    """Learned on homes `homes` of `city`."""

    def __init__(self, city, homes, rng, times=30):
        self.tables = []
        a = np.repeat(homes, times)
        b = homes[rng.integers(0, homes.size, a.size)]
        keep = a != b
        a, b = a[keep], b[keep]
        for period, edges in PERIODS:
            stretch = self._stretch(city, period)
            true = np.zeros((edges.size, PLACES))
            false = np.zeros((edges.size, PLACES))
            count(city.names, city.noff, stretch, homes, homes, edges, period, true)
            count(city.names, city.noff, stretch, a, b, edges, period, false)
            # Each as a part of its stretch's certificates: how many names there are says nothing.
            part = false / np.maximum(false.sum(1, keepdims=True), 1)
            even = part + 1e-3 / PLACES
            self.tables.append(
                np.log(
                    (true + KAPPA * even)
                    / (true.sum(1, keepdims=True) + KAPPA * even.sum(1, keepdims=True))
                    / even
                )
            )

    @staticmethod
    def _stretch(city, period):
        out = np.zeros((city.ioff.size - 1, 2))
        silent(city.ips, city.ioff, period, out)
        return out

    def add(self, city, rows, cols, out):
        """Add the logs to float32 out[cols, rows]."""
        for (period, edges), table in zip(PERIODS, self.tables):
            add(city.names, city.noff, self._stretch(city, period), rows, cols, edges, period, table, out)
