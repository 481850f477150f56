"""A file system in memory that can lose power: what was not synced survives in part, torn, or not at all.

The two ports' real stores run on it, unchanged: their modules are loaded a second time with this `os` and `open`.
Four kinds: "posix" under the CPython store; "posix", "fat" and "littlefs" under the MicroPython one. A fifth, "raw",
has a store that writes in place and promises nothing: there the core's own order of writes has to do.
"""

import errno
import importlib.util
import os
import stat
import sys

from ipcert.errors import LocalError
from tools.lib import cache

KINDS = ("cpython-posix", "micropython-posix", "micropython-fat", "micropython-littlefs", "raw")
FOLDER = "/state"
FULL = errno.ENOSPC
READ_ONLY = errno.EROFS


class Inode:
    """A file's bytes: as programs see them (`live`), and as the medium has them for sure (`safe`)."""

    def __init__(self, data=b""):
        self.live = bytearray(data)
        self.safe = bytes(data)
        self.links = 1


class Disk:
    """One flat folder on a medium.

    tick      called before and after each change with the disk; it may ask `survivors` what a cut would leave
    fails     None, or (how many more changes succeed, errno): then every change fails with it
    written   bytes programmed; changes: how many changes there were
    """

    def __init__(self, kind="cpython-posix", files=None, tick=None):
        self.kind = kind
        self.names = {}
        for name, data in (files or {}).items():
            self.names[name] = Inode(data)
        self.safe = dict(self.names)
        self.log = []  # changes that are not synced yet, in order
        self.tick = tick
        self.fails = None
        self.written = self.changes = 0
        self.made = True

    def files(self):
        """name -> bytes, as programs see it."""
        return {name: bytes(inode.live) for name, inode in self.names.items()}

    # Changes.

    def _begin(self, what):
        self.changes += 1
        if self.fails is not None:
            left, number = self.fails
            if left <= 0 and not (number == FULL and what in ("unlink", "rename", "sync")):
                raise OSError(number, os.strerror(number))
            self.fails = (left - 1, number)
        if self.tick is not None:
            self.tick(self)

    def _end(self, *change):
        self.log.append(change)
        if self.tick is not None:
            self.tick(self)

    def create(self, name):
        self._begin("create")
        inode = Inode()
        self.names[name] = inode
        self._end("link", name, inode)
        return inode

    def write(self, inode, at, data):
        """Returns how many bytes were taken: a disk that fills up takes some of them."""
        data = bytes(data)
        if self.fails is not None and self.fails[0] == 0 and self.fails[1] == FULL and len(data) > 1:
            data = data[: len(data) // 2]
            self.fails = (1, FULL)
        self._begin("write")
        inode.live[at : at + len(data)] = data
        self.written += len(data)
        self._end("write", inode, at, data)
        return len(data)

    def truncate(self, inode):
        self._begin("write")
        del inode.live[:]
        self._end("truncate", inode)

    def unlink(self, name):
        self._begin("unlink")
        if name not in self.names:
            raise OSError(errno.ENOENT, name)
        self.names.pop(name).links = 0
        self._end("unlink", name)
        self._durable_now()

    def rename(self, old, new):
        self._begin("rename")
        if old not in self.names:
            raise OSError(errno.ENOENT, old)
        inode = self.names.pop(old)
        self.names[new] = inode
        if self.kind == "micropython-fat":  # three changes, and power may go between any two
            self._end("unlink", new)
            self._end("link", new, inode)
            self._end("unlink", old)
        else:
            self._end("rename", old, new, inode)
        self._durable_now()

    def _durable_now(self):
        # FatFs and littlefs hand a change of the folder to the flash before they return.
        if self.kind in ("micropython-fat", "micropython-littlefs"):
            self.sync_folder()

    def sync_file(self, inode):
        self._begin("sync")
        keep = []
        for change in self.log:
            if change[0] in ("write", "truncate") and change[1] is inode:
                continue
            keep.append(change)
        inode.safe = bytes(inode.live)
        if self.kind in ("micropython-fat", "micropython-littlefs"):
            # The folder's entry goes with the file there.
            keep = [c for c in keep if not (c[0] == "link" and c[2] is inode)]
            for name in self.names:
                if self.names[name] is inode:
                    self.safe[name] = inode
        self.log = keep

    def sync_folder(self):
        self._begin("sync")
        self.log = [c for c in self.log if c[0] in ("write", "truncate")]
        self.safe = dict(self.names)

    def sync_all(self):
        self._begin("sync")
        for inode in self.names.values():
            inode.safe = bytes(inode.live)
        self.safe = dict(self.names)
        self.log = []

    # Power.

    def survivors(self, rng):
        """name -> bytes after a cut at this moment: one of the many possible outcomes, drawn from `rng`.

        Every unsynced change survives or not, by itself ("littlefs": nothing that is unsynced does); a write may stop
        at any byte, and what was not written between two that were reads as zeros.
        """
        keep = rng.choice((0, 0.2, 0.5, 0.8, 1))
        names = dict(self.safe)
        data = {}
        lfs = self.kind == "micropython-littlefs"
        for change in self.log:
            if lfs or rng.random() >= keep:
                continue
            word = change[0]
            if word == "link":
                names[change[1]] = change[2]
            elif word == "unlink":
                names.pop(change[1], None)
            elif word == "rename":
                if names.get(change[1]) is change[3]:
                    del names[change[1]]
                names[change[2]] = change[3]
            else:
                inode = change[1]
                buf = data.setdefault(id(inode), bytearray(inode.safe))
                if word == "truncate":
                    del buf[:]
                    continue
                at, new = change[2], change[3]
                if rng.random() < 0.4:
                    new = new[: rng.randrange(len(new) + 1)]
                if at > len(buf):
                    buf += bytes(at - len(buf))
                buf[at : at + len(new)] = new
        return {name: bytes(data.get(id(inode), inode.safe)) for name, inode in names.items()}


class _Path:
    join = staticmethod(os.path.join)
    abspath = staticmethod(os.path.abspath)
    dirname = staticmethod(os.path.dirname)

    @staticmethod
    def isdir(path):
        return path == FOLDER or FOLDER.startswith(path.rstrip("/") + "/")


class _Os:
    """The part of CPython's `os` that the store uses, over `self.disk`."""

    path = _Path
    strerror = staticmethod(os.strerror)

    def __init__(self):
        self.disk = None
        self._open = {}
        self._next = 3
        for name in dir(os):
            if name.startswith("O_"):
                setattr(self, name, getattr(os, name))

    def getpid(self):
        return 4242

    def mkdir(self, path, mode=0o777):
        raise FileExistsError(errno.EEXIST, path)

    def stat(self, path):
        return os.stat_result((stat.S_IFDIR | 0o700, 0, 0, 1, 0, 0, 0, 0, 0, 0))

    def listdir(self, path):
        return list(self.disk.names)

    def chmod(self, path, mode):
        """Folders are 0700 here."""

    def open(self, path, flags, mode=0o777):
        name = os.path.basename(path)
        inode = None
        if path != FOLDER:
            inode = self.disk.names.get(name)
            if flags & os.O_CREAT:
                if inode is not None:
                    raise FileExistsError(errno.EEXIST, path)
                if mode != 0o600:
                    raise AssertionError("a file of the state is made with mode %o" % mode)
                inode = self.disk.create(name)
            elif inode is None:
                raise FileNotFoundError(errno.ENOENT, path)
        self._next += 1
        self._open[self._next] = [inode, 0, self.disk]
        return self._next

    def close(self, fd):
        self._open.pop(fd)

    def read(self, fd, n):
        file = self._open[fd]
        data = bytes(file[0].live[file[1] : file[1] + n])
        file[1] += len(data)
        return data

    def write(self, fd, data):
        file = self._open[fd]
        n = file[2].write(file[0], file[1], data)
        file[1] += n
        return n

    def lseek(self, fd, at, whence):
        self._open[fd][1] = at

    SEEK_SET = 0

    def fstat(self, fd):
        inode = self._open[fd][0]
        return os.stat_result((stat.S_IFREG | 0o600, 0, 0, inode.links, 0, 0, len(inode.live), 0, 0, 0))

    def fsync(self, fd):
        inode, _, disk = self._open[fd]
        if inode is None:
            disk.sync_folder()
        else:
            disk.sync_file(inode)

    def rename(self, old, new):
        old, new = os.path.basename(old), os.path.basename(new)
        if old not in self.disk.names:
            raise FileNotFoundError(errno.ENOENT, old)
        self.disk.rename(old, new)

    def unlink(self, path):
        name = os.path.basename(path)
        if name not in self.disk.names:
            raise FileNotFoundError(errno.ENOENT, path)
        self.disk.unlink(name)


class _Fcntl:
    LOCK_EX = LOCK_NB = LOCK_SH = 0

    @staticmethod
    def flock(fd, how):
        """One process only."""


class _BoardOs:
    """The part of MicroPython's `os` that its store uses, and its `open`."""

    def __init__(self):
        self.disk = None

    def _name(self, path):
        name = path.rsplit("/", 1)[1]
        if self.disk.kind == "micropython-fat":
            for there in self.disk.names:
                if there.lower() == name.lower():
                    return there
        return name

    def mkdir(self, path):
        raise OSError(errno.EEXIST, path)

    def stat(self, path):
        if path == FOLDER:
            return (0x4000, 0, 0, 0, 0, 0, 0, 0, 0, 0)
        inode = self.disk.names.get(self._name(path))
        if inode is None:
            raise OSError(errno.ENOENT, path)
        return (0x8000, 0, 0, 0, 0, 0, len(inode.live), 0, 0, 0)

    def ilistdir(self, path):
        return iter([(name, 0x8000, 0, 0) for name in list(self.disk.names)])

    def rename(self, old, new):
        self.disk.rename(self._name(old), new.rsplit("/", 1)[1])

    def remove(self, path):
        self.disk.unlink(self._name(path))

    def open(self, path, mode):
        name = self._name(path)
        inode = self.disk.names.get(name)
        if mode == "wb":
            if inode is None:
                inode = self.disk.create(name)
            else:
                self.disk.truncate(inode)
        elif inode is None:
            raise OSError(errno.ENOENT, path)
        return _BoardFile(self.disk, inode)


class _UnixOs(_BoardOs):
    def sync(self):
        self.disk.sync_all()


class _BoardFile:
    def __init__(self, disk, inode):
        self._disk = disk
        self._inode = inode
        self._at = 0

    def __enter__(self):
        return self

    def __exit__(self, *what):
        # Closing writes out what there is, on a board.
        if (
            what[0] is None
            and self._disk.kind != "micropython-posix"
            and any(c[0] in ("write", "truncate") and c[1] is self._inode for c in self._disk.log)
        ):
            self._disk.sync_file(self._inode)

    def seek(self, at):
        self._at = at

    def read(self, n=-1):
        end = len(self._inode.live) if n < 0 else self._at + n
        data = bytes(self._inode.live[self._at : end])
        self._at += len(data)
        return data

    def readinto(self, buf):
        data = self.read(len(buf))
        buf[: len(data)] = data
        return len(data)

    def write(self, data):
        n = self._disk.write(self._inode, self._at, data)
        self._at += n
        return n

    def flush(self):
        if self._disk.kind != "micropython-posix":
            self._disk.sync_file(self._inode)


def _load(port, name, file="store.py"):
    path = os.path.join(cache.ROOT, "ports", port, "ipcert_port", "port", file)
    name = "ipcert_port.port." + name  # for its relative imports
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _modules():
    cpython = _load("cpython", "simulated_cpython_store")
    cpython.files = _load("cpython", "simulated_cpython_files", "files.py")
    cpython.os = cpython.files.os = _Os()
    cpython.fcntl = _Fcntl
    found = {"cpython-posix": (cpython, cpython.os)}
    for kind, system in (
        ("micropython-posix", _UnixOs()),
        ("micropython-fat", _BoardOs()),
        ("micropython-littlefs", _BoardOs()),
    ):
        module = _load("micropython", "simulated_store_" + kind.replace("-", "_"))
        module.os = system
        module.open = system.open
        found[kind] = (module, system)
    # A part of MicroPython's store, which loads it by its full name, on FAT. CPython's port has no such module.
    slots = _load("micropython", "slots", "slots.py")
    slots.open = found["micropython-fat"][1].open
    sys.modules[slots.__name__] = slots
    return found


_STORES = {}


class RawStore:
    """A store that overwrites files in place: a cut leaves any part of the file that is being written."""

    def __init__(self, disk):
        self._disk = disk

    def read(self, name):
        inode = self._disk.names.get(name)
        return None if inode is None else bytes(inode.live)

    def write(self, name, data):
        try:
            inode = self._disk.names.get(name)
            if inode is None:
                inode = self._disk.create(name)
            else:
                self._disk.truncate(inode)
            at = 0
            while at < len(data):
                at += self._disk.write(inode, at, data[at:])
            self._disk.sync_all()
        except OSError as e:
            raise LocalError(
                "disk-full" if e.errno == FULL else "store", "The raw store cannot write."
            ) from None

    def erase(self, name):
        try:
            if name in self._disk.names:
                self._disk.unlink(name)
                self._disk.sync_all()
        except OSError:
            raise LocalError("store", "The raw store cannot erase.") from None

    def names(self):
        return sorted(self._disk.names)


class On:
    """Stores and calls inside a `with` block work on `disk`; blocks may be nested."""

    def __init__(self, disk):
        if not _STORES:
            _STORES.update(_modules())
        self._disk = disk
        self._module, self._system = _STORES.get(disk.kind) or (None, self)
        self.disk = None

    def __enter__(self):
        self._before = self._system.disk
        self._system.disk = self._disk
        return self

    def __exit__(self, *what):
        self._system.disk = self._before

    def store(self):
        """The port's own `Store`, on this disk."""
        if self._disk.kind == "raw":
            return RawStore(self._disk)
        if self._disk.kind == "cpython-posix":
            return self._module.Store(FOLDER)
        return self._module.Store(FOLDER, self._disk.kind == "micropython-fat")
