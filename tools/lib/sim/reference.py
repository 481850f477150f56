"""What other software does, and ways to break our own policy: each must make the gate fail."""

from collections.abc import Callable

from ipcert import plan
from tools.lib.sim import earlier as before
from tools.lib.sim import home
from tools.lib.sim.world import ADDRESS, BACKDATE, DAY, HOUR, NAME, POWER_OFF, START


class _Timers:
    """Two lineages under one scheduler; `runs` yields the seconds at which it looks."""

    def __init__(self, world):
        self.world = world
        self.log = home.Log()
        self.begin = world.enrolled
        self.end = world.until()
        self.at = {True: world.begin - world.age_ip, False: world.begin - world.age_name}
        if self.begin > world.begin:
            self.at = {True: 0, False: 0}  # it has none yet
        self.resets = list(world.resets)

    def off(self, t, kinds=(0, 1)):
        for a, b, kind in self.world.outages:
            if a <= t < b and kind in kinds:
                return b
            if a > t:
                break
        return 0

    def gen(self, t):
        return sum(1 for r in self.world.renumberings if r <= t)

    def due(self, ip, part):
        """The second at which `part` of the certificate's lifetime is over."""
        at = self.at[ip]
        return at - BACKDATE + self.world.life.of(ip, at) * part

    def issue(self, ip, t):
        """Take 3 to 20 seconds over one certificate; return the second at which it is done."""
        if t < self.begin:
            return t
        t += self.world.takes(False)
        if any(a <= t < b and mask & (ADDRESS if ip else NAME) for a, b, mask in self.world.lost):
            return t
        self.at[ip] = t
        if START <= t < self.end:
            if ip:
                self.log.ip.append(t)
                self.log.gen.append(self.gen(t))
            else:
                self.log.name.append(t)
        return t

    def look(self, t, ip_part, name_part):
        """Renew all that is due at `t`, one after the other."""
        while self.resets and self.resets[0] <= t:
            self.resets.pop(0)
            self.at = {True: 0, False: 0}
        if self.off(t):
            return
        if t >= self.due(True, ip_part):
            t = self.issue(True, t)
        if t >= self.due(False, name_part):
            self.issue(False, t)


def certbot(world, rng, recovery=0):
    """Twice a day after a fresh random sleep of up to twelve hours, all that is due in one process."""
    one = _Timers(world)
    slot = one.begin
    while slot < one.end:
        t = slot + plan.below(rng, 12 * HOUR)
        back = one.off(t, (POWER_OFF,))
        one.look(back or t, 0.5, 2 / 3)
        slot += 12 * HOUR
    return one.log


def cron(world, rng, recovery=0):
    """Every day at a fixed minute, all that is due."""
    one = _Timers(world)
    t = one.begin + 60 * plan.below(rng, 1440)
    while t < one.end:
        one.look(t + plan.below(rng, 3), 0.5, 2 / 3)
        t += DAY
    return one.log


def tick(world, rng, recovery=0):
    """Every ten minutes since the process started, and at once when it starts."""
    one = _Timers(world)
    begins = [one.begin - plan.below(rng, 600)]
    begins += [b for a, b, k in world.outages if k == POWER_OFF and one.begin < b < one.end]
    for start, end in zip(begins, begins[1:] + [one.end]):
        t = start
        while t < end:
            one.look(t, 0.5, 2 / 3)
            due = min(one.due(True, 0.5), one.due(False, 2 / 3))
            t += 600 * max(1, int((due - t) // 600))
    return one.log


def ari(world, rng, recovery=0):
    """Each lineage its own timer inside the CA's suggested window; what is overdue is renewed at boot."""
    one = _Timers(world)
    plans = {}

    def draw(ip):
        life = world.life.of(ip, one.at[ip])
        middle, half = (life // 2, life // 100) if ip else (life * 2 // 3, DAY)
        plans[ip] = one.at[ip] - BACKDATE + middle - half + plan.below(rng, 2 * half)

    if one.begin > world.begin:
        plans = {True: one.begin, False: one.begin}
    else:
        draw(True)
        draw(False)
    while True:
        ip = plans[True] <= plans[False]
        t = plans[ip]
        if one.resets and one.resets[0] <= t:
            t = max(one.resets.pop(0), one.begin)
            plans = {True: t, False: t}
            continue
        if t >= one.end:
            return one.log
        back = one.off(t)
        if back:
            plans[ip] = back
            continue
        before = one.at[ip]
        one.issue(ip, t)
        if one.at[ip] != before:
            draw(ip)
        else:
            plans[ip] = t + HOUR  # it failed


class _Serial:
    """Words that every plan reads anew from the device's serial number of sixteen bits."""

    def __init__(self, rng):
        self.serial = rng.word()
        self.count = 0

    def word(self):
        self.count += 1
        if self.count > 3:  # a rejected draw asks again
            return (self.serial + 40503 * self.count) & 65535
        return self.serial if self.count != 2 else 0


class _Predictable:
    """Our policy with draws that anyone can compute from one another (P10)."""

    def __getattr__(self, name):
        return getattr(plan, name)

    def renewal(self, p, rng, *rest):
        rng.count = 0
        plan.renewal(p, rng, *rest)


def predictable(world, rng, **more):
    """Our policy with P10 broken."""
    return home.run(world, _Serial(rng), _Predictable(), **more)


class _Redraw:
    """Our policy, but a renewal that falls within six hours of the other lineage's plan is drawn again (P5)."""

    def __init__(self):
        self.plans = {}

    def __getattr__(self, name):
        return getattr(plan, name)

    def renewal(self, p, rng, ip, *rest):
        self.plans[ip] = p
        other = self.plans.get(not ip)
        for _ in range(50):
            plan.renewal(p, rng, ip, *rest)
            if other is None or abs(other.planned_at - p.planned_at) > 6 * HOUR:
                return


def redraw(world, rng, **more):
    """Our policy with P5 broken."""
    return home.run(world, rng, _Redraw(), **more)


class _Plain:
    """Our policy without the renewals that are late on purpose, as PRIVACY.md first had it."""

    def __getattr__(self, name):
        return getattr(plan, name)

    def renewal(self, p, rng, ip, not_before, not_after, *rest):
        hi = not_before + (not_after - not_before) // 1000 * (plan.ADDRESS_END if ip else plan.NAME_END)
        while True:
            plan.renewal(p, rng, ip, not_before, not_after, *rest)
            if p.reason != plan.RENEWAL or p.window_start < hi - 1000:
                return


def plain(world, rng, **more):
    """Our policy without late renewals: what they buy can be measured."""
    return home.run(world, rng, _Plain(), **more)


def earlier(world, rng, recovery=0):
    """Our policy as it was before, with its own recovery."""
    return home.run(world, rng, before, recovery=before.RECOVERY)


def ipcert(world, rng, **more):
    """The shipped policy."""
    return home.run(world, rng, **more)


POLICIES: dict[str, Callable[..., home.Log]] = {
    "ipcert": ipcert,
    "earlier": earlier,
    "certbot": certbot,
    "cron": cron,
    "tick": tick,
    "ari": ari,
    "plain": plain,
    "predictable": predictable,
    "redraw": redraw,
}

# The plan functions that an attacker knows who has read the software; of the others there are none.
PLANS = {
    "ipcert": plan,
    "earlier": before,
    "plain": _Plain(),
    "predictable": plan,  # what its words are is not known
    "redraw": plan,
}


def run(policy, world, rng, **more):
    """The Log of one home under the policy of that name; more: `recovery` of home.run."""
    return POLICIES[policy](world, rng, **more)
