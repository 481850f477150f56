"""What boosted trees are shown of one name's history beside one address's: plain measurements of a pair, no likelihoods.

Nothing here comes from the likelihood-ratio attacker's cells. Times are CT timestamps in seconds from START. Lags: how far
renewals of the name lie from the address's, counted at several scales, the closest three one by one, and how long both
had been silent before · SLOT: both in one half day or day, but apart · PHASE: the second of the day, of ten minutes · DRAW:
the same place in the renewal window · SILENCE: what the name did around the gaps that are long for this address, and what
covers the name's late renewals · the histories' own shapes, so that trees know which measurement to believe.
"""

import numpy as np
from numba import njit, prange

from tools.lib.sim.cells import DAY, HOUR, SLOT, _circle

HALF = DAY / 2
TEN = 600.0
LONG = 1.28  # times its median interval: a gap of an address
LAGS = np.array([25.0, 120, 1800, 2 * HOUR, 6 * HOUR, DAY])
NAMES = (
    "lag0", "other0", "name before0", "address before0", "lag1", "other1", "lag2", "other2",
    "just after", "just before", "within 2 min", "within 30 min", "within 2 h", "within 6 h", "within a day",
    "same half day apart", "same day apart", "apart within 12 h",
    "log lags", "day mean", "day least", "day most", "day log", "day near", "day near the middle", "day alone least",
    "day alone most", "ten mean", "ten most", "ten log", "ten near", "draw mean", "draw least", "draws alike",
    "gaps", "gap longest", "gap age", "gap wait", "in gaps", "in longest gap", "inside edge", "in gaps waited",
    "silence before wait", "late", "late explained", "late before", "late excess", "late gap", "late left", "late wait",
    "hidden", "hidden model", "name renewals", "address renewals", "address spread", "name longest", "changes",
    "change near", "change most",
)  # fmt: skip
COUNT = len(NAMES)
SHAPE = 6  # columns of `prepare`'s shape


@njit(cache=True)
def prepare(ips, ioff, new):
    """Of each address: (median interval, spread of the second of the day, its middle, gaps, longest gap, changes); the
    indices of its long gaps, and their offsets."""
    n = ioff.size - 1
    shape = np.zeros((n, SHAPE))
    gaps = np.empty(ips.size, np.int16)
    goff = np.zeros(n + 1, np.int64)
    total = 0
    for h in range(n):
        ip = ips[ioff[h] : ioff[h + 1]]
        fresh = new[ioff[h] : ioff[h + 1]]
        m = ip.size
        if m > 1:
            shape[h, 0] = np.median(ip[1:] - ip[:-1])
        c = 0.0
        s = 0.0
        for j in range(m):
            a = ip[j] % DAY * (2 * np.pi / DAY)
            c += np.cos(a)
            s += np.sin(a)
        shape[h, 1] = np.sqrt(c * c + s * s) / max(m, 1)
        shape[h, 2] = np.arctan2(s, c) * (DAY / (2 * np.pi))
        for j in range(1, m):
            shape[h, 5] += fresh[j]
            if ip[j] - ip[j - 1] > LONG * shape[h, 0]:
                gaps[total] = j
                total += 1
                shape[h, 3] += 1
                shape[h, 4] = max(shape[h, 4], ip[j] - ip[j - 1])
        goff[h + 1] = total
    return shape, gaps[:total].copy(), goff


@njit(inline="always")
def _signed(since, until):
    return np.log1p(since) if since <= until else -np.log1p(until)


