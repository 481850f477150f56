"""One ipcert at a time for one state folder; the lock dies with its process."""

from __future__ import annotations

import errno
import fcntl
import os

from ipcert.errors import LocalError

from . import files

ORDERS = "lock"  # held by whatever changes the state
DAEMON = "run.lock"  # held by `ipcert run` for its whole life


class Lock:
    """Holds `name` in the state folder, which must exist, until `close`. A context manager.

    `patient` waits for the other process; otherwise LocalError("locked") names it.
    """

    def __init__(self, folder: str, name: str = ORDERS, patient: bool = False) -> None:
        path = os.path.join(folder, name)
        try:
            self._fd = _open(path)
        except OSError as e:
            if e.errno == errno.ENOSPC:
                text = "The disk that holds %s is full; free some space. Nothing was changed."
                raise LocalError("disk-full", text % folder) from None
            text = "Cannot write in %s: %s; run as its owner, or choose another state folder."
            raise LocalError("store", text % (folder, (e.strerror or "refused").lower())) from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | (0 if patient else fcntl.LOCK_NB))
        except BlockingIOError:
            other = _pid(self._fd)
            os.close(self._fd)
            who = " (process %d)" % other if other else ""
            text = "Another ipcert%s is working on %s; let it finish, or stop it first."
            if name == DAEMON:
                text = "Another ipcert run%s already serves %s; stop it first."
            raise LocalError("locked", text % (who, folder)) from None
        try:
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, b"%d\n" % os.getpid(), 0)
        except OSError:
            pass  # a full disk: the number is only there to be shown

    def close(self) -> None:
        """Let the next one in."""
        os.close(self._fd)

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()


def _open(path: str) -> int:
    try:
        os.close(files.create(path, 0o600, os.O_EXCL))
    except FileExistsError:
        pass
    return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)


def holder(folder: str, name: str = DAEMON) -> int:
    """The process number of who holds the lock, or 0."""
    try:
        fd = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _pid(fd)
    finally:
        os.close(fd)
    return 0


def _pid(fd: int) -> int:
    text = os.pread(fd, 16, 0).strip()
    return int(text) if text.isdigit() else 0
