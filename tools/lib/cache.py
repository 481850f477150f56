"""The cache directory: everything the tools download or build, keyed by what it is made from."""

import contextlib
import fcntl
import hashlib
import os
import shutil

from tools.lib import run
from tools.lib.say import note

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
"""The checkout that this file belongs to."""

_READY = ".ready"


def path(*parts):
    """A path in the cache: $IPCERT_CACHE, else $XDG_CACHE_HOME/ipcert, else ~/.cache/ipcert."""
    base = os.environ.get("IPCERT_CACHE")
    if not base:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
        base = os.path.join(home, "ipcert")
    return os.path.join(os.path.abspath(base), *parts)


def key(*things):
    """Sixteen hex digits for these strings and bytes: the same things, the same key."""
    digest = hashlib.sha256()
    for thing in things:
        data = thing if isinstance(thing, bytes) else str(thing).encode()
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()[:16]


def read(*parts):
    """The bytes of a file of this checkout."""
    with open(os.path.join(ROOT, *parts), "rb") as file:
        return file.read()


@contextlib.contextmanager
def lock(name):
    """Hold the cache's lock `name`: a second run waits for the first. The lock dies with its process."""
    target = path("locks", name)
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        file = open(target, "w")
    except OSError as error:
        raise run.failure("The cache cannot be written.", str(error)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(f"waiting for another run that is preparing {name}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_ready(directory):
    """True when `directory` was made completely."""
    return os.path.exists(os.path.join(directory, _READY))


def once(directory, make):
    """Make `directory` by calling `make(directory)`, unless a complete one is there. Safe beside other runs.

    It is made in place (virtual environments cannot be moved), so a half-made one is known by its missing mark, and is
    removed: at once where that is still possible, else by the next run. Returns `directory`.
    """
    if is_ready(directory):
        return directory
    with lock(os.path.basename(directory)):
        if not is_ready(directory):
            _remove(directory)
            try:
                os.makedirs(directory)
                make(directory)
                with open(os.path.join(directory, _READY), "w"):
                    pass
            except BaseException as error:
                _remove(directory)
                if isinstance(error, OSError):
                    raise run.failure(f"{directory} could not be made.", str(error)) from error
                raise
    return directory


def _remove(path):
    """Remove a directory, or whatever another version left in its place."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.unlink(path)
