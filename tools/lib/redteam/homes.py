"""A year of homes whose routers lie, flap and fall silent: the whole core under a virtual clock, and what it costs the certificates."""

import random

from ipcert import identifiers, limits, presence, split
from tools.lib.faults import ca as faults_ca
from tools.lib.faults import disk, home

IDS = ["nas.janet.example", "203.0.113.7"]
HOUR = limits.HOUR


def _liar(draw):
    """What a router says, hour by hour: a function of the hour."""
    kind = draw.randrange(5)
    other = "203.0.113.%d" % draw.randrange(8, 250)
    if kind == 0:  # once
        at = draw.randrange(24, 600)
        return "lies once", lambda hour: other if hour == at else IDS[1]
    if kind == 1:  # for good
        return "lies for good", lambda hour: other
    if kind == 2:  # takes turns
        turn = draw.randrange(1, 60)
        return "flaps every %d hours" % turn, lambda hour: (IDS[1], other)[hour // turn % 2]
    if kind == 3:  # another one each time
        return "says another one every hour", lambda hour: "203.0.113.%d" % (8 + hour % 240)
    return "lies and falls silent", lambda hour: other if hour % 200 < 3 else None


def lie(outcome, homes=6, days=25, seed="1"):
    """Homes whose address never changes, and whose router says that it does."""
    for number in range(homes):
        draw = random.Random("%s/%d" % (seed, number))
        what, says = _liar(draw)
        for evidence in (presence.ANSWERED, presence.INTERFACE):
            gaps = _live(days, says, evidence)
            # A router found this address: what an interface has later is no second kind of evidence.
            outcome.held(f"router {number}: {what}", not gaps, gaps[:3])


def _live(days, says, evidence):
    there = faults_ca.CA({})
    one = home.Home(disk.Disk(), there, IDS)
    only = [identifiers.parse(text) for text in IDS]
    one.device.event("certificates", split.certificates(only, one.policy, {4: presence.ANSWERED}))
    one.run(one.now + 4 * limits.DAY)
    # Where the CA does not find us: everywhere but at the one address that is ours.
    there.elsewhere = ["203.0.113.%d" % k for k in range(8, 256)]
    gaps = []
    for hour in range(days * 24):
        text = says(hour)
        known = text or IDS[1]
        ids = [identifiers.parse(IDS[0]), identifiers.parse(known)]
        # It is a router that found ours; another one may seem to be on an interface.
        kept = presence.KEPT if text is None else presence.ANSWERED if text == IDS[1] else evidence
        one.device.event("certificates", split.certificates(ids, one.policy, {4: kept}))
        one.run(one.now + HOUR)
        records = [r for r in one.records if r.identifiers_text.text() == IDS[1]]
        good = records and records[0].file_id and one.now < records[0].not_after and one.deployed[IDS[1]][1]
        if not good:
            gaps.append("hour %d" % hour)
    return gaps
