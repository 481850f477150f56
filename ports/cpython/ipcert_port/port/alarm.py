"""Sleeping to the exact second of the wall clock, without polling.

A timer on CLOCK_REALTIME wakes at its second also after a suspend, and at once when somebody sets the clock, which
time.sleep cannot. Python has it since 3.13; before that it is asked of the C library.
"""

from __future__ import annotations

import os
import select
import signal
import struct

from ipcert import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import Any

_CLOCK_REALTIME = 0
_CLOEXEC = os.O_CLOEXEC
_NONBLOCK = os.O_NONBLOCK
_ABSTIME_CANCEL_ON_SET = 3


def _c_library() -> Any:
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _create() -> int:
    if hasattr(os, "timerfd_create"):
        return int(os.timerfd_create(_CLOCK_REALTIME, flags=_CLOEXEC | _NONBLOCK))
    return int(_c_library().timerfd_create(_CLOCK_REALTIME, _CLOEXEC | _NONBLOCK))


def _arm(fd: int, unix: int) -> None:
    if hasattr(os, "timerfd_settime"):
        os.timerfd_settime(fd, flags=_ABSTIME_CANCEL_ON_SET, initial=unix, interval=0)
        return
    # struct itimerspec in native longs: no interval, then the second.
    _c_library().timerfd_settime(fd, _ABSTIME_CANCEL_ON_SET, struct.pack("@4l", 0, 0, unix, 0), None)


class Alarm:
    """Waits for a second, a signal, or a step of the clock. For the main thread; one at a time.

    caught    the set of signal numbers that came since it was last cleared
    """

    def __init__(self, *signals: int) -> None:
        self._timer = _create()
        self._read, write = os.pipe2(_CLOEXEC | _NONBLOCK)
        self._write = write
        self.caught: set[int] = set()
        self._old = [(s, signal.signal(s, self._note)) for s in signals]
        self._wakeup = signal.set_wakeup_fd(write)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.caught.add(number)

    def wait(self, until: int, also: Sequence[int] = ()) -> None:
        """Sleep until the core second `until` (limits.NEVER: without end), unless a signal comes, the clock is set, or
        one of the file descriptors `also` has something to read.

        Returns without saying which: look at the clock and at `caught`.
        """
        if self.caught:
            return
        if self._timer >= 0:
            # A second that is past fires at once; NEVER is armed too, so that a step of the clock wakes us.
            _arm(self._timer, max(until + limits.EPOCH_UNIX, 1))
        fds = [self._read] if self._timer < 0 else [self._read, self._timer]
        # Without timers there is nothing better than to look at the clock now and then.
        ready = select.select([*fds, *also], [], [], 60 if self._timer < 0 else None)[0]
        for fd in ready:
            if fd not in fds:
                continue
            try:
                os.read(fd, 512)
            except OSError:  # ECANCELED: the clock was set
                continue

    def close(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._wakeup)
        for number, handler in self._old:
            signal.signal(number, handler)
        for fd in (self._read, self._write, self._timer):
            if fd >= 0:
                os.close(fd)
