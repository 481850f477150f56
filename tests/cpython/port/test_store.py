"""ipcert_port.port.store on CPython: old bytes or new ones, whatever goes wrong. `conformance.Store` has what any store does."""

import ctypes
import errno
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time

import pytest
from home import uncovered

from ipcert import limits
from ipcert.errors import LocalError
from ipcert_port.port.store import Store

pytestmark = pytest.mark.quick

ENVIRONMENT = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))


def folder():
    return os.path.join(tempfile.mkdtemp(), "state")


def refused(code, call, *args):
    try:
        call(*args)
    except LocalError as e:
        assert e.code == code, (e.code, str(e))
        assert "\n" not in str(e)
        return str(e)
    raise AssertionError("not refused")


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_nothing_but_the_files_is_left_in_the_folder():
    store = Store(folder())
    store.write("journal.0", b"one")
    store.write("key", b"k")
    store.erase("key")
    assert os.listdir(store.folder) == ["journal.0"]


def test_modes_do_not_depend_on_the_umask():
    old = os.umask(0)
    try:
        store = Store(folder())
        store.write("key", b"k")
        assert mode(store.folder) == 0o700 and mode(os.path.join(store.folder, "key")) == 0o600
        empty = folder()
        os.mkdir(empty, 0o755)
        assert mode(Store(empty).folder) == 0o700
        shared = folder()
        os.mkdir(shared, 0o777)
        assert "chmod 700" in refused("store-open", Store, shared)
    finally:
        os.umask(old)


def test_what_is_too_large_is_not_read():
    store = Store(folder())
    store.write("chain", bytes(limits.FILE))
    with open(os.path.join(store.folder, "chain"), "ab") as f:
        f.write(b"x")
    assert "backup" in refused("store", store.read, "chain")


def test_a_name_in_another_script_is_refused():
    refused("name", Store(folder()).read, "\u00e9")


def test_leftovers_are_swept_and_strangers_left_alone():
    store = Store(folder())
    for name in (".journal.0@4242.tmp", ".key@gone.tmp", ".vimrc", ".x.tmp"):
        with open(os.path.join(store.folder, name), "wb") as f:
            f.write(b"left over")
    Store(store.folder)
    assert sorted(os.listdir(store.folder)) == [".vimrc"]


def test_a_writer_in_another_process_is_not_swept():
    store = Store(folder())
    store.write("journal.0", b"0")
    code = "import sys\nfrom ipcert_port.port.store import Store\ns = Store(sys.argv[1])\n"
    code += "for i in range(300): s.write('journal.0', b'%d' % i)"
    writer = subprocess.Popen([sys.executable, "-c", code, store.folder], env=ENVIRONMENT)
    while writer.poll() is None:
        Store(store.folder).write("other", b"x")
        assert store.read("journal.0").isdigit()
    assert writer.returncode == 0 and store.read("journal.0") == b"299"
    assert store.names() == ["journal.0", "other"]


def test_two_threads_write_side_by_side():
    store = Store(folder())
    failed = []

    def write(letter):
        try:
            for _ in range(50):
                store.write("a" + letter, letter.encode() * 5000)
        except LocalError as e:
            failed.append(e)

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "xy"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and store.read("ax") == b"x" * 5000 and store.read("ay") == b"y" * 5000


def test_a_kill_at_any_moment_leaves_the_old_or_the_new():
    store = Store(folder())
    code = (
        "import sys\nfrom ipcert_port.port.store import Store\ns = Store(sys.argv[1])\nprint(1, flush=True)\n"
    )
    code += "while 1:\n for c in b'ab': s.write('journal.0', bytes([c]) * 20000)"
    store.write("journal.0", b"a" * 20000)
    for i in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", code, store.folder], env=ENVIRONMENT, stdout=subprocess.PIPE
        )
        child.stdout.read(1)
        time.sleep(0.003 * i + 0.002)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        data = Store(store.folder).read("journal.0")
        assert data in (b"a" * 20000, b"b" * 20000)
        assert all(not name.startswith(".") for name in os.listdir(store.folder))


