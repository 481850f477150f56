"""Runs a program for a bounded time and reads what it prints, bounded too. Light enough for the waiting daemon."""

from __future__ import annotations

import os
import select
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

PRINTED = 4096  # bytes that a program may print


def run(command: Sequence[str], seconds: float) -> bytes:
    """What a program prints (bytes), without a shell and without the module subprocess, which the daemon has no room for.

    The program leads a process group of its own, which is killed when its `seconds` are over. Raises OSError.
    """
    read, write = os.pipe()
    with open(read, "rb", 0) as pipe:
        try:
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            try:
                actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, write, 1)]
                pid = os.posix_spawnp(
                    command[0], list(command), os.environ, file_actions=actions, setpgroup=0
                )
            finally:
                os.close(null)
        finally:
            os.close(write)
        data = b""
        status = None
        end = time.monotonic() + seconds
        try:
            while len(data) < PRINTED and select.select([pipe], [], [], max(end - time.monotonic(), 0))[0]:
                piece = pipe.read(PRINTED)
                if not piece:
                    break
                data += piece
            while status is None and time.monotonic() < end and len(data) < PRINTED:
                done, code = os.waitpid(pid, os.WNOHANG)
                if done:
                    status = code
                else:
                    time.sleep(0.01)
        finally:
            if status is None:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    if status is None:
        raise OSError("it took longer than %d seconds, or printed too much" % seconds)
    if status:
        raise OSError("it failed; run it by hand")
    return data
