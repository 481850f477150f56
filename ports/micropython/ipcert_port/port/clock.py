"""The time in whole seconds since 2020, and whether to believe it."""

import time

from ipcert import limits

# A board's epoch is 1970 (unix, rp2, mimxrt) or 2000 (esp32, stm32, qemu).
_OFFSET = limits.EPOCH_UNIX if time.gmtime(0)[0] == 1970 else limits.EPOCH_UNIX - 946684800
_EARLIEST = 0 - limits.EPOCH_UNIX


class Clock:
    """`floor` is the latest second that is known to be past (the journal's), in core seconds; it may be
    raised.

    `ntp` is a function that sets the board's clock or raises OSError (`ntptime.settime`, for one), or None.
    Most boards start in 1970 or 2000 and NTP is not authenticated, so a time before the floor or before this
    release was built is never believed.
    """

    def __init__(self, floor=0, ntp=None):
        self.floor = max(floor, limits.BUILT)
        self._ntp = ntp

    def _raw(self):
        # 4 to 8 bytes of heap on a 32-bit board: a Unix time is no small int there.
        return max(int(time.time()) - _OFFSET, _EARLIEST)

    def now(self):
        """Core seconds, never before the floor and never above limits.NEVER."""
        return min(max(self._raw(), self.floor), limits.NEVER)

    def trustworthy(self):
        """False while the board's time is before the floor."""
        return self.floor <= self._raw() < limits.NEVER

    def sync(self):
        """Set the clock by `ntp`; returns `trustworthy()`. Failing is no error: the next call may succeed.

        It blocks as long as the function does (about a second with `ntptime`). Call it at start, then daily.
        """
        if self._ntp is not None:
            try:
                self._ntp()
            except OSError:
                return False
        return self.trustworthy()
