"""What an attacker can read from one name's history beside one address's: cells for counting.

Both histories are sorted CT timestamps (float seconds from START). Compiled with numba. An address's history is
given whole, over all the addresses that a home had: the attacker is told which of them are one line, which no real
reader of the logs knows for certain.

Channels: NEAR, how far each renewal of the name is from the address's renewals before and after it · GAP, what the
name did around each gap that an ordinary renewal cannot leave · LATE, whether such a gap explains a renewal of the
name that comes after its window · DAY, same second of the day · TICK, same second of
ten minutes · DRAW, the same
place in the renewal window, as a part of it or in seconds.
"""

import numpy as np
from numba import njit, prange

HOUR = 3600.0
DAY = 86400.0

NEAR, GAP, DAYS, TICK, DRAW, LATE = range(6)
CHANNELS = ("near", "gap", "day", "tick", "draw", "late")

_LOG = np.array(
    [10, 40, 120, 600, 1800, 3600, 7200, 14400, 28800, 57600, 115200, 201600, 294000, 380000, 576000.0]
)
_S = 16  # bins of _LOG
_NAME = np.array(
    [55 * DAY, 61 * DAY, 70 * DAY, 89.9 * DAY]
)  # the name's interval: early, ordinary end, late, later, lapsed; for a lifetime of 90 days, others are scaled to it
_SAME = np.array([90, 104, 125, 161, 240, 480, 960]) * HOUR  # gaps of one address above ORDINARY
_NEW = np.array([24, 48, 82, 125, 240, 480]) * HOUR  # gaps at a change of address
_AGE = np.array([30, 40.4, 48, 55, 59, 61, 68, 76, 87, 90]) * DAY  # scaled
_WAIT = np.array([1200, 2 * HOUR, 8 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 21 * DAY])
_LATE = np.array([63, 66, 70, 76, 89.9, 92.9]) * DAY  # how late a late interval is, scaled
_COVER = np.array([82, 125, 240, 480, 960]) * HOUR  # the gap that may explain it
_LEFT = np.array([0, 2.5, 8, 20, 30]) * DAY  # validity left when that gap ended
_BACK = np.array(
    [1200, HOUR, 3 * HOUR, 8 * HOUR, DAY, 2 * DAY, 3 * DAY, 5 * DAY, 7 * DAY, 10 * DAY, 14 * DAY, 21 * DAY]
)
_IN = np.array([1, 6, 24, 82, 161]) * HOUR
_DAY = np.array([5, 30, 90, 300, 900, 3600, 10800.0])
_DRAW = np.array([0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7])
_TICK = np.array([2, 5, 15, 30, 60, 120.0])
ORDINARY = 81.8 * HOUR  # the longest gap without a failure, plus some seconds of work

SLOT = 8 * HOUR
_FAST = np.searchsorted(_LOG, np.arange(60000) * 10.0 + 0.5).astype(np.uint8)  # _bin(_LOG, v) for v / 10

N_NEAR = _S * _S * 6
N_GAP = 15 * 12 * 10
N_IN = 15 * 36
N_LATE = 7 * 7 * 6 * 14
BASE = np.cumsum(np.array([0, N_NEAR, N_GAP + N_IN, 8, 7, 20]))
CELLS = int(BASE[5]) + N_LATE
MOST = 1024  # cells of one pair


@njit(inline="always")
def _bin(edges, v):
    i = 0
    while i < edges.size and v >= edges[i]:
        i += 1
    return i


@njit(inline="always")
def _circle(d, m):
    d -= np.floor(d / m) * m
    return min(d, m - d)


@njit(cache=True)
def prepare(ips, ioff, new, windows, slots):
    """What is used again for each address: where it stood every eight hours, its draws, its gaps and their offsets."""
    n = ioff.size - 1
    look = np.zeros((n, slots), np.int16)
    draw = np.full(ips.size, -9.0, np.float32)
    gaps = np.empty(ips.size, np.int16)
    goff = np.zeros(n + 1, np.int64)
    total = 0
    for h in range(n):
        j = 0
        m = ioff[h + 1] - ioff[h]
        for t in range(slots):
            while j < m and ips[ioff[h] + j] <= t * SLOT:
                j += 1
            look[h, t] = j
        for j in range(1, m):
            q = ioff[h] + j
            g = ips[q] - ips[q - 1]
            if not new[q]:
                draw[q - 1] = (g - windows[0]) / (windows[1] - windows[0])
            if new[q] or g > ORDINARY:
                gaps[total] = j
                total += 1
        goff[h + 1] = total
    return look, draw, gaps[:total].copy(), goff


