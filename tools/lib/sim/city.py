"""Many homes, simulated in processes, as flat arrays: the CT log that the world would see."""

import copy
import os
import random
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from ipcert import plan
from tools.lib.sim import home, reference, world

CHUNK = 250


class City:
    """Histories of `n` homes, and the truth about them.

    What the log has. Home h has names[noff[h]:noff[h+1]] and ips[ioff[h]:ioff[h+1]], seconds from START; gen is the number of the
    address that each of ips is for, and new marks the first certificate of an address. six, soff, six_gen and six_new are
    the same of a second family of address, which few homes have.

    What nobody can read there, of each home: longest, its longest outage, seconds; lost[h, 0] and [h, 1], the longest loss
    of validation for both certificates and for any, seconds; enrolled and died, core seconds (died 0: it lives); resets, how
    many; nights, whether it is switched off at night; nightly, whether it gets another address every night. lapses are
    (home, ip?, not_after, ready, tried, back, failures, outage?). spans[off[h]:off[h+1]] are (start, end, kind), core seconds,
    and who says of each for which certificates validation is lost (a sum of world.ADDRESS and NAME, else 0).
    life: the Lifetimes; days: what is observed. policy, kind and recovery are `build`'s.
    """

    def __init__(self, parts, life, days, policy="ipcert", kind="kind", recovery=home.RECOVERY):
        whole = {key: np.concatenate([p[key] for p in parts]) for key in parts[0]}
        self.names, self.ips, self.six = whole["names"], whole["ips"], whole["six"]
        self.noff = _offsets(whole["names in"])
        self.ioff = _offsets(whole["ips in"])
        self.soff = _offsets(whole["six in"])
        self.gen, self.new = whole["gen"], whole["new"]
        self.six_gen, self.six_new = whole["six gen"], whole["six new"]
        of = whole["home"]
        self.longest, self.lost = of[:, 0], of[:, 1:3]
        self.enrolled, self.died, self.resets = of[:, 3], of[:, 4], of[:, 5]
        self.nights, self.nightly = of[:, 6] > 0, of[:, 7] > 0
        self.lapses = whole["lapses"]
        # Each part has counted its homes from 0.
        before = np.cumsum([0] + [len(p["home"]) for p in parts[:-1]])
        self.lapses[:, 0] += np.repeat(before, [len(p["lapses"]) for p in parts])
        self.spans, self.who, self.off = (
            whole["spans"][:, :3],
            whole["spans"][:, 3],
            _offsets(whole["spans in"]),
        )
        self.n = self.longest.size
        self.life = life
        self.days = days
        self.policy, self.kind, self.recovery = policy, kind, recovery
        self.prepared = self.measured = None  # attack's

    def visible(self):
        """The homes that have certificates of both kinds in the log: the others can be neither found nor taken for one."""
        return np.flatnonzero((np.diff(self.noff) > 0) & (np.diff(self.ioff) > 0))

    def second(self):
        """The same homes with their second family's addresses in place of the first's; None where no home has any."""
        if not self.six.size:
            return None
        other = copy.copy(self)
        other.ips, other.ioff, other.gen, other.new = self.six, self.soff, self.six_gen, self.six_new
        other.prepared = other.measured = None
        return other


def _offsets(counts):
    return np.concatenate([[0], np.cumsum(counts)])


def words(seed, number):
    """The home's random words: the shipped reader over a repeatable generator."""
    source = random.Random(seed * 1000003 + number)

    def fill(buf):
        buf[:] = source.randbytes(len(buf))

    return plan.Words(fill, 2048)


def _chunk(job):
    seed, first, count, days, dynamic, policy, quiet, down, kind, life, truth, recovery, ordinary = job
    ca = world.ca_downtime(seed, days)
    regions = world.regional_outages(seed, days) if kind != "kind" else None
    flat = {key: [] for key in ("names", "ips", "gen", "new", "six", "six gen", "six new", "lapses", "spans")}
    counts = {key: [] for key in ("names in", "ips in", "six in", "spans in")}
    of = []
    for h in range(first, first + count):
        w = world.World(seed, h, days, dynamic, ca, quiet, kind=kind, life=life, regions=regions)
        if ordinary and not w.ordinary():
            continue
        if down:  # this home's CA is down once, at a moment of its own
            start = world.START + w.moment(days * world.DAY - down)
            w.ca = [(start, start + down)]
        log = reference.run(policy, w, words(seed, h), recovery=recovery)
        flat["names"] += log.name
        for key, seen, gens in (("ips", log.ip, log.gen), ("six", log.six, log.six_gen)):
            flat[key] += seen
            flat["gen" if key == "ips" else "six gen"] += gens
            flat["new" if key == "ips" else "six new"] += [g != last for g, last in zip(gens, [0, *gens])]
            counts[key + " in"].append(len(seen))
        counts["names in"].append(len(log.name))
        flat["lapses"] += [(len(of), *(int(v) for v in one)) for one in log.lapses]
        spans = [(*one, 0) for one in w.outages] + [
            (a, b, world.VALIDATION_LOST, who) for a, b, who in w.lost
        ]
        spans = sorted(spans) if truth else []
        flat["spans"] += spans
        counts["spans in"].append(len(spans))
        of.append((w.longest(), *w.longest_lost(), w.enrolled, w.died, w.resets_seen(), w.nights, w.nightly))
    lapses = np.array(flat["lapses"], np.int64).reshape(-1, 8)
    return {
        **{key: np.array(flat[key], float) - world.START for key in ("names", "ips", "six")},
        **{key: np.array(flat[key], np.int64) for key in ("gen", "six gen")},
        **{key: np.array(flat[key], bool) for key in ("new", "six new")},
        **{key: np.array(counts[key], np.int64) for key in counts},
        "lapses": lapses,
        "spans": np.array(flat["spans"], np.int64).reshape(-1, 4),
        "home": np.array(of, np.int64).reshape(-1, 8),
    }


def build(
    seed, count, days=365, dynamic=False, policy="ipcert", quiet=False, down=0, progress=None, first=0,
    kind="kind", life=None, truth=False, recovery=home.RECOVERY, ordinary=False,
):  # fmt: skip
    """Simulate `count` homes of the world `kind` (world.WORLDS), with certificates of `life` (world.Lifetimes).

    quiet: no outages; down: seconds for which the CA is down once, at a random moment; truth: keep every span;
    recovery: P3's option, seconds; ordinary: leave out all homes that are not (World.ordinary).
    """
    life = life or world.Lifetimes()
    jobs = [
        (
            seed,
            first + h,
            min(CHUNK, count - h),
            days,
            dynamic,
            policy,
            quiet,
            down,
            kind,
            life,
            truth,
            recovery,
            ordinary,
        )
        for h in range(0, count, CHUNK)
    ]
    parts = []
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        for part in pool.map(_chunk, jobs):
            parts.append(part)
            if progress:
                progress(len(parts) / len(jobs))
    return City(parts, life, days, policy, kind, recovery)
