"""ipcert_port.port.clock on CPython."""

import os
import tempfile
import time

import pytest

from ipcert import limits
from ipcert_port.port import clock

pytestmark = pytest.mark.quick


def at(unix):
    """A clock that reads `unix` seconds from the system."""
    c = clock.Clock()
    c._raw = lambda: unix - limits.EPOCH_UNIX
    return c


def test_now_is_the_systems_time():
    c = clock.Clock()
    assert abs(c.now() + limits.EPOCH_UNIX - time.time()) < 2 and c.trustworthy()


def test_1970_2000_and_the_floor():
    for unix in (0, 946684800, limits.EPOCH_UNIX, limits.EPOCH_UNIX + limits.BUILT - 1, 4000000000):
        c = at(unix)
        assert not c.trustworthy() and limits.BUILT <= c.now() <= limits.NEVER
    c = at(limits.EPOCH_UNIX + limits.BUILT + 10)
    assert c.trustworthy()
    c.floor = limits.BUILT + 11
    assert not c.trustworthy() and c.now() == limits.BUILT + 11


def test_waiting_for_the_first_synchronisation_ends():
    folder = tempfile.mkdtemp()
    uptime = os.path.join(folder, "uptime")

    def after(seconds):
        with open(uptime, "w") as f:
            f.write("%s.25 1.00\n" % seconds)
        return clock._unsynchronised(folder, uptime)

    assert after(5) and not after(700)
    assert not clock._unsynchronised(folder, os.devnull) and not clock._unsynchronised(
        folder + "/absent", uptime
    )
    after(5)
    with open(os.path.join(folder, "synchronized"), "w"):
        assert not clock._unsynchronised(folder, uptime)
