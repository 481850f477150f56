"""The year of `wear` before a real Pebble, whose clock goes with the device's, through the hostile proxy.

Pebble is built so that its time can be moved (`goclock`): its certificates and renewal windows are of the virtual day. A
share of the requests meets a fault of the proxy's.
"""

import contextlib
import os
import tempfile
import time

from ipcert import limits
from ipcert_port.solvers.responder import Responder
from tools.lib.build import goclock
from tools.lib.ca import pebble as _pebble
from tools.lib.faults import network, proxy, wear

IDS = ("nas.janet.example", network.ADDRESS)
# Each of these costs the client's whole patience, which is real time: they are met, but less often than the others.
_SLOW = ("silence", "a byte now and then", "half a ServerHello")
_IDLE = 60  # seconds without a request, after which nothing was in flight


class _Client(network.Client):
    """`network.Client` that tells its surroundings of every request."""

    def __init__(self, around, disk, ids, now):
        self._around = around
        self._last = now
        super().__init__(
            around.proxy, around.responder, disk, ids, now, wear.counter(around.out),
            first_delay=14 * limits.DAY, setting="home",
        )  # fmt: skip

    def _request(self, it):
        if self.now - self._last > _IDLE:
            self.close()  # as both ports' drives do when nothing is in flight
        self._last = self.now
        directory = self.device.exchange.directory
        if directory is not None and it.url == directory.new_order:
            self._around.out.orders += 1
        with self._around.request(self.now):
            return super()._request(it)


class Real:
    """What is around the device: Pebble, the proxy, and the port's own responder at port 80's place.

    start: the first core second, later than now: a clock is only ever moved ahead.
    """

    def __init__(self, rng, out, faults=wear.FAULTS):
        self._rng = rng
        self.out = out
        self.start = int(time.time()) - limits.EPOCH_UNIX + limits.DAY
        self._share = faults
        found = [f for f in proxy.faults() if not f.lasting]
        self._faults = [f for f in found if f.name not in _SLOW] * 4 + [f for f in found if f.name in _SLOW]
        self._ends = contextlib.ExitStack()
        self.responder = None

    def __enter__(self):
        programs = _pebble.programs(moved=True)
        folder = self._ends.enter_context(tempfile.TemporaryDirectory(prefix="ipcert-clock-"))
        self._clock = goclock.Clock(os.path.join(folder, "ahead"))
        self._pebble = self._ends.enter_context(_pebble.Pebble(programs=programs, clock=self._clock))
        self.proxy = self._ends.enter_context(proxy.Proxy(self._pebble))
        return self

    def __exit__(self, *what):
        self._end()
        self._ends.close()

    def _end(self):
        if self.responder is not None:
            self.responder.close()
            self.responder = None

    def boot(self, disk, ids, now):
        """A device that boots at second `now`, with nothing published."""
        self.responder = Responder("127.0.0.1", self._pebble.http_port)
        self.responder.start()
        return _Client(self, disk, ids, now)

    def lived(self, home):
        """A day went by."""

    def halt(self, home):
        """The power goes: connections and port 80 with it."""
        home.close()
        self._end()

    def forget(self):
        """Wait for the proxy's connections to end, so that only the device's sockets are counted."""
        self.proxy.arm(None, 0)
        self.proxy.settle()

    @contextlib.contextmanager
    def request(self, now):
        """Around one request at core second `now`: it is that time at the CA too, and a fault may be in the way."""
        self._clock.set(now + limits.EPOCH_UNIX - int(time.time()))
        self.proxy.arm(self._rng.choice(self._faults) if self._rng.random() < self._share else None, 0)
        yield
        self.out.faults += self.proxy.fired
        self.proxy.arm(None, 0)