@njit(cache=True)
def pair(name, ip, new, look, draw, gaps, name_lo, name_hi, ip_lo, ip_hi, life, out):
    """Fill `out` with the pair's cells and return their number.

    new[j]: True when ip[j] is the first certificate of an address; look, draw, gaps: from `prepare`. The four bounds
    are of the ordinary windows, in seconds after the CT timestamp before; life: a name's lifetime, seconds.
    """
    scale = 90 * DAY / life
    n = 0
    j = 0
    m = ip.size
    for k in range(name.size):
        if n > out.size - 4:
            break
        x = name[k]
        i = j
        j = look[int(x / SLOT)]
        while j < m and ip[j] <= x:
            j += 1
        since = x - ip[j - 1] if j > 0 else 1e9
        until = ip[j] - x if j < m else 1e9
        interval = x - name[k - 1] if k > 0 else -1.0
        kind = 5 if k == 0 else _bin(_NAME, interval * scale)
        out[n] = (
            BASE[0]
            + (kind * _S + _FAST[min(int(since / 10), 59999)]) * _S
            + _FAST[min(int(until / 10), 59999)]
        )
        n += 1
        if since >= 1e9 and until >= 1e9:
            continue
        e = ip[j - 1] if since <= until else ip[j]
        c = _circle(x - e, DAY)
        out[n] = BASE[2] + _bin(_DAY, c)
        n += 1
        c = _circle(x - e, 600.0)
        out[n] = BASE[3] + _bin(_TICK, c)
        n += 1
        # The draw made at the name's previous renewal beside the one the address made next before and next after.
        if k > 0:
            u = (interval - name_lo) / (name_hi - name_lo)
            best = 1.0
            if 0.0 <= u <= 1.0:
                for i0 in (i - 1, i):
                    if i0 >= 0 and i0 < m:
                        v = draw[i0]
                        best = min(best, abs(u - v))
                        if v > -9:  # the same number of seconds, not the same part
                            off = interval - name_lo - v * (ip_hi - ip_lo)
                            best = min(best, abs(off) / 80000)
                out[n] = BASE[4] + _bin(_DRAW, best)
                n += 1
    # Gaps.
    k = 0
    for i in gaps:
        a = ip[i - 1]
        b = ip[i]
        g = b - a
        kind = 8 + _bin(_NEW, g) if new[i] else _bin(_SAME, g)
        if n > out.size - 4:
            break
        while k < name.size and name[k] <= a:
            k += 1
        q = k
        while q < name.size and name[q] < b:  # the name was renewed inside the gap
            out[n] = BASE[1] + N_GAP + kind * 36 + _bin(_IN, name[q] - a) * 6 + _bin(_IN, b - name[q])
            n += 1
            q += 1
            break
        while q < name.size and name[q] < b:
            q += 1
        s = name[q - 1] if q > 0 else -1e9
        x = name[q] if q < name.size else 1e9
        age = 11 if q == 0 else _bin(_AGE, (b - s) * scale)
        delay = 9 if q == name.size else _bin(_WAIT, x - b)
        if q > 0 and q < name.size and x - s > name_hi + 600:
            continue  # LATE's
        out[n] = BASE[1] + (kind * 12 + age) * 10 + delay
        n += 1
    # Late renewals of the name.
    for k in range(1, name.size):
        s = name[k - 1]
        x = name[k]
        if x - s <= name_hi + 600 or n > out.size - 2:
            continue
        # The longest gap that ended inside the interval, after the window began.
        cover = -1
        best = 0.0
        after = 0.0
        for i0 in gaps:
            if ip[i0] < s + name_lo:
                continue
            g = ip[i0] - ip[i0 - 1]
            if ip[i0] >= x:
                if ip[i0 - 1] < x:
                    after = g
                break
            if g > best:
                best = g
                cover = i0
        kind = _bin(_LATE, (x - s) * scale)
        if after > best:
            c = 6  # the name came back before the address did
            left = 0
            back = 0
        elif cover < 0:
            c = 0
            left = 0
            back = 0
        else:
            c = _bin(_COVER, best)
            left = _bin(_LEFT, s + life - ip[cover])
            back = 1 + _bin(_BACK, x - ip[cover])
        out[n] = BASE[5] + ((kind * 7 + c) * 6 + left) * 14 + back
        n += 1
    return n


@njit(inline="always")
def _one(city, a, b, windows, buf):
    names, noff, ips, ioff, new, look, draw, gaps, goff = city
    lo, hi = ioff[b], ioff[b + 1]
    return pair(
        names[noff[a] : noff[a + 1]], ips[lo:hi], new[lo:hi], look[b], draw[lo:hi], gaps[goff[b] : goff[b + 1]],
        windows[2], windows[3], windows[0], windows[1], windows[4], buf,
    )  # fmt: skip


@njit(parallel=True, nogil=True, cache=True)
def score(city, rows, cols, table, windows, out):
    """out[c, r] = the sum of the table's weights for name rows[r] and address cols[c]."""
    for c in prange(cols.size):
        buf = np.empty(MOST, np.int64)
        for r in range(rows.size):
            n = _one(city, rows[r], cols[c], windows, buf)
            s = 0.0
            for q in range(n):
                s += table[buf[q]]
            out[c, r] = s


@njit(nogil=True, cache=True)
def count(city, a, b, windows, out):
    """out[cell] += 1 for each cell of each pair (a[q], b[q])."""
    buf = np.empty(MOST, np.int64)
    for q in range(a.size):
        n = _one(city, a[q], b[q], windows, buf)
        for z in range(n):
            out[buf[z]] += 1


@njit(nogil=True, cache=True)
def channels(city, a, b, table, windows, out):
    """out[q, channel] = the table's weights of pair q, channel by channel."""
    buf = np.empty(MOST, np.int64)
    for q in range(a.size):
        n = _one(city, a[q], b[q], windows, buf)
        for z in range(n):
            c = 5
            while buf[z] < BASE[c]:
                c -= 1
            out[q, c] += table[buf[z]]