def test_disk_full_leaves_the_old_bytes():
    # A file size limit makes write() fail for real, in a child because it cannot be raised again.
    store = Store(folder())
    store.write("chain", b"old")
    before = os.stat(os.path.join(store.folder, "chain"))
    code = """
import resource, signal, sys
from ipcert.errors import LocalError
from ipcert_port.port.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    store.write("chain", bytes(5000))
except LocalError as e:
    print(e.code, e)
"""
    # Coverage could not write its database either.
    environment = dict(uncovered(), PYTHONPATH=ENVIRONMENT["PYTHONPATH"])
    done = subprocess.run(
        [sys.executable, "-c", code, store.folder], env=environment, stdout=subprocess.PIPE, check=True
    )
    assert done.stdout.startswith(b"disk-full The disk that holds"), done.stdout
    after = os.stat(os.path.join(store.folder, "chain"))
    assert store.read("chain") == b"old" and (before.st_ino, before.st_mtime_ns) == (
        after.st_ino,
        after.st_mtime_ns,
    )
    assert os.listdir(store.folder) == ["chain"]


def test_a_full_tmpfs():
    path = folder()
    os.mkdir(path, 0o700)
    if not _mount(path, b"size=64k,mode=0700"):
        return _not_mountable()
    try:
        store = Store(path)
        store.write("key", b"k" * 32)
        code = None
        for i in range(40):
            try:
                store.write("chain.%d" % i, bytes(16384))
            except LocalError as e:
                code = e.code
                break
        assert code == "disk-full" and store.read("key") == b"k" * 32
        refused("disk-full", store.write, "key", bytes(32768))
        assert store.read("key") == b"k" * 32
        _mount(path, b"", remount=True)
        assert "read-only" in refused("store", store.write, "key", b"new")
        assert "read-only" in refused("store", store.erase, "key")
        assert store.read("key") == b"k" * 32
    finally:
        ctypes.CDLL(None).umount2(path.encode(), 2)


def _mount(path, options, remount=False):
    flags = 32 | 1 if remount else 0
    return ctypes.CDLL(None, use_errno=True).mount(b"tmpfs", path.encode(), b"tmpfs", flags, options) == 0


def _not_mountable():
    # Mounting needs root; without it the same sentences are checked from the error numbers alone.
    store = Store(folder())
    assert store._failure("write", OSError(errno.ENOSPC, "")).code == "disk-full"
    assert "read-only" in str(store._failure("write", OSError(errno.EROFS, "")))


def test_every_error_number_becomes_one_sentence():
    store = Store(folder())
    for number in errno.errorcode:
        e = store._failure("write", OSError(number, os.strerror(number)), "key")
        assert e.code in ("store", "disk-full") and "\n" not in str(e) and store.folder in str(e)


def test_a_folder_that_is_a_file_gone_or_closed():
    path = folder()
    with open(path, "w"):
        assert "not a folder" in refused("store", Store, path)
    store = Store(folder())
    os.rmdir(store.folder)
    assert "gone" in refused("store", store.write, "key", b"")
    refused("store", store.names)
    assert store.read("key") is None
    if os.getuid():
        os.mkdir(store.folder, 0o500)
        assert "permission denied" in refused("store", store.write, "key", b"")


def test_symbolic_links_are_not_followed():
    store = Store(folder())
    secret = os.path.join(os.path.dirname(store.folder), "secret")
    with open(secret, "wb") as f:
        f.write(b"s")
    os.symlink(secret, os.path.join(store.folder, "key"))
    assert "symbolic link" in refused("store", store.read, "key")
    store.write("key", b"k")
    with open(secret, "rb") as f:
        assert f.read() == b"s" and store.read("key") == b"k"


def test_erasing_overwrites():
    store = Store(folder())
    store.write("key", b"secret" * 100)
    with open(os.path.join(store.folder, "key"), "rb") as f:
        store.erase("key")
        assert f.read() == bytes(600)
