"""A year of one device under a virtual clock, with faults on: does anything grow, and what does the flash wear?

Flash is counted as a littlefs with blocks of 4 KB programs it at worst: each file write takes fresh blocks for its bytes
and half a block of metadata (two commits of a pair that is erased when it is full of about eight), each erase of a file
the same metadata.
"""

import gc
import random
import tracemalloc

from ipcert import limits
from ipcert.errors import Theirs

from . import ca as _ca
from . import disk as _disk
from .home import START, Home

BLOCK = 4096
COMMITS = 8  # metadata commits of about 500 bytes that a 4 KB block holds
IDS = ("nas.janet.example", "203.0.113.7")
FAULTS = 0.05  # share of requests that fail


class Year:
    """What was seen. writes, written, erases: of the flash, over the year; files, memory: at its ends."""

    def __init__(self):
        self.broken = []
        self.writes = self.written = self.commits = self.blocks = 0
        self.journal_writes = self.orders = self.faults = self.boots = self.issued = 0
        self.files = []
        self.memory = []

    def erases(self):
        """Block erases of the year, at worst."""
        return self.blocks + self.commits // COMMITS

    def figures(self):
        """The counts as a dict."""
        return {
            "days": 365,
            "orders": self.orders,
            "certificates": self.issued,
            "requests_that_failed": self.faults,
            "boots": self.boots,
            "flash_bytes_a_year": self.written,
            "flash_writes_a_year": self.writes,
            "of_them_journal": self.journal_writes,
            "flash_erases_a_year": self.erases(),
            "files_first_and_last_month": [self.files[0], self.files[-1]] if self.files else [],
            "memory_growth_bytes": self.memory[-1] - self.memory[0] if self.memory else 0,
            "broken": self.broken,
        }


def year(seed=1, days=365, faults=FAULTS, ids=IDS):
    """Live through it; returns the `Year`. Once a month the power goes at a random change of the medium."""
    rng = random.Random("year %s" % seed)
    out = Year()
    ca = _ca.CA({})
    disk = _disk.Disk("micropython-littlefs")
    now = START
    end = START + days * limits.DAY
    month = 0
    tracing = not tracemalloc.is_tracing()
    if tracing:
        tracemalloc.start()
    while now < end:
        home = Home(disk, ca, ids, now, _counter(out), first_delay=14 * limits.DAY)
        home.before = _failing(rng, faults, out)
        out.boots += 1
        # A month without a reboot, watched day by day.
        until = min(now + 30 * limits.DAY, end)
        while home.now < until:
            home.run(min(home.now + limits.DAY, until))
            ca.forget_past(home.now)
            _check(home, out)
        month += 1
        now = home.now + 3600
        out.issued += home.device.issued
        out.files.append(len(disk.files()))
        home = None
        gc.collect()
        if month >= 3:  # caches are warm
            ca.seen.clear()
            ca.certificates.clear()
            out.memory.append(tracemalloc.get_traced_memory()[0])
        # And the power goes: what is unsynced is lost.
        disk = _disk.Disk(disk.kind, disk.survivors(rng))
    if tracing:
        tracemalloc.stop()
    out.broken += ca.broken
    return out


def _counter(out):
    def watch(stage, it):
        if stage == "written":
            out.writes += 1
            out.commits += 4
            out.written += it.size
            out.blocks += (it.size + BLOCK - 1) // BLOCK
            if it.name.startswith("journal"):
                out.journal_writes += 1
        elif stage == "erased":
            out.commits += 2
        elif stage == "answer" and it.url.endswith("newOrder"):
            out.orders += 1

    return watch


def _failing(rng, share, out):
    def before(it):
        if rng.random() >= share:
            return None
        out.faults += 1
        kind = rng.randrange(4)
        if kind == 0:
            return Theirs("network", "gone")
        if kind == 1:
            return 503, {"retry-after": str(rng.randrange(600))}, b""
        if kind == 2:
            return 200, {"content-type": "text/html"}, b"<html>"
        return 429, {}, b""

    return before


def _check(home, out):
    names = list(home.disk.names)
    if len(names) > 12:
        out.broken.append("%d files: %s" % (len(names), " ".join(sorted(names))))
    if len(home.published):
        if home.device.issuance.step == 0:
            out.broken.append("a challenge is still published while nothing is in flight")
    for r in home.records:
        if r.gen and home.now > r.not_after:
            out.broken.append("%s lapsed in spite of its retries" % r.ids.text())
        if r.at <= home.now - limits.DAY:
            out.broken.append("the plan of %s is a day late" % r.ids.text())
