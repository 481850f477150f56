"""The router's clock: believed when NTP has said so. A router has no battery, and starts in its own past."""

import os
import time

from ipcert import limits
from ipcert_port.port.clock import Clock

SYNCED = "clock-is-set"  # made in the run folder by the NTP client's hook


class RouterClock(Clock):
    """`mark`: the file that NTP's hook makes, or None to believe any time that is not behind `floor`."""

    def __init__(self, floor, mark):
        super().__init__(floor)
        self._mark = mark

    def trustworthy(self):
        """False until NTP was heard, and while the time is behind the floor."""
        if self._mark is not None:
            try:
                os.stat(self._mark)
            except OSError:
                return False
            self._mark = None  # tmpfs: it stays until the next boot, and so does the time
        return super().trustworthy()


def utc(second):
    """A core second as RFC 3339 text."""
    t = time.gmtime(second + limits.EPOCH_UNIX)
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % tuple(t[:6])
