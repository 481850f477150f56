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
