"""Folders and files with exactly the modes that are meant, whatever the process's umask says.

A umask of 077 would keep a web server from what is public, one of 777 ourselves from what is ours, and one of 000 would
let everybody write. `os.makedirs` with a mode is no help: that mode is the last folder's alone, and the umask's besides.
A test sees that nothing else of this port makes a folder or opens a file to write.
"""

from __future__ import annotations

import os
import stat

PUBLIC = 0o755  # of a folder that others may pass through, and of every folder above one that we make


def folder(path: str, mode: int = PUBLIC) -> None:
    """Have the folder `path`. It is made with `mode` where it is missing, those above it with PUBLIC; what is there stays.

    Raises OSError.
    """
    path = os.path.abspath(path)
    if os.path.isdir(path):
        return
    if os.path.dirname(path) != path:
        folder(os.path.dirname(path))
    make(path, mode)


def make(path: str, mode: int = PUBLIC) -> bool:
    """Make the folder `path`, or leave the one that is there; True where it was made. Raises OSError."""
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        if not os.path.isdir(path):
            raise
        return False
    if stat.S_IMODE(os.lstat(path).st_mode) != mode:
        os.chmod(path, mode)
    return True


def create(path: str, mode: int, flags: int = os.O_TRUNC) -> int:
    """A descriptor to write to `path`, which is made, or emptied, and has `mode` before anything is written. Raises OSError.

    With O_EXCL among the `flags` only a new file will do. A symbolic link is not followed, a
    FIFO not waited for.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | flags, mode)
    try:
        if stat.S_IMODE(os.fstat(fd).st_mode) != mode:
            os.fchmod(fd, mode)
    except BaseException:
        os.close(fd)
        raise
    return fd


def scratch() -> str:
    """The path of a new folder that is closed to others, where the system keeps such. Raises OSError."""
    import tempfile

    path = tempfile.mkdtemp(prefix="ipcert-")
    if stat.S_IMODE(os.lstat(path).st_mode) != 0o700:
        os.chmod(path, 0o700)
    return path
