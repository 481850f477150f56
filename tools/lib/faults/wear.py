"""A year of one device under a virtual clock, with faults on: does anything grow, and what does the flash wear?
Here before the CA in memory; `years` has the same before a real Pebble.

Flash is counted as a littlefs with blocks of 4 KB programs it at worst: each file write takes fresh blocks for its bytes
and half a block of metadata (two commits of a pair that is erased when it is full of about eight), each erase of a file
the same metadata.
"""

import gc
import os
import random
import sys
import tracemalloc

from ipcert import action, limits
from ipcert.errors import RemoteError
from tools.lib.faults import ca as _ca
from tools.lib.faults import disk as _disk
from tools.lib.faults.home import START, Home

BLOCK = 4096
COMMITS = 8  # metadata commits of about 500 bytes that a 4 KB block holds
IDS = ("nas.janet.example", "203.0.113.7")
FAULTS = 0.05  # share of requests that fail


class Year:
    """What was seen. writes, written, erases: of the flash; files, memory, sockets: after each month.

    The first two months warm caches up: growth is counted from the third on, where there are that many.
    """

    def __init__(self, days=365):
        self.days = days
        self.broken = []
        self.writes = self.written = self.commits = self.blocks = 0
        self.journal_writes = self.orders = self.faults = self.boots = self.issued = 0
        self.files = []
        self.memory = []
        self.sockets = []

    def growth(self):
        """Bytes of memory more after the last month than after the third."""
        return self.memory[-1] - self.memory[min(2, len(self.memory) - 1)]

    def erases(self):
        """Block erases of the year, at worst."""
        return self.blocks + self.commits // COMMITS

    def figures(self):
        """The counts as a dict."""
        return {
            "days": self.days,
            "orders": self.orders,
            "certificates": self.issued,
            "requests_that_failed": self.faults,
            "boots": self.boots,
            "flash_bytes": self.written,
            "flash_writes": self.writes,
            "of_them_journal": self.journal_writes,
            "flash_erases": self.erases(),
            "files_first_and_last_month": [self.files[0], self.files[-1]],
            "sockets_first_and_last_month": [self.sockets[0], self.sockets[-1]],
            "memory_growth_bytes": self.growth(),
            "memory_bytes_each_month": self.memory,
            "broken": self.broken,
        }


class InMemory:
    """A year before `ca.CA`, in seconds. `start`: its first core second."""

    start = START

    def __init__(self, rng, out, faults=FAULTS):
        self._ca = _ca.CA({})
        self._rng = rng
        self._out = out
        self._faults = faults

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self._out.broken += self._ca.broken

    def boot(self, disk, ids, now):
        """A device that boots at second `now`."""
        home = Home(disk, self._ca, ids, now, counter(self._out), first_delay=14 * limits.DAY)
        home.before = _failing(self._rng, self._faults, self._out)
        return home

    def lived(self, home):
        """A day went by."""
        self._ca.forget_past(home.now)

    def halt(self, home):
        """The power goes."""

    def forget(self):
        """Drop what this CA remembers, so that only the device's memory is counted."""
        self._ca.seen.clear()
        self._ca.certificates.clear()


def year(seed=1, days=365, world=InMemory, ids=IDS, progress=None):
    """Live through it; returns the `Year`. Once a month the power goes at a random change of the medium.

    world: what is around the device, `InMemory` or `years.Real`.
    """
    rng = random.Random("year %s" % seed)
    out = Year(days)
    disk = _disk.Disk("micropython-littlefs")
    tracing = not tracemalloc.is_tracing()
    if tracing:
        tracemalloc.start()
    try:
        with world(rng, out) as around:
            now = around.start
            end = now + days * limits.DAY
            while now < end:
                home = around.boot(disk, ids, now)
                out.boots += 1
                # A month without a reboot, watched day by day.
                until = min(now + 30 * limits.DAY, end)
                while home.now < until:
                    home.run(min(home.now + limits.DAY, until))
                    around.lived(home)
                    _check(home, out)
                now = home.now + 3600
                out.issued += home.device.issued
                out.files.append(len(disk.files()))
                around.halt(home)
                home = None
                around.forget()
                gc.collect()
                # CPython's own memory of attribute names, which computed ones fill up to its bound.
                sys._clear_type_cache()
                out.sockets.append(_sockets())
                out.memory.append(tracemalloc.get_traced_memory()[0])
                # And the power goes: what is unsynced is lost.
                disk = _disk.Disk(disk.kind, disk.survivors(rng))
                if progress is not None:
                    progress("day %d: %d certificates" % ((now - around.start) // limits.DAY, out.issued))
    finally:
        if tracing:
            tracemalloc.stop()
    return out


def _sockets():
    """How many sockets this process has open."""
    count = 0
    for fd in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink("/proc/self/fd/" + fd).startswith("socket:")
        except OSError:
            continue  # the listing's own
    return count


def counter(out):
    """A `Home`'s `watch` that counts into `out`."""

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
            return RemoteError("network", "gone")
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
        if home.device.activity == action.NOTHING:
            out.broken.append("a challenge is still published while nothing is in flight")
    for r in home.records:
        if r.file_id and home.now > r.not_after:
            out.broken.append("%s lapsed in spite of its retries" % r.identifiers_text.text())
        if r.planned_at <= home.now - limits.DAY:
            out.broken.append("the plan of %s is a day late" % r.identifiers_text.text())
