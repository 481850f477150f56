"""The whole device lives through the simulator's worlds, event by event: what tools/simulate measures with the plan's
functions alone is what a device does. 200 homes, real keys and signatures, a strict CA, one virtual clock for each."""

import random

import pytest
from virtual_home import NAME, Home

from ipcert import action, identifiers, plan
from ipcert.errors import RemoteError
from tools.lib.sim import home as simulated
from tools.lib.sim import world as worlds

HOMES = 200
DAYS = 60


class World(worlds.World):
    """A world whose CA takes as long each time: one second, or where it is `slow` twenty minutes, so that orders collide.
    Then the device polls after one second, and every five minutes from there."""

    slow = False

    def takes(self, failed):
        if failed in (simulated.LINE, simulated.CA):
            return 0
        return 1201 if self.slow else 1

    def noticed(self, begun, at):
        if at <= begun or not self.slow:
            return begun + (at > begun)
        return begun + 1 + (at - begun - 1 + 299) // 300 * 300


def words(number):
    source = random.Random(number)

    def fill(buf):
        buf[:] = source.randbytes(len(buf))

    return plan.Words(fill)


class Living(Home):
    """A home whose line, power, CA and address are a World's; it keeps each plan that its records ever held."""

    def __init__(self, world, rng):
        self.world = world
        self.rng = rng
        self.fate = None
        self.trace = []
        self.seen = {}
        self.address = 0
        super().__init__((NAME, "198.51.100.1"), seed=1, first_delay=14 * worlds.DAY)
        self.clock.now = world.begin
        self.ca.hook = self.down
        self.ca.ari = False  # polls take random words too, and change nothing here
        self.ca.decide = 1200 if world.slow else 1
        self.ca.retry_after = 300 if world.slow else None

    def boot(self):
        super().boot()
        self.device.planner.words = self.rng  # the same words as the simulator's home
        return self.device

    def down(self, kind, url):
        if self.fate == simulated.CA:
            return 503, {}, b"{}"
        return None

    def look(self, challenge, value, token):
        return None if self.fate == simulated.CHECK else super().look(challenge, value, token)

    def decide(self, t, kind):
        """How this attempt ends, in the simulator's order of chances."""
        if kind == worlds.LINE_DOWN:
            return simulated.LINE
        if any(a <= t < b for a, b in self.world.ca):
            return simulated.CA
        return simulated.CHECK if self.world.fails() else 0

    def note(self):
        for r in self.device.journal.records():
            ip = r.identifiers_text.text() != NAME
            now = (r.planned_at, r.window_start, r.window_end, r.reason)
            if self.seen.get(ip) != now:
                self.seen[ip] = now
                self.trace.append((ip,) + now)

    def live(self):
        """Until the world's end."""
        w = self.world
        changes = w.renumberings + [1 << 30]
        c = o = 0
        kind = -1
        while True:
            it = self.device.next(self.now())
            self.note()
            # What an old address proved is given back: no attempt of the simulator's, and no plan hangs on it.
            order = self.device.activity == action.ISSUANCE if it.kind == action.SEND else False
            if order and self.fate is None:
                self.fate = self.decide(self.clock.now, kind)
            if it.kind == action.SEND and self.fate == simulated.LINE:
                self.device.failed(it.number, RemoteError("network", "The line is down."))
                continue
            if it.kind != action.WAIT:
                self.step()
                continue
            if it.busy:
                self.clock.now = it.until
                self.device.done(it.number)
                continue
            self.fate = None
            t = max(self.clock.now, min(it.until, changes[c]))
            while o < len(w.outages) and w.outages[o][1] <= t:
                o += 1
            kind = w.outages[o][2] if o < len(w.outages) and w.outages[o][0] <= t else -1
            off = kind == worlds.POWER_OFF
            if off:
                t = w.outages[o][1]
                kind = -1
                o += 1
            if t >= w.end:
                return
            self.clock.now = t
            new = changes[c] <= t
            while changes[c] <= t:
                c += 1
            if new:
                self.address += 1
                other = "198.51.100.%d" % (1 + self.address % 2)
                self.identifiers = [identifiers.parse(NAME), identifiers.parse(other)]
            if off:
                self.boot()
            elif new:
                self.change(self.identifiers)
            else:
                self.device.done(it.number)


@pytest.fixture(autouse=True)
def bad_lines(monkeypatch):
    """Ten years of outages in two months: every branch of the policy is to be seen."""
    worsen(monkeypatch.setattr)


def worsen(change):
    change(worlds, "SHORT", (60, 600, 1.0))
    change(worlds, "MEDIUM", (40, 8 * worlds.HOUR, 1.2))
    change(worlds, "LONG", (4, worlds.DAY, 9 * worlds.DAY))


def lives(number):
    """(plans and log of the simulator's home, plans and certificates of the device)."""
    ca = [(worlds.START + 10 * worlds.DAY, worlds.START + 12 * worlds.DAY)] if number % 4 == 3 else []
    both = []
    for _ in range(2):
        world = World(7, number, DAYS, number % 3 == 0, ca, warm=0)
        world.slow = number % 2 == 1
        both.append(world)
    trace = []
    log = simulated.run(both[0], words(number), enrol=True, trace=trace)
    device = Living(both[1], words(number))
    device.live()
    return [one[1:] for one in trace], log, device


@pytest.mark.parametrize("part", range(4))
def test_the_device_does_what_the_simulator_says(part):
    kinds = set()
    for number in range(part, HOMES, 4):
        expected, log, device = lives(number)
        ip = [i.at for i in device.ca.issued if i.names != (NAME,)]
        name = [i.at for i in device.ca.issued if i.names == (NAME,)]
        assert ip == log.ip, number
        assert name == log.name, number
        assert device.trace == expected, number
        kinds |= {why for _, _, _, _, why in expected}
    # The worlds led through most of the policy.
    wanted = {
        plan.URGENT,
        plan.FIRST,
        plan.RENEWAL,
        plan.REST,
        plan.VALID,
        plan.LAPSED,
        plan.RETRY,
        plan.HELD,
    }
    assert kinds >= wanted | ({plan.COLLISION} if part % 2 else set())
