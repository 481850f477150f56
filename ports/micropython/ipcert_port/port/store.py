"""Files that are whole or not there, on littlefs, FAT or the unix port.

Where renaming replaces a file in one step (littlefs, POSIX), a file is written beside and renamed. FAT
removes the old file first, so there each file is one of two slots (`slots`).
"""

import errno
import os
import sys

from ipcert import features, limits
from ipcert.errors import LocalError

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.-"
_TEMPORARY = ".tmp"

# Numbers that MicroPython's errno does not name.
_ENOTDIR = 20
_EFBIG = 27
_ENOSPC = 28
_EROFS = 30


class Store:
    """The files of one state folder. Names are [a-z0-9][a-z0-9.-]{0,31}, contents limits.FILE bytes at most.

    `slots` says whether the file system needs them; None finds out. Everything raises LocalError("store" |
    "disk-full" | "store-open") with a sentence that says what to do. A bad name is LocalError("name"), a file system that needs
    slots on a firmware without them LocalError("missing").
    """

    def __init__(self, folder, slots=None):
        self.folder = folder.rstrip("/")
        try:
            mode = self._prepare()
            files = [name for name in self._list() if name.lower() != name.upper()]
            probe = None
            # The probe is written only where nothing else can tell: a flash wears.
            if mode & 0o077 or slots is None and not files:
                probe = "probe" + _TEMPORARY
                with open(self.folder + "/" + probe, "wb") as f:
                    f.flush()
                self._private(mode, probe)
            self.slots = self._folds_case(probe or files[0]) if slots is None else slots
            if self.slots:
                self._slots = features.load("fat", "ipcert_port.port.slots")
            self._sweep()
        except OSError as e:
            raise self._failure("use", e)

    def _prepare(self):
        try:
            os.mkdir(self.folder)
        except OSError as e:
            if e.errno != errno.EEXIST:
                raise
        mode = os.stat(self.folder)[0]
        if not mode & 0x4000:
            raise OSError(_ENOTDIR)
        return mode

    def _private(self, mode, probe):
        """Where files have modes (the unix port), nobody else may get at them. Boards know no other users."""
        if mode & 0o077 and os.stat(self.folder + "/" + probe)[0] & 0o077:
            os.remove(self.folder + "/" + probe)
            text = "Other users can read what is written to %s; run: chmod 700 %s, or set the umask to 077."
            raise LocalError("store-open", text % (self.folder, self.folder))

    def _folds_case(self, name):
        """True on FAT: there "PROBE" is "probe"."""
        return self.size(self.folder + "/" + name.upper()) is not None

    def _list(self):
        return [entry[0] for entry in os.ilistdir(self.folder)]

    def _sweep(self):
        for name in self._list():
            if name.endswith(_TEMPORARY):
                self.wipe(self.folder + "/" + name)

    def _path(self, name):
        good = 0 < len(name) <= 32 and name[0] not in ".-" and not name.endswith(_TEMPORARY)
        for c in name:
            good = good and c in _LETTERS
        if not good:
            raise LocalError("name", "A file of the store cannot be named so; report this.")
        return self.folder + "/" + name

    def size(self, path):
        """A file's size, or None."""
        try:
            return os.stat(path)[6]
        except OSError as e:
            if e.errno == errno.ENOENT:
                return None
            raise

    def load(self, path, start):
        """The bytes of a file from `start`, or None."""
        size = self.size(path)
        if size is None:
            return None
        if size > limits.FILE + start:
            raise LocalError(
                "store", "%s is larger than anything ipcert writes; restore it from a backup." % path
            )
        with open(path, "rb") as f:
            f.seek(start)
            return f.read()

    def read(self, name):
        """The bytes of `name`, or None when there is no such file."""
        path = self._path(name)
        try:
            return self._slots.read(self, path) if self.slots else self.load(path, 0)
        except OSError as e:
            raise self._failure("read", e)

    def write(self, name, data):
        """Replace `name` by `data` (bytes-like); on the medium when this returns, unchanged when it
        raises."""
        path = self._path(name)
        if len(data) > limits.FILE:
            raise LocalError(
                "store", "%d bytes for %s are more than the store takes; report this." % (len(data), name)
            )
        try:
            if self.slots:
                self._slots.write(self, path, data)
            else:
                self.put(path + _TEMPORARY, b"", data)
                os.rename(path + _TEMPORARY, path)
                _sync(self.folder)
        except OSError as e:
            raise self._failure("write", e)

    def put(self, path, head, data):
        """Write a file that holds `head` and `data`; it is gone when this raises OSError."""
        try:
            with open(path, "wb") as f:
                _all(f, head)
                _all(f, data)
                f.flush()
            _sync(self.folder)
        except OSError:
            self._drop(path)
            raise

    def erase(self, name):
        """Remove `name`, overwriting its bytes first; nothing happens when it is not there.

        Flash file systems write elsewhere, so the old blocks keep their bytes until they are used again.
        """
        path = self._path(name)
        try:
            if self.slots:
                self._slots.erase(self, path)
            elif self.size(path) is not None:
                # Renamed first, so that a power cut leaves no half-erased file under its name.
                os.rename(path, path + _TEMPORARY)
                _sync(self.folder)
                self.wipe(path + _TEMPORARY)
        except OSError as e:
            raise self._failure("erase", e)

    def wipe(self, path):
        """Remove a file, its bytes overwritten first; nothing happens when it is not there."""
        left = self.size(path)
        if left is None:
            return
        zeros = bytes(64)
        try:
            with open(path, "r+b") as f:
                while left > 0:
                    left -= f.write(zeros if left >= 64 else zeros[:left])
                f.flush()
        except OSError as e:
            if e.errno != _ENOSPC:  # a full littlefs cannot overwrite, but it can remove
                raise
        os.remove(path)
        _sync(self.folder)

    def _drop(self, path):
        try:
            os.remove(path)
        except OSError:
            return  # the next start sweeps it, and a slot that is not whole does not count

    def names(self):
        """The names in the store, sorted."""
        found = []
        try:
            for name in self._list():
                if self.slots:
                    name = self._slots.name(self, name)
                try:
                    self._path(name)
                except LocalError:
                    continue
                if name not in found:
                    found.append(name)
        except OSError as e:
            raise self._failure("list", e)
        return sorted(found)

    def _failure(self, verb, error):
        number = error.errno
        if number in (_ENOSPC, _EFBIG):
            return LocalError(
                "disk-full",
                "The flash that holds %s is full; free some space. Nothing was changed." % self.folder,
            )
        if number == _EROFS:
            advice = "its file system is read-only; mount it writable"
        elif number in (errno.EACCES, errno.EPERM):
            advice = "permission denied; choose another state folder"
        elif number == errno.ENOENT:
            advice = "it is gone; create it again or choose another state folder"
        elif number == _ENOTDIR:
            advice = "it is not a folder; choose another state folder"
        else:
            advice = "error %s; check the flash" % number
        return LocalError("store", "Cannot %s %s: %s." % (verb, self.folder, advice))


def _all(f, data):
    n = f.write(data)
    if n != len(data):
        raise OSError(_ENOSPC)  # FAT says so by writing less


def _sync(folder):
    if hasattr(os, "sync"):
        os.sync()
    elif sys.platform == "linux":
        # A renaming is on the medium when its folder is. Linux opens a folder like a file, and flushing it is fsync.
        try:
            f = open(folder, "rb")
        except OSError:
            return  # littlefs and FAT, which tests mount there: they open no folders and need no more
        try:
            f.flush()
        finally:
            f.close()
