"""Confidence bounds, one-sided, 95 %."""

import numpy as np
from scipy import stats

Z = float(stats.norm.ppf(0.95))


def share_above(hits, n):
    """The upper bound of a share after `hits` (may be fractional: ties shared) of `n`: Clopper and Pearson."""
    return float(stats.beta.ppf(0.95, hits + 1, max(n - hits, 1e-9)))


def share_below(hits, n):
    """The lower bound of a share."""
    return float(stats.beta.ppf(0.05, hits, n - hits + 1)) if hits > 0 else 0.0


def mean_above(values):
    """The upper bound of a mean, from its standard error."""
    return float(values.mean() + Z * values.std(ddof=1) / np.sqrt(values.size))
