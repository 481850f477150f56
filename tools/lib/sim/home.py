"""One home under a virtual clock: the shipped plan functions, unmodified, called as the device calls them."""

from ipcert import limits, plan

from .world import BACKDATE, BAD_VALIDATION, IP_LIFE, LINE_DOWN, NAME_LIFE, POWER_OFF, START

BOOT = 75  # seconds from power to a clock and a route


class Log:
    """What the world sees of one home, and how well it was served.

    ip, name     CT timestamps, core seconds; gen: the address's number for each of `ip`
    lapses       (ip?, not_after, ready, first attempt, back, failures, outage in its life?) of each lapse
    """

    def __init__(self):
        self.ip = []
        self.gen = []
        self.name = []
        self.lapses = []


class Lineage:
    """A lineage's part of the device's state."""

    def __init__(self, ip):
        self.is_ip = ip
        self.p = plan.Plan()
        self.not_before = 0
        self.not_after = 0
        self.failures = 0
        self.until = 0  # the order in flight ends here
        self.tried = 0  # first attempt since it lapsed and was ready


def run(world, rng, policy=plan):
    """Live through `world` with random words from `rng`; `policy` has plan's functions. Return the Log."""
    log = Log()
    ip, name = Lineage(True), Lineage(False)
    for one, age, life in ((ip, world.age_ip, IP_LIFE), (name, world.age_name, NAME_LIFE)):
        one.not_before = world.begin - age
        one.not_after = one.not_before + life
        policy.renewal(one.p, rng, one.is_ip, one.not_before, one.not_after, world.begin)
    outages = world.outages
    o = 0
    gen = 0
    changes = world.renumberings + [limits.NEVER]
    c = 0
    since = world.begin - 90 * limits.DAY
    ready = world.begin
    while True:
        one = ip if ip.p.at <= name.p.at else name
        t = min(one.p.at, changes[c])
        if t >= world.end:
            return log
        while o < len(outages) and outages[o][1] <= t:
            ready = outages[o][1] + (BOOT if outages[o][2] == POWER_OFF else 0)
            o += 1
        kind = -1
        if o < len(outages) and outages[o][0] <= t:
            kind = outages[o][2]
        if kind == POWER_OFF:
            ready = outages[o][1] + BOOT
            o += 1
            for each in (ip, name):
                if each.p.at < ready:
                    if policy.is_missed(each.p, ready):
                        policy.missed(each.p, rng, each.is_ip, ready, each.not_before, each.not_after)
                    else:
                        each.p.at = ready
            continue
        if changes[c] <= t:
            while changes[c] <= t:
                c += 1
            gen += 1
            policy.held(ip.p, rng, t, t - since)
            ip.not_before = ip.not_after = ip.failures = 0
            since = t
            continue
        other = name if one is ip else ip
        if t < other.until:
            policy.collide(one.p, rng, t)
            continue
        failed = 0
        if kind == LINE_DOWN:
            failed = 1
            why = policy.TRANSPORT
        elif world.ca and any(a <= t < b for a, b in world.ca):
            failed = 2
            why = policy.TRANSPORT
        elif world.uniform() < BAD_VALIDATION:
            failed = 3
            why = policy.VALIDATION
        lapsed = one.not_after and t > one.not_after
        if lapsed and not one.tried and failed != 1:
            one.tried = t
        done = t + 3 + int(world.uniform() * 18)
        one.until = done
        if failed:
            one.failures += 1
            policy.retry(one.p, rng, done, one.failures, why, one.not_after, 0, one.is_ip, one.not_before)
            continue
        if lapsed:
            before = any(b > one.not_before and a < one.not_after for a, b, _ in outages)
            log.lapses.append((one.is_ip, one.not_after, ready, one.tried, done, one.failures, before))
        one.tried = one.failures = 0
        one.not_before = done - BACKDATE
        one.not_after = one.not_before + (IP_LIFE if one is ip else NAME_LIFE)
        if done >= START:
            if one is ip:
                log.ip.append(done)
                log.gen.append(gen)
            else:
                log.name.append(done)
        policy.renewal(one.p, rng, one.is_ip, one.not_before, one.not_after, done)
