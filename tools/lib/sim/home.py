"""One home under a virtual clock: the shipped plan functions, unmodified, called as the device calls them.

What the device does, and where: a first certificate is planned by `configuration.Configuration.apply` (at once for the
address that comes first, a random wait for the others), also after a reset, which leaves nothing behind; a plan that passed is drawn
again by `planner.Planner.overtaken` before anything else; what comes due during an order moves behind it
(`scheduler.Scheduler._collisions`); a validation that fails is `plan.VALIDATION`, whether a stranger's mistake or a port
forwarding that is gone is the reason (`order.issuance.Issuance._invalid`), and a line that is down is `plan.TRANSPORT`.
"""

from ipcert import limits, plan
from ipcert.policy import Policy
from tools.lib.sim.world import ADDRESS, BACKDATE, NAME, START

LINE, CA, CHECK = 1, 2, 3  # why an attempt failed
RECOVERY = Policy().recovery  # P3's option, seconds; what an owner has who chose nothing

NONE = 0, 0, 0, 0  # failures by kind
_END = (limits.NEVER + 1, limits.NEVER + 1)


class Log:
    """What the world sees of one home, and how well it was served.

    ip, name     CT timestamps, core seconds; gen: the address's number for each of `ip`
    six, six_gen the same of a second family of address
    lapses       (ip?, not_after, ready, first attempt, back, failures, outage in its life?) of each lapse
    """

    def __init__(self):
        self.ip = []
        self.gen = []
        self.name = []
        self.six = []
        self.six_gen = []
        self.lapses = []


class Lineage:
    """A lineage's part of the device's state."""

    def __init__(self, ip, seen, recovery, gen=None):
        self.is_ip = ip
        self.recovery = recovery
        self.p = plan.Plan()
        self.not_before = 0
        self.not_after = 0
        self.failures = [
            0,
            0,
            0,
            0,
        ]  # since the last success, by kind as `journal.Record.failures_by` has them
        self.tried = 0  # first attempt since it lapsed and was ready
        self.seen = seen
        self.gen = gen


def run(world, rng, policy=plan, enrol=False, trace=None, recovery=RECOVERY):
    """Live through `world` with random words from `rng`; `policy` has plan's functions. Return the Log.

    enrol   begin with P1 and no certificates, as a home that was born within the record does; else with certificates of
            some age
    trace   a list that takes (second, ip?, at, lo, hi, why) of each plan that was made
    recovery  the longest wait of a late name, seconds
    """
    log = Log()
    # As `planner.Planner` has it where the address is the urgent one.
    name = Lineage(False, log.name, recovery)
    addresses = [Lineage(True, log.ip, plan.BACK, log.gen)]
    if world.families > 1:
        addresses.append(Lineage(True, log.six, plan.BACK, log.six_gen))
    lineages = [name, *addresses]
    life = world.life
    begin = world.enrolled
    until = world.until()

    def made(t, one):
        trace.append((t, one.is_ip, one.p.planned_at, one.p.window_start, one.p.window_end, one.p.reason))

    def afresh(t):
        for one in lineages:
            one.not_before = one.not_after = one.tried = 0
            one.failures[:] = NONE
            policy.first(one.p, rng, t, one is addresses[0])
            if trace is not None:
                made(t, one)

    power, line, ca = world.power + [_END], world.line + [_END], world.ca
    o = n = 0
    since = now = ready = begin
    if enrol or begin > world.begin:
        since = now = ready = first_second(world)
        afresh(now)
    else:
        for one in lineages:
            age = world.age_ip if one.is_ip else world.age_name
            if one is addresses[-1] and one is not addresses[0]:
                age = age * 7919 % (life.address * 2 // 5)  # another one, of no draw of its own
            one.not_before = begin - age
            one.not_after = one.not_before + life.of(one.is_ip, begin - age)
            policy.renewal(one.p, rng, one.is_ip, one.not_before, one.not_after, begin, one.recovery)
    gen = 0
    changes = world.renumberings + [limits.NEVER]
    c = 0
    while changes[c] <= now:
        c += 1
        gen += 1
    resets = world.resets + [limits.NEVER]
    r = 0
    while resets[r] <= now:
        r += 1
    while True:
        t = changes[c]
        one = name
        for each in lineages:
            if each.p.planned_at < t:
                t = each.p.planned_at
        if resets[r] < t:
            t = resets[r]
        if t < now:
            t = now
        while power[o][1] <= t:
            ready = max(ready, power[o][1])
            o += 1
        if power[o][0] <= t:
            t = ready = power[o][1]
            o += 1
        while line[n][1] <= t:
            ready = max(ready, line[n][1])
            n += 1
        if t >= until:
            return log
        now = t
        if resets[r] <= t:
            while resets[r] <= t:
                r += 1
            while changes[c] <= t:
                c += 1
                gen += 1
            since = t
            afresh(t)
        if changes[c] <= t:
            while changes[c] <= t:
                c += 1
            gen += 1
            for each in addresses:
                policy.held(each.p, rng, t, t - since)
                if trace is not None:
                    made(t, each)
                each.not_before = each.not_after = 0
                each.failures[:] = NONE
            since = t
        for each in lineages:
            if policy.is_missed(each.p, t):
                policy.missed(each.p, rng, each.is_ip, t, each.not_before, each.not_after, each.recovery)
                if trace is not None:
                    made(t, each)
        for each in addresses:
            if each.p.planned_at < one.p.planned_at:
                one = each
        if one.p.planned_at > t:
            continue
        failed = 0
        why = policy.TRANSPORT
        if line[n][0] <= t:
            failed = LINE
        elif ca and any(a <= t < b for a, b in ca):
            failed = CA
        elif world.fails() or world.lost and _is_lost(world.lost, t, ADDRESS if one.is_ip else NAME):
            failed = CHECK
            why = policy.VALIDATION
        lapsed = one.not_after and t > one.not_after
        if lapsed and not one.tried and failed != LINE:
            one.tried = t
        done = now = t + world.takes(failed)
        for other in lineages:
            while other is not one and other.p.planned_at <= done:
                at = max(other.p.planned_at, t)
                policy.collide(other.p, rng, world.noticed(t, at))
                if trace is not None:
                    made(world.noticed(t, at), other)
        if failed:
            one.failures[why] += 1
            policy.retry(
                one.p,
                rng,
                done,
                one.failures[why],
                why,
                one.not_after,
                0,
                one.is_ip,
                one.not_before,
                one.recovery,
            )
            if trace is not None:
                made(done, one)
            continue
        if lapsed:
            before = any(b > one.not_before and a < one.not_after for a, b, _ in world.outages + world.lost)
            log.lapses.append((one.is_ip, one.not_after, ready, one.tried, done, sum(one.failures), before))
        one.tried = 0
        one.failures[:] = NONE
        one.not_before = done - BACKDATE
        one.not_after = one.not_before + life.of(one.is_ip, done)
        if done >= START:
            one.seen.append(done)
            if one.is_ip:
                one.gen.append(gen)
        policy.renewal(one.p, rng, one.is_ip, one.not_before, one.not_after, done, one.recovery)
        if trace is not None:
            made(done, one)


def first_second(world):
    """The second at which a home begins: nobody sets a device up while it is without power."""
    for start, end in world.power:
        if start <= world.enrolled < end:
            return end
    return world.enrolled


def _is_lost(lost, t, who):
    return any(a <= t < b and mask & who for a, b, mask in lost)
