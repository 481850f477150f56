"""What a fresh machine needs, put there once: the Python environment, and Pebble."""

import os
import shutil

from . import debian, golang, venv
from .say import Stop, note

PEBBLE = "v2.10.1"
PEBBLE_MODULE = "github.com/letsencrypt/pebble/v2"
PEBBLE_GO = (1, 24)


def enter():
    """Make the Python environment if it is missing and go on inside it."""
    venv.enter()


def pebble():
    """The paths of (pebble, pebble-challtestsrv), built when missing.

    Where Go is missing, Debian's golang is tried, then Debian's own (older) Pebble. Raises `Stop`.
    """
    if not golang.can_build(PEBBLE_GO) and debian.is_debian():
        offered = debian.candidate("golang-go")
        if offered and _pair(offered) >= (1, 21):
            debian.need("golang-go", "ca-certificates")
    if golang.can_build(PEBBLE_GO):
        try:
            directory = golang.build(
                "pebble", PEBBLE_MODULE, PEBBLE, ("cmd/pebble", "cmd/pebble-challtestsrv")
            )
            return os.path.join(directory, "pebble"), os.path.join(directory, "pebble-challtestsrv")
        except Stop as error:
            if not debian.is_debian():
                raise
            note(f"{error} Trying Debian's Pebble.")
    return debian_pebble()


def moved_pebble():
    """The same with a clock that can be moved (`goclock`), or None where Go is missing. Raises `Stop`."""
    if not golang.can_build(PEBBLE_GO):
        return None
    directory = golang.build("pebble-moved", PEBBLE_MODULE, PEBBLE, ("cmd/pebble",), moved=True)
    return os.path.join(directory, "pebble"), pebble()[1]


def debian_pebble():
    """The paths of Debian's own (pebble, pebble-challtestsrv). Raises `Stop`."""
    if not debian.is_debian():
        raise Stop(
            "Go 1.21 or newer is needed to build Pebble: install it from your distribution and run this again."
        )
    debian.need("pebble")
    found = shutil.which("pebble"), shutil.which("pebble-challtestsrv")
    if None in found:
        raise Stop("Debian's pebble package has no pebble or pebble-challtestsrv program.")
    return found


def everything():
    """All that the tests need beside the Python environment."""
    pebble()


def _pair(debian_version):
    numbers = debian_version.split(":")[-1].replace("~", ".").split(".")
    return int(numbers[0]), int(numbers[1])
