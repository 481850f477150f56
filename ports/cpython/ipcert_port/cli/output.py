"""stdout and stderr that fail nobody: an order never depends on who reads.

What cannot be written is dropped, and the command goes on. `lost` says afterwards whether somebody who wanted to read
missed something; the exit code tells (`exit_codes.OUTPUT`).

    closed when we started     nobody wants to read: as with /dev/null
    the reader left            as `| head` does: nothing was missed
    full, or another error     missed
    not read for _PATIENCE     missed; only for commands that order, which nobody may hold up. The others wait.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

_PATIENCE = 10  # seconds without room in a pipe; after the first time there is no more waiting
_PIECE = 512  # POSIX's least PIPE_BUF: where there is room for anything, as many bytes do not block
_LEFT = (errno.EPIPE, errno.EIO)  # EIO: the terminal is gone


class _Sink(io.FileIO):
    """A descriptor. Every write succeeds; failed: errno of the first that did not, or 0."""

    def __init__(self, fd: int, patience: int | None) -> None:
        super().__init__(fd, "w", closefd=False)
        self.failed = 0
        self.patience = patience

    def write(self, data: Any) -> int:
        data = memoryview(data).cast("B")
        done = 0
        while done < len(data) and not self.failed:
            try:
                if self._has_room():
                    done += super().write(data[done : done + _PIECE]) or 0
                else:
                    self.failed = errno.ETIMEDOUT
            except OSError as e:
                self.failed = e.errno or errno.EIO
        return len(data)

    def _has_room(self) -> bool:
        """Wait until something can be written. False when the patience, None for no end, is over."""
        poll = select.poll()
        poll.register(self.fileno(), select.POLLOUT)
        return bool(poll.poll(None if self.patience is None else 1000 * self.patience))


def _stream(fd: int, old: TextIO | None, line_buffering: bool) -> tuple[_Sink, io.TextIOWrapper]:
    sink = _Sink(fd, None)
    encoding = "utf-8" if old is None else old.encoding
    text = io.TextIOWrapper(
        io.BufferedWriter(sink), encoding, "backslashreplace", line_buffering=line_buffering
    )
    return sink, text


class Output:
    """Puts itself in the place of sys.stdout and sys.stderr.

    It also sees that the numbers 0, 1 and 2 are taken: else the next file that we open would be our stdout.
    """

    def __init__(self) -> None:
        for fd in (0, 1, 2):
            try:
                os.fstat(fd)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
        for old in (sys.stdout, sys.stderr):
            try:
                if old is not None:
                    old.flush()
            except OSError:
                pass
        self._sinks = []
        for name, fd in (("stdout", 1), ("stderr", 2)):
            sink, text = _stream(fd, getattr(sys, name), fd == 2 or os.isatty(fd))
            setattr(sys, name, text)
            self._sinks.append(sink)

    def hurry(self) -> None:
        """From now on a reader who does not read is not waited for: an order is under way."""
        for sink in self._sinks:
            sink.patience = _PATIENCE

    def lost(self) -> bool:
        """True when something of what was written to stdout is missing where somebody wanted it."""
        sys.stdout.flush()
        return self._sinks[0].failed not in (0, *_LEFT)
