"""The whole device lives through the simulator's worlds, event by event: what tools/simulate measures with the plan's
functions alone is what a device does. 200 homes, real keys and signatures, a strict CA, one virtual clock for each."""

import random

import pytest
from virtual_home import NAME, Home, Store

from ipcert import action, identifiers, limits, plan
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
        super().__init__((NAME, *self.addresses()), seed=1, first_delay=14 * worlds.DAY)
        self.clock.now = simulated.first_second(world)
        self.ca.hook = self.down
        self.ca.ari = False  # polls take random words too, and change nothing here
        self.ca.decide = 1200 if world.slow else 1
        self.ca.retry_after = 300 if world.slow else None

    def addresses(self):
        """What the line has now."""
        v4 = "198.51.100.%d" % (1 + self.address % 2)
        return [v4, "2001:db8::%d" % (1 + self.address % 2)][: self.world.families]

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
        who = worlds.NAME if self.device.subject == NAME else worlds.ADDRESS
        lost = any(a <= t < b and mask & who for a, b, mask in self.world.lost)
        return simulated.CHECK if self.world.fails() or lost else 0

    def note(self):
        for r in self.device.journal.records():
            text = r.identifiers_text.text()
            lineage = NAME if text == NAME else 6 if ":" in text else 4
            now = (r.planned_at, r.window_start, r.window_end, r.reason)
            if self.seen.get(lineage) != now:
                self.seen[lineage] = now
                self.trace.append((lineage != NAME,) + now)

    def live(self):
        """Until the world's end."""
        w = self.world
        power = [one for one in w.power if one[1] > self.clock.now] + [(1 << 30, 1 << 30)]
        line = [one for one in w.line if one[1] > self.clock.now] + [(1 << 30, 1 << 30)]
        changes = [t for t in w.renumberings if t > self.clock.now] + [1 << 30]
        resets = [t for t in w.resets if t > self.clock.now] + [1 << 30]
        c = r = o = n = 0
        down = line[0][0] <= self.clock.now
        while True:
            it = self.device.next(self.now())
            self.note()
            # What an old address proved is given back: no attempt of the simulator's, and no plan hangs on it.
            order = self.device.activity == action.ISSUANCE if it.kind == action.SEND else False
            if order and self.fate is None:
                self.fate = self.decide(self.clock.now, worlds.LINE_DOWN if down else -1)
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
            t = max(self.clock.now, min(it.until, changes[c], resets[r]))
            while power[o][1] <= t:
                o += 1
            off = power[o][0] <= t
            if off:
                t = power[o][1]
                o += 1
            while line[n][1] <= t:
                n += 1
            down = line[n][0] <= t
            if t >= w.until():
                return
            self.clock.now = t
            new = changes[c] <= t
            while changes[c] <= t:
                c += 1
            if new:
                self.address += 1
                self.identifiers = [identifiers.parse(one) for one in (NAME, *self.addresses())]
            if resets[r] <= t:
                while resets[r] <= t:
                    r += 1
                self.store = Store()  # the factory's
                self.boot()
            elif off:
                self.boot()
            elif new:
                self.change(self.identifiers)
            else:
                self.device.done(it.number)


@pytest.fixture(autouse=True)
def bad_lines(monkeypatch):
    """Ten years of outages in two months: every branch of the policy is to be seen."""
    worsen(monkeypatch.setattr)
    # An order of twenty minutes, which a device would let go and take up again, so that many collide.
    monkeypatch.setattr(limits, "ATTEMPT", 2000)
    monkeypatch.setattr(limits, "PAUSE", 300)


def worsen(change):
    change(worlds, "SHORT", (60, 600, 1.0))
    change(worlds, "MEDIUM", (40, 8 * worlds.HOUR, 1.2))
    change(worlds, "LONG", (4, worlds.DAY, 9 * worlds.DAY))


def lives(number, kind="kind", life=None):
    """(plans and log of the simulator's home, plans and certificates of the device)."""
    ca = [(worlds.START + 10 * worlds.DAY, worlds.START + 12 * worlds.DAY)] if number % 4 == 3 else []
    both = []
    for _ in range(2):
        regions = worlds.regional_outages(7, DAYS)
        world = World(7, number, DAYS, number % 3 == 0, ca, warm=0, kind=kind, regions=regions, life=life)
        world.slow = number % 2 == 1
        both.append(world)
    trace = []
    log = simulated.run(both[0], words(number), enrol=True, trace=trace)
    device = Living(both[1], words(number))
    if life is not None:
        device.ca.profiles["classic"] = life.name
    device.live()
    return [one[1:] for one in trace], log, device


def compared(number, kind="kind", life=None):
    """The reasons of the plans, which are the same in both."""
    expected, log, device = lives(number, kind, life)
    seen = {ip: [] for ip in (NAME, 4, 6)}
    for one in device.ca.issued:
        seen[NAME if one.names == (NAME,) else 6 if ":" in one.names[0] else 4].append(one.at)
    # Which of two addresses goes first that are due in one second is nobody's promise.
    assert sorted(seen[4] + seen[6]) == sorted(log.ip + log.six), number
    assert seen[NAME] == log.name, number
    assert device.trace == expected, number
    return {why for _, _, _, _, why in expected}


@pytest.mark.parametrize("part", range(4))
def test_the_device_does_what_the_simulator_says(part):
    kinds = set()
    for number in range(part, HOMES, 4):
        kinds |= compared(number)
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


def test_the_device_does_so_with_names_of_ten_days():
    # In two months most of them are away too long once.
    kinds = set()
    for number in range(12):
        kinds |= compared(number, "kind", worlds.Lifetimes(name=10 * worlds.DAY))
    assert kinds >= {plan.RENEWAL, plan.REST, plan.LATER, plan.RETRY}


@pytest.mark.parametrize("part", range(2))
def test_the_device_does_so_in_an_unkind_world(part, monkeypatch):
    # Ten years of everything else, too.
    monkeypatch.setattr(worlds, "LOST", (12, 4 * worlds.DAY, 1.0))
    monkeypatch.setattr(worlds, "RESETS", 12)
    monkeypatch.setattr(worlds, "BIRTHS", 5)
    monkeypatch.setattr(worlds, "DEATHS", 2)
    monkeypatch.setattr(worlds, "FAMILIES", 0.5)
    worlds_of = []
    for number in range(part, 40, 2):
        compared(number, "all")
        worlds_of.append(World(7, number, DAYS, False, [], warm=0, kind="all", regions=[[]] * worlds.REGIONS))
    assert any(one.resets for one in worlds_of) and any(one.lost for one in worlds_of)
    assert any(one.died for one in worlds_of) and any(one.families > 1 for one in worlds_of)
    assert any(one.nights for one in worlds_of) and any(one.nightly for one in worlds_of)
    assert any(one.enrolled > one.begin for one in worlds_of)
