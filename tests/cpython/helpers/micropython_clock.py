"""Run by MicroPython: its clock, with the board's time as this script wants it."""

import time

from ipcert import limits
from ipcert_port.port import clock


def at(core):
    c = clock.Clock()
    c._raw = lambda: core
    return c


c = clock.Clock()
assert abs(c.now() + limits.EPOCH_UNIX - int(time.time())) < 2 and c.trustworthy()
for raw in (0 - limits.EPOCH_UNIX, 946684800 - limits.EPOCH_UNIX, 0, limits.BUILT - 1, limits.NEVER):
    c = at(raw)
    assert not c.trustworthy() and limits.BUILT <= c.now() <= limits.NEVER
c = at(limits.BUILT + 10)
assert c.trustworthy() and c.sync()
c.floor = limits.BUILT + 11
assert not c.trustworthy() and c.now() == limits.BUILT + 11 and not c.sync()


def refuses():
    raise OSError(110)


called = []
c = clock.Clock(0, refuses)
assert not c.sync()
c = clock.Clock(0, lambda: called.append(1))
assert c.sync() and called == [1]
print(clock._OFFSET)
