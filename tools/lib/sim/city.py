"""Many homes, simulated in processes, as flat arrays: the CT log that the world would see."""

import os
import random
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from ipcert import plan
from tools.lib.sim import reference, world

CHUNK = 250


class City:
    """Histories of `n` homes. Home h has names[noff[h]:noff[h+1]] and ips[ioff[h]:ioff[h+1]], seconds from START;
    new marks the first certificate of an address; longest is each home's longest outage, seconds; lapses are
    (home, ip?, not_after, ready, tried, back, failures, outage?)."""

    def __init__(self, parts):
        self.names = np.concatenate([p[0] for p in parts])
        self.noff = np.concatenate([[0], np.cumsum(np.concatenate([p[1] for p in parts]))])
        self.ips = np.concatenate([p[2] for p in parts])
        self.ioff = np.concatenate([[0], np.cumsum(np.concatenate([p[3] for p in parts]))])
        self.new = np.concatenate([p[4] for p in parts])
        self.longest = np.concatenate([p[5] for p in parts])
        self.lapses = np.concatenate([p[6] for p in parts])
        self.n = self.longest.size
        self.prepared = self.measured = None  # attack's


def words(seed, number):
    """The home's random words: the shipped reader over a repeatable generator."""
    source = random.Random(seed * 1000003 + number)

    def fill(buf):
        buf[:] = source.randbytes(len(buf))

    return plan.Words(fill, 2048)


def _chunk(job):
    seed, first, count, days, dynamic, policy, quiet, down = job
    ca = world.ca_downtime(seed, days)
    names, nn, ips, ni, new, longest, lapses = [], [], [], [], [], [], []
    for h in range(first, first + count):
        w = world.World(seed, h, days, dynamic, ca, quiet)
        if down:  # this home's CA is down once, at a moment of its own
            start = world.START + w.moment(days * world.DAY - down)
            w.ca = [(start, start + down)]
        log = reference.run(policy, w, words(seed, h))
        names += log.name
        nn.append(len(log.name))
        ips += log.ip
        ni.append(len(log.ip))
        last = 0
        for g in log.gen:
            new.append(g != last)
            last = g
        longest.append(w.longest())
        lapses += [(h,) + tuple(int(v) for v in one) for one in log.lapses]
    return (
        np.array(names, float) - world.START,
        np.array(nn, np.int64),
        np.array(ips, float) - world.START,
        np.array(ni, np.int64),
        np.array(new, bool),
        np.array(longest),
        np.array(lapses, np.int64).reshape(-1, 8),
    )


def build(seed, count, days=365, dynamic=False, policy="ipcert", quiet=False, down=0, progress=None, first=0):
    """Simulate `count` homes. quiet: no outages; down: seconds for which the CA is down once, at a random moment."""
    jobs = [
        (seed, first + h, min(CHUNK, count - h), days, dynamic, policy, quiet, down)
        for h in range(0, count, CHUNK)
    ]
    parts = []
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for part in pool.map(_chunk, jobs):
            parts.append(part)
            if progress:
                progress(len(parts) / len(jobs))
    return City(parts)
