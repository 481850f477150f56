"""The time in whole seconds since 2020, and whether to believe it."""

from __future__ import annotations

import os
import time

from ipcert import limits

_SYNC = "/run/systemd/timesync"
_PATIENCE = 600  # seconds of uptime during which an unfinished first synchronisation is waited for


class Clock:
    """`floor` is the latest second that is known to be past (the journal's), in core seconds; it may be
    raised.

    NTP is not authenticated and many boards have no clock of their own, so a time before the floor or before
    this release was built is never believed.
    """

    def __init__(self, floor: int = 0) -> None:
        self.floor = max(floor, limits.BUILT)

    def _raw(self) -> int:
        return int(time.time()) - limits.EPOCH_UNIX

    def now(self) -> int:
        """Core seconds, never before the floor and never above limits.NEVER."""
        return min(max(self._raw(), self.floor), limits.NEVER)

    def trustworthy(self) -> bool:
        """False while the system's time is before the floor, or is about to be set for the first time since
        boot."""
        if not self.floor <= self._raw() < limits.NEVER:
            return False
        return not _unsynchronised(_SYNC, "/proc/uptime")


def _unsynchronised(folder: str, uptime: str) -> bool:
    """True when systemd-timesyncd runs, has not had an answer since boot, and boot was just now.

    Machines without it, and those that never get an answer, are believed: their time is past the floor.
    """
    if not os.path.isdir(folder) or os.path.exists(os.path.join(folder, "synchronized")):
        return False
    try:
        with open(uptime) as f:
            return float(f.read(64).split()[0]) < _PATIENCE
    except (OSError, ValueError, IndexError):
        return False
