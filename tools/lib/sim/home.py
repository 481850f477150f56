"""One home under a virtual clock: the shipped plan functions, unmodified, called as the device calls them."""

from ipcert import limits, plan
from tools.lib.sim.world import BACKDATE, IP_LIFE, LINE_DOWN, NAME_LIFE, POWER_OFF, START

LINE, CA, CHECK = 1, 2, 3  # why an attempt failed


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
        self.tried = 0  # first attempt since it lapsed and was ready


def run(world, rng, policy=plan, enrol=False, trace=None):
    """Live through `world` with random words from `rng`; `policy` has plan's functions. Return the Log.

    enrol   begin with P1 and no certificates; else with certificates of some age
    trace   a list that takes (second, ip?, at, lo, hi, why) of each plan that was made
    """
    log = Log()
    ip, name = Lineage(True), Lineage(False)

    def made(t, one):
        if trace is not None:
            trace.append((t, one.is_ip, one.p.planned_at, one.p.window_start, one.p.window_end, one.p.reason))

    for one, age, life in ((name, world.age_name, NAME_LIFE), (ip, world.age_ip, IP_LIFE)):
        if enrol:
            policy.first(one.p, rng, world.begin, one.is_ip)
            made(world.begin, one)
        else:
            one.not_before = world.begin - age
            one.not_after = one.not_before + life
            policy.renewal(one.p, rng, one.is_ip, one.not_before, one.not_after, world.begin)
    outages = world.outages
    o = 0
    gen = 0
    changes = world.renumberings + [limits.NEVER]
    c = 0
    since = now = ready = world.begin
    while True:
        t = max(now, min(ip.p.planned_at, name.p.planned_at, changes[c]))
        while o < len(outages) and outages[o][1] <= t:
            ready = outages[o][1]
            o += 1
        kind = outages[o][2] if o < len(outages) and outages[o][0] <= t else -1
        if kind == POWER_OFF:
            t = ready = outages[o][1]
            kind = -1
            o += 1
        if t >= world.end:
            return log
        now = t
        if changes[c] <= t:
            while changes[c] <= t:
                c += 1
            gen += 1
            policy.held(ip.p, rng, t, t - since)
            made(t, ip)
            ip.not_before = ip.not_after = ip.failures = 0
            since = t
        for each in (name, ip):
            if policy.is_missed(each.p, t):
                policy.missed(each.p, rng, each.is_ip, t, each.not_before, each.not_after)
                made(t, each)
        one, other = (ip, name) if ip.p.planned_at < name.p.planned_at else (name, ip)
        if one.p.planned_at > t:
            continue
        failed = 0
        why = policy.TRANSPORT
        if kind == LINE_DOWN:
            failed = LINE
        elif world.ca and any(a <= t < b for a, b in world.ca):
            failed = CA
        elif world.fails():
            failed = CHECK
            why = policy.VALIDATION
        lapsed = one.not_after and t > one.not_after
        if lapsed and not one.tried and failed != LINE:
            one.tried = t
        done = now = t + world.takes(failed)
        while other.p.planned_at <= done:
            at = max(other.p.planned_at, t)
            policy.collide(other.p, rng, world.noticed(t, at))
            made(world.noticed(t, at), other)
        if failed:
            one.failures += 1
            policy.retry(one.p, rng, done, one.failures, why, one.not_after, 0, one.is_ip, one.not_before)
            made(done, one)
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
        made(done, one)
