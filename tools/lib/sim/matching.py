"""One matching for all: each address has one name and each name one address (Sinkhorn)."""

import numpy as np


def sinkhorn(scores, temperature=1.0, rounds=30):
    """The doubly stochastic float32 matrix of exp(scores * temperature)."""
    z = scores * np.float32(temperature)
    z -= z.max(1, keepdims=True)
    p = np.exp(z)
    u = np.ones(p.shape[0], np.float32)
    v = np.ones(p.shape[1], np.float32)
    for _ in range(rounds):
        u = 1 / np.maximum(p @ v, 1e-30)
        v = 1 / np.maximum(u @ p, 1e-30)
    u = 1 / np.maximum(p @ v, 1e-30)
    p *= u[:, None]
    p *= v[None, :]
    return p


def candidates(scored, rows, cols, keep, block, temperature=1.0):
    """(columns int32[rows, keep], exp(scores * temperature) of them, what the others of each row add up to, of each column).

    scored(start, end): the scores of columns start to end, float32[rows, end - start]. One block is in memory at a time.
    """
    keep = min(keep, cols)
    index = np.zeros((rows, keep), np.int32)
    value = np.full((rows, keep), -np.inf, np.float32)
    row_rest = np.zeros(rows)
    column_rest = np.zeros(cols)
    for start in range(0, cols, block):
        s = np.ascontiguousarray(scored(start, min(start + block, cols)))
        s *= np.float32(temperature)
        for q in range(0, rows, 4096):  # a few rows at a time: exp and partition need copies
            part = slice(q, min(q + 4096, rows))
            each = np.exp(s[part].astype(np.float64))
            row_rest[part] += each.sum(1)
            column_rest[start : start + s.shape[1]] += each.sum(0)
            both = np.concatenate([value[part], s[part]], 1)
            best = np.argpartition(-both, keep - 1, axis=1)[:, :keep]
            old = np.take_along_axis(index[part], np.minimum(best, keep - 1), 1)
            index[part] = np.where(best < keep, old, best - keep + start)
            value[part] = np.take_along_axis(both, best, 1)
    kept = np.exp(value.astype(np.float64))
    row_rest = np.maximum(row_rest - kept.sum(1), 0)
    column_rest = np.maximum(column_rest - np.bincount(index.ravel(), kept.ravel(), cols), 0)
    return index, kept, row_rest, column_rest


def sparse(scored, rows, cols, keep=300, block=1000, temperature=1.0, rounds=30):
    """`sinkhorn` of the likeliest `keep` columns of each row: (columns int32[rows, keep], posterior float32[rows, keep]).
    The others count by their sums, as if each had the row or column that is the mean of those others."""
    index, k, row_rest, column_rest = candidates(scored, rows, cols, keep, block, temperature)
    v = np.ones(cols)
    by_row = row_rest / max(row_rest.sum(), 1e-300)
    by_column = column_rest / max(column_rest.sum(), 1e-300)
    for _ in range(rounds + 1):
        u = 1 / np.maximum((k * v[index]).sum(1) + row_rest * (by_column @ v), 1e-300)
        last = v
        sums = np.bincount(index.ravel(), (k * u[:, None]).ravel(), cols)
        v = 1 / np.maximum(sums + column_rest * (by_row @ u), 1e-300)
    return index, (k * u[:, None] * last[index]).astype(np.float32)
