"""What a fresh machine needs, put there once: the Python environment, and Pebble."""

import os
import shutil

from tools.lib import needs, venv
from tools.lib.build import golang
from tools.lib.say import Stop


def enter():
    """Make the Python environment if it is missing and go on inside it."""
    venv.enter()


def pebble(moved=False):
    """The paths of (pebble, pebble-challtestsrv), built when missing. `moved`: with a clock that can be moved (`goclock`).

    Raises `Stop`.
    """
    directory = golang.build("pebble", moved)
    return os.path.join(directory, "pebble"), os.path.join(directory, "pebble-challtestsrv")


def debian_pebble():
    """The paths of Debian's own (pebble, pebble-challtestsrv). Raises `Stop`."""
    needs.install("debian's pebble")
    found = shutil.which("pebble"), shutil.which("pebble-challtestsrv")
    if None in found:
        raise Stop("Debian's pebble package has no pebble or pebble-challtestsrv program.")
    return found
