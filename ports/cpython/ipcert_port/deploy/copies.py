"""Copies of deployed files at places that a program insists on: `deploy.copy`.

Each is replaced in one step, but two of them are two steps: the program has to be told afterwards (`deploy.hook`).

The place may be another user's: what lies there is neither followed nor waited for, and a key is only ever written into a file
that we made.
"""

from __future__ import annotations

import os
import stat

from ipcert import limits
from ipcert.errors import LocalError

from ..port import files as disk
from ..port import regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COMBINED = "combined.pem"  # key and chain in one file, as HAProxy and lighttpd have it


class Copy:
    """One line of deploy.copy, "SOURCE:DESTINATION". Raises LocalError("config").

    lineage   folder name of the one it is for, or "*" for all; file: the file's name; target: a path with "{name}"
    """

    def __init__(self, text: str, files: Sequence[str], path: Callable[[str], str]) -> None:
        source, _, target = text.partition(":")
        self.lineage, _, self.file = source.strip().partition("/")
        target = target.strip()
        if not self.lineage or not target or self.file not in (*files, COMBINED):
            known = ", ".join((*files, COMBINED))
            text = 'deploy.copy: %r must look like "nas.example.net/privkey.pem:/etc/app/tls.key"; the files are %s.'
            raise LocalError("config", text % (source, known))
        if self.lineage == "*" and "{name}" not in target:
            raise LocalError(
                "config", "deploy.copy: %r is for every certificate, so write {name} in its path." % target
            )
        self.target = path(target)

    def path(self, name: str) -> str | None:
        """Where the copy for this lineage is, or None where this is for another one."""
        return self.target.replace("{name}", name) if self.lineage in ("*", name) else None


def bring(
    copy: Copy, name: str, files: Mapping[str, bytes] | None, write: Callable[[str, bytes, bool], object]
) -> bool:
    """Have the copy of `files` (name -> bytes, or None: none shall be) in place; True where something changed.

    `write(path, data, secret)` makes a new file. Raises OSError.
    """
    path = copy.path(name)
    if path is None:
        return False
    if files is None:
        return _remove(path)
    if copy.file == COMBINED:
        data = files["privkey.pem"] + files["fullchain.pem"]
    else:
        data = files[copy.file]
    try:
        if not os.path.islink(path) and regular.read(path, len(data) + 1) == data:
            return False
    except FileNotFoundError:
        disk.folder(os.path.dirname(path))
    except OSError:
        pass  # whatever it is, it is replaced
    try:
        os.unlink(path + ".new")  # left by a power cut, or by somebody who waits for a key
    except FileNotFoundError:
        pass
    write(path + ".new", data, copy.file in (COMBINED, "privkey.pem"))
    os.rename(path + ".new", path)
    return True


def _remove(path: str) -> bool:
    """Overwrite it, as it may hold a key, and remove it; True where there was one."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        fd = -1  # a link or a FIFO, and no file of ours
    if fd >= 0:
        try:
            seen = os.fstat(fd)
            # Another name of the same file would be another one's.
            if stat.S_ISREG(seen.st_mode) and seen.st_nlink == 1 and seen.st_size <= limits.FILE:
                os.write(fd, bytes(seen.st_size))
                os.fsync(fd)
        finally:
            os.close(fd)
    os.unlink(path)
    return True
