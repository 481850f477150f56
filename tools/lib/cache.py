"""The cache directory: everything the tools download or build, keyed by what it is made from."""

import contextlib
import fcntl
import hashlib
import os
import shutil

from .say import Stop, note

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
        raise Stop(
            f"The cache cannot be written ({error}); make it writable or set IPCERT_CACHE to another directory."
        ) from error
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

    It is made in place (virtual environments cannot be moved), so a half-made one is known by its missing mark.
    Returns `directory`.
    """
    if is_ready(directory):
        return directory
    with lock(os.path.basename(directory)):
        if not is_ready(directory):
            shutil.rmtree(directory, ignore_errors=True)
            try:
                os.makedirs(directory)
                make(directory)
                with open(os.path.join(directory, _READY), "w"):
                    pass
            except OSError as error:
                raise Stop(f"{directory} could not be made: {error}.") from error
    return directory