@njit(cache=True)
def measure(name, ip, new, look, draw, shape, gaps, w, f):
    """Fill `f` with the pair's measurements. look, draw: of cells.prepare; shape, gaps: of `prepare`; w: the windows."""
    m = ip.size
    f[:] = 0.0
    d0 = d1 = d2 = 1e9
    s0 = s1 = s2 = 1e9
    u0 = u1 = u2 = 1e9
    before_name = before_ip = -1.0
    day_least = alone_least = 1e9
    day_most = alone_most = -1e9
    ten_most = 0.0
    day_n = 0.0
    draws = 0.0
    draw_sum = 0.0
    draw_least = 1.0
    change_near = 1e9
    change_most = 0.0
    j = 0
    for k in range(name.size):
        x = name[k]
        before = j
        j = look[int(x / SLOT)]
        while j < m and ip[j] <= x:
            j += 1
        since = x - ip[j - 1] if j > 0 else 1e9
        until = ip[j] - x if j < m else 1e9
        d = min(since, until)
        if d >= 1e9:
            continue
        if d < d0:
            d2, s2, u2, d1, s1, u1 = d1, s1, u1, d0, s0, u0
            d0, s0, u0 = d, since, until
            before_name = x - name[k - 1] if k > 0 else -1.0
            i = j - 1 if since <= until else j
            before_ip = ip[i] - ip[i - 1] if i > 0 else -1.0
        elif d < d1:
            d2, s2, u2 = d1, s1, u1
            d1, s1, u1 = d, since, until
        elif d < d2:
            d2, s2, u2 = d, since, until
        f[8] += since < LAGS[0]
        f[9] += until < LAGS[0]
        for q in range(1, 6):
            f[9 + q] += d < LAGS[q]
        slot = np.floor(x / HALF)
        day = np.floor(x / DAY)
        half = whole = apart = 0.0
        if since > 60:
            half += x - since >= slot * HALF
            whole += x - since >= day * DAY
            apart += since < HALF
        if until > 60:
            half += x + until < (slot + 1) * HALF
            whole += x + until < (day + 1) * DAY
            apart += until < HALF
        f[15] += half > 0
        f[16] += whole > 0
        f[17] += apart > 0
        f[18] += np.log1p(d)
        # Phases: the second of the day beside the nearest renewal of the address, signed; of ten minutes beside the two.
        e = x - since if since <= until else x + until
        c = x - e
        c -= np.floor(c / DAY + 0.5) * DAY
        f[19] += c
        day_least = min(day_least, c)
        day_most = max(day_most, c)
        f[22] += np.log1p(abs(c))
        f[23] += abs(c) < 40
        f[24] += _circle(x - shape[2], DAY) < 60
        if d > 60:
            alone_least = min(alone_least, c)
            alone_most = max(alone_most, c)
        day_n += 1
        t = 300.0
        if j > 0:
            t = min(t, _circle(since, TEN))
        if j < m:
            t = min(t, _circle(until, TEN))
        f[27] += t
        ten_most = max(ten_most, t)
        f[29] += np.log1p(t)
        f[30] += t < 25
        if j > 0 and j < m and new[j]:
            change_near = min(change_near, until)
            change_most = max(change_most, since + until)
        if j > 0 and new[j - 1]:
            change_near = min(change_near, since)
        if k > 0:
            u = (x - name[k - 1] - w[2]) / (w[3] - w[2])
            if 0.0 <= u <= 1.0:
                best = 1.0
                for i in (before - 1, before):
                    if i >= 0 and i < m:
                        best = min(best, abs(u - draw[i]))
                        best = min(best, abs(x - name[k - 1] - w[2] - draw[i] * (w[1] - w[0])) / 80000)
                draw_sum += best
                draw_least = min(draw_least, best)
                f[33] += best < 0.001
                draws += 1
    f[0] = _signed(s0, u0)
    f[1] = np.log1p(max(s0, u0))
    f[2] = before_name
    f[3] = before_ip
    f[4] = _signed(s1, u1)
    f[5] = np.log1p(max(s1, u1))
    f[6] = _signed(s2, u2)
    f[7] = np.log1p(max(s2, u2))
    if day_n:
        f[19] /= day_n
        f[27] /= day_n
    f[20] = day_least
    f[21] = day_most
    f[25] = alone_least
    f[26] = alone_most
    f[28] = ten_most
    f[31] = draw_sum / draws if draws else 0.5
    f[32] = draw_least
    # Silences of the address.
    f[34] = shape[3]
    longest = 0.0
    edge = 1e9
    waited = 1e9
    silence = 0.0
    k = 0
    for i in gaps:
        a = ip[i - 1]
        b = ip[i]
        while k < name.size and name[k] <= a:
            k += 1
        q = k
        inside = 0.0
        while q < name.size and name[q] < b:
            inside += 1
            edge = min(edge, min(name[q] - a, b - name[q]))
            q += 1
        f[38] += inside
        s = name[q - 1] if q > 0 else -1e9
        x = name[q] if q < name.size else 1e9
        age = b - s if q > 0 else -1.0
        wait = x - b if q < name.size else -1.0
        if b - a > longest:
            longest = b - a
            f[36] = age
            f[37] = wait
            f[39] = inside
        if age > w[2] and not inside and wait >= 0:
            f[41] += wait < 3 * DAY
            if wait < waited:
                waited = wait
                silence = b - a
        if q > 0 and q < name.size and s <= a:
            start = a + min(w[0], (b - a) / 2)
            fa = min(max((start - s - w[2]) / (w[3] - w[2]), 0.0), 1.0)
            fb = min(max((b - s - w[2]) / (w[3] - w[2]), 0.0), 1.0)
            f[50] += fb - fa
            if fb < 0.999:
                f[51] += np.log((1.001 - fa) / (1.001 - fb))
    f[35] = longest
    f[40] = np.log1p(edge)
    f[42] = silence
    # Late renewals of the name: the longest gap that ended inside each.
    most = 0.0
    waited_late = -1.0
    for k in range(1, name.size):
        s = name[k - 1]
        x = name[k]
        f[55] = max(f[55], x - s)
        if x - s <= w[3] + 600:
            continue
        f[43] += 1
        best = 0.0
        end = 0.0
        after = 0.0
        for i in gaps:
            if ip[i] < s + w[2]:
                continue
            if ip[i] >= x:
                if ip[i - 1] < x:
                    after = ip[i] - ip[i - 1]
                break
            if ip[i] - ip[i - 1] > best:
                best = ip[i] - ip[i - 1]
                end = ip[i]
        f[45] += after > best
        f[44] += best > 0 and after <= best
        if x - s > most:
            most = x - s
            f[47] = best
            f[48] = s + w[4] - end if best > 0 else -1.0
            waited_late = x - end if best > 0 else -1.0
    f[46] = most
    f[49] = waited_late
    f[52] = name.size
    f[53] = m
    f[54] = shape[1]
    f[56] = shape[5]
    f[57] = np.log1p(change_near)
    f[58] = change_most


