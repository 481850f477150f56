"""Files that are whole or not there: written beside, flushed, renamed, and the folder flushed too.

Files are 0600 in a folder made 0700. A write that fails leaves the old bytes as they were. What a power cut
leaves behind is a temporary file, which the next start removes.
"""

from __future__ import annotations

import errno
import fcntl
import os

from ipcert import limits
from ipcert.errors import LocalError

from . import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipcert.port import Bytes

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")
_PIECE = 65536


class Store:
    """The files of one state folder. Names are [a-z0-9][a-z0-9.-]{0,31}, contents limits.FILE bytes at most.

    Processes may share a folder: each write is atomic, the last one stays. Everything raises LocalError("store" |
    "disk-full" | "store-open") with a sentence that says what to do. A bad name is LocalError("name").
    """

    def __init__(self, folder: str) -> None:
        self.folder = os.path.abspath(folder)
        try:
            self._prepare()
        except OSError as e:
            raise self._failure("use", e) from None

    def _prepare(self) -> None:
        files.folder(os.path.dirname(self.folder))
        if not files.make(self.folder, 0o700):
            mode = os.stat(self.folder).st_mode
            if mode & 0o022:
                text = "The state folder %s can be written by other users; run: chmod 700 %s"
                raise LocalError("store-open", text % (self.folder, self.folder))
            if mode & 0o055 and not os.listdir(self.folder):
                os.chmod(self.folder, 0o700)
        for name in os.listdir(self.folder):
            if name.startswith(".") and name.endswith(".tmp") and _named(name[1:].split("@")[0]):
                self._sweep(os.path.join(self.folder, name))

    def _sweep(self, path: str) -> None:
        """Remove a temporary file, unless the process that writes it still holds its lock."""
        try:
            fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _blank(fd)
            os.unlink(path)
        except BlockingIOError:
            return
        finally:
            os.close(fd)

    def _path(self, name: str) -> str:
        if not _named(name):
            raise LocalError("name", "A file of the store cannot be named %s." % ascii(name))
        return os.path.join(self.folder, name)

    def read(self, name: str) -> bytes | None:
        """The bytes of `name`, or None when there is no such file."""
        path = self._path(name)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as e:
            raise self._failure("read", e, name) from None
        try:
            data = bytearray()
            while len(data) <= limits.FILE:
                piece = os.read(fd, _PIECE)
                if not piece:
                    return bytes(data)
                data += piece
        except OSError as e:
            raise self._failure("read", e, name) from None
        finally:
            os.close(fd)
        raise LocalError(
            "store", "%s is larger than anything ipcert writes; restore it from a backup." % path
        )

    def write(self, name: str, data: Bytes) -> None:
        """Replace `name` by `data` (bytes-like); on the medium when this returns, unchanged when it
        raises."""
        path = self._path(name)
        if len(data) > limits.FILE:
            raise LocalError(
                "store", "%d bytes for %s are more than the store takes; report this." % (len(data), name)
            )
        temporary = os.path.join(self.folder, ".%s@%d.tmp" % (name, os.getpid()))
        try:
            fd = self._create(temporary)
            try:
                view = memoryview(data)
                while len(view):
                    view = view[os.write(fd, view) :]
                os.fsync(fd)
                os.rename(temporary, path)
            except BaseException:
                self._drop(temporary)
                raise
            finally:
                os.close(fd)
            self._flush()
        except OSError as e:
            raise self._failure("write", e, name) from None

    def _create(self, temporary: str) -> int:
        """Open a new file under a lock that says that its writer lives."""
        while True:
            try:
                os.unlink(temporary)
            except FileNotFoundError:
                fd = files.create(temporary, 0o600, os.O_EXCL)
                fcntl.flock(fd, fcntl.LOCK_EX)
                if os.fstat(fd).st_nlink:
                    return fd
                os.close(fd)  # a starting process swept it away between the two lines above

    def _drop(self, path: str) -> None:
        try:
            os.unlink(path)
        except OSError:
            return  # the next start sweeps it

    def _flush(self) -> None:
        fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def erase(self, name: str) -> None:
        """Remove `name`, overwriting its bytes first; nothing happens when it is not there.

        Overwriting reaches the medium on a plain disk; flash controllers and copying file systems keep old
        blocks.
        """
        path = self._path(name)
        gone = os.path.join(self.folder, ".%s@gone.tmp" % name)
        try:
            os.rename(path, gone)
        except FileNotFoundError:
            return
        except OSError as e:
            raise self._failure("erase", e, name) from None
        try:
            self._flush()  # or a power cut could bring the name back, over zeros
            self._sweep(gone)
            self._flush()
        except OSError as e:
            raise self._failure("erase", e, name) from None

    def names(self) -> list[str]:
        """The names in the store, sorted."""
        try:
            return sorted([name for name in os.listdir(self.folder) if _named(name)])
        except OSError as e:
            raise self._failure("list", e) from None

    def _failure(self, verb: str, error: OSError, name: str | None = None) -> LocalError:
        path = self.folder if name is None else os.path.join(self.folder, name)
        number = error.errno
        if number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            text = "The disk that holds %s is full; free some space. Nothing was changed."
            return LocalError("disk-full", text % self.folder)
        if number == errno.EROFS:
            advice = "its file system is read-only; mount it writable or choose another state folder"
        elif number in (errno.EACCES, errno.EPERM):
            advice = "permission denied; run as the folder's owner or choose another state folder"
        elif number == errno.ENOENT:
            advice = "it is gone; create it again or choose another state folder"
        elif number in (errno.ENOTDIR, errno.EEXIST):
            advice = "it is not a folder; choose another state folder"
        elif number == errno.ELOOP:
            advice = "it is a symbolic link; put the file itself there"
        else:
            advice = "%s; check the disk" % (error.strerror or "the system refuses").lower()
        return LocalError("store", "Cannot %s %s: %s." % (verb, path, advice))


def _named(name: str) -> bool:
    return 0 < len(name) <= 32 and name[0] not in ".-" and _LETTERS.issuperset(name)


def _blank(fd: int) -> None:
    """Overwrite a file's bytes with zeros, on the medium as far as the file system goes."""
    left = os.fstat(fd).st_size
    os.lseek(fd, 0, os.SEEK_SET)
    while left > 0:
        left -= os.write(fd, bytes(min(left, _PIECE)))
    os.fsync(fd)
