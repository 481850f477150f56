"""Run by MicroPython: its store on littlefs and FAT over a flash that loses power, and on the unix file
system.

Argument: an empty folder of the unix file system. Prints a line for each check; an exception is a failure.
"""

import errno
import os
import sys
import unittest

import conformance
import vfs

from ipcert.errors import LocalError
from ipcert_port.port.store import Store

BLOCK = 512


class PowerCut(Exception):
    pass


class Flash:
    """A block device in memory. `left` counts the block writes until the power goes; the last one may be
    torn.

    Afterwards it answers nothing more, not even files that are closed by the garbage collector: `revived`
    does.
    """

    def __init__(self, data):
        self.data = data
        self.left = -1
        self.torn = False
        self.dead = False
        self.writes = 0

    def revived(self):
        return Flash(bytearray(self.data))

    def readblocks(self, n, buf, offset=0):
        if self.dead:
            return -5
        at = n * BLOCK + offset
        buf[:] = self.data[at : at + len(buf)]
        return 0

    def writeblocks(self, n, buf, offset=0):
        if self.dead:
            return -5
        self.writes += 1
        at = n * BLOCK + offset
        if self.left == 0:
            size = len(buf) // 3 if self.torn else 0
            self.data[at : at + size] = buf[:size]
            self.dead = True
            raise PowerCut
        self.data[at : at + len(buf)] = buf
        self.left -= 1
        return 0

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // BLOCK
        if op == 5:
            return BLOCK
        return 0


def blank(blocks):
    return Flash(bytearray(b"\xff" * (blocks * BLOCK)))


def refused(code, call, *args):
    try:
        call(*args)
    except LocalError as e:
        assert e.code == code and "\n" not in str(e), (e.code, str(e))
        return str(e)
    raise AssertionError("not refused")


def behaves(folder, slots):
    """What any store does."""

    class Here(conformance.Store, unittest.TestCase):
        room = 1000  # the flash here is small

        def open(self):
            store = Store(folder)
            assert store.slots == slots
            return store

    for name in sorted(dir(Here)):
        if name.startswith("test"):
            unittest.run(Here, name)
    store = Store(folder)
    refused("name", store.read, "a.tmp")
    for name in store.names():
        store.erase(name)
    assert list(os.ilistdir(folder)) == []


def fills(folder):
    """A full flash refuses, and keeps what it has."""
    store = Store(folder)
    store.write("key", b"k" * 32)
    n = 0
    try:
        while True:
            store.write("chain.%d" % n, bytes(4000))
            n += 1
    except LocalError as e:
        assert e.code == "disk-full" and "free some space" in str(e), (e.code, str(e))
    assert n > 2 and store.read("key") == b"k" * 32 and store.read("chain.%d" % n) is None
    for i in range(n):
        assert store.read("chain.%d" % i) == bytes(4000)
        store.erase("chain.%d" % i)
    store.write("key", b"new")
    assert store.read("key") == b"new" and store.names() == ["key"]
    store.erase("key")


def mount(kind, flash, make=False):
    if make:
        kind.mkfs(flash)
    vfs.mount(kind(flash), "/flash")
    return flash


def power_cuts(kind, blocks, torn):
    """Cut at every block write of a write, an overwrite and an erase: the old contents or the new, never a
    third."""
    old, new = b"old" * 300, b"new" * 500
    steps = (
        ("first write", (None, old), lambda store: store.write("journal.0", old)),
        ("overwrite", (old, new), lambda store: store.write("journal.0", new)),
        ("erase", (old, None), lambda store: store.erase("journal.0")),
    )
    cuts = 0
    for what, (before, after), act in steps:
        cut = 0
        done = False
        while not done:
            flash = mount(kind, blank(blocks), True)
            store = Store("/flash/state")
            store.write("key", b"k" * 32)
            if before is not None:
                store.write("journal.0", before)
            flash.torn = torn
            flash.left = cut
            try:
                act(store)
                done = True
            except (PowerCut, LocalError):
                assert flash.dead
                cuts += 1
            flash.left = -1
            flash.dead = True
            vfs.umount("/flash")
            mount(kind, flash.revived())
            again = Store("/flash/state")
            assert again.slots == store.slots
            found = again.read("journal.0")
            assert found == after if done else found in (before, after), (what, cut, found)
            assert again.read("key") == b"k" * 32, (what, cut)
            again.write("journal.0", new)
            assert again.read("journal.0") == new
            again.erase("journal.0")
            assert again.names() == ["key"], (what, cut, again.names())
            vfs.umount("/flash")
            cut += 1
    return cuts


def damaged_slots():
    """A slot that was cut or flipped anywhere does not count, and the other one does."""
    mount(vfs.VfsFat, blank(96), True)
    store = Store("/flash/state")
    store.write("journal.0", b"one")
    path = "/flash/state/" + os.listdir("/flash/state")[0]
    with open(path, "rb") as f:
        data = f.read()
    store.write("journal.0", b"two")

    def other(contents):
        with open(path, "wb") as f:
            f.write(contents)

    other(data)
    assert store.read("journal.0") == b"two"
    newest = b"\x00\x00\x00\x09" + data[4:]
    for at in range(len(newest)):
        other(newest[:at] + bytes([newest[at] ^ 1]) + newest[at + 1 :])
        assert store.read("journal.0") == b"two"
        other(data[:at])
        assert store.read("journal.0") == b"two"
    store.write("journal.0", b"six")
    assert store.read("journal.0") == b"six" and len(os.listdir("/flash/state")) == 1
    vfs.umount("/flash")


def main():
    for kind, slots, blocks in ((vfs.VfsLfs2, False, 64), (vfs.VfsFat, True, 96)):
        flash = mount(kind, blank(blocks), True)
        behaves("/flash/state", slots)
        fills("/flash/state")
        Store("/flash/state").write("key", b"x")
        writes = flash.writes
        Store("/flash/state").read("key")
        assert flash.writes == writes, "starting wears the flash"
        vfs.umount("/flash")
        for torn in (False, True) if kind is vfs.VfsLfs2 else (False,):
            print(kind.__name__, "cuts", power_cuts(kind, blocks, torn))
    mount(vfs.VfsLfs2, blank(64), True)
    forced = Store("/flash/state", True)
    forced.write("key", b"k")
    assert forced.read("key") == b"k" and forced.names() == ["key"]
    forced.erase("key")
    assert forced.names() == []
    vfs.umount("/flash")
    damaged_slots()
    folder = sys.argv[1]
    behaves(folder + "/private", False)
    refused("store", Store, folder + "/absent/deep")
    with open(folder + "/file", "w"):
        assert "not a folder" in refused("store", Store, folder + "/file")
    for number in (errno.EACCES, errno.EIO, 30, 27, 28, 1000):
        assert str(Store(folder + "/private")._failure("write", OSError(number)))
    print("done")


main()