@njit(parallel=True, nogil=True, cache=True)
def pairs(city, shape, gaps, goff, a, b, windows, out):
    """out[q] = the measurements of name a[q] beside address b[q]. city: of attack.prepared."""
    names, noff, ips, ioff, new, look, draw = city[:7]
    for q in prange(a.size):
        lo, hi = ioff[b[q]], ioff[b[q] + 1]
        f = np.empty(out.shape[1])
        measure(
            names[noff[a[q]] : noff[a[q] + 1]], ips[lo:hi], new[lo:hi], look[b[q]], draw[lo:hi], shape[b[q]],
            gaps[goff[b[q]] : goff[b[q] + 1]], windows, f,
        )  # fmt: skip
        out[q] = f


@njit(inline="always")
def _judge(f, node, value, first, roots, base, cuts):
    s = 0.0
    for stage in range(base.size):
        if stage and s < cuts[stage - 1]:
            break
        s = base[stage]
        for t in range(roots[stage], roots[stage + 1]):
            k = first[t]
            while node[k, 0] >= 0:
                k = node[k, 1] if f[node[k, 0]] <= value[k] else node[k, 2]
            s += value[k]
    return s


@njit(parallel=True, nogil=True, cache=True)
def judge(x, node, value, first, roots, base, cuts, out):
    """out[q] = what the trees of `flat` say of measurements x[q]: a stage is asked where the one before said at least
    its cut."""
    for q in prange(out.size):
        out[q] = _judge(x[q], node, value, first, roots, base, cuts)


@njit(parallel=True, nogil=True, cache=True)
def score(city, shape, gaps, goff, rows, cols, windows, node, value, first, roots, base, cuts, out):
    """out[r, c] = `judge` of name rows[r] beside address cols[c]."""
    names, noff, ips, ioff, new, look, draw = city[:7]
    for c in prange(cols.size):
        b = cols[c]
        lo, hi = ioff[b], ioff[b + 1]
        f = np.empty(COUNT)
        for r in range(rows.size):
            a = rows[r]
            measure(
                names[noff[a] : noff[a + 1]], ips[lo:hi], new[lo:hi], look[b], draw[lo:hi], shape[b],
                gaps[goff[b] : goff[b + 1]], windows, f,
            )  # fmt: skip
            out[r, c] = _judge(f, node, value, first, roots, base, cuts)


def flat(model, more=None):
    """scikit-learn's trees as arrays, behind those of `more`: (feature or -1, left, right) and (threshold or what a leaf
    adds) of each node, the first node of each tree, the first tree of each stage, what each stage's sum begins with.
    Going through them pair by pair is ten times faster than `decision_function`."""
    nodes, values, first, roots, base = more or (
        np.zeros((0, 3), np.int32), np.zeros(0), np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0)
    )  # fmt: skip
    for (tree,) in model._predictors:
        n = tree.nodes
        at = len(nodes)
        where = np.where(n["is_leaf"], -1, n["feature_idx"].astype(np.int64))
        step = np.stack([where, n["left"].astype(np.int64) + at, n["right"].astype(np.int64) + at], 1)
        nodes = np.concatenate([nodes, step.astype(np.int32)])
        values = np.concatenate([values, np.where(n["is_leaf"], n["value"], n["num_threshold"])])
        first = np.append(first, at)
    return (
        nodes,
        values,
        first,
        np.append(roots, first.size),
        np.append(base, np.ravel(model._baseline_prediction)[0]),
    )
