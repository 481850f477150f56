"""The world around the homes: outages, renumbering, CA downtime. Assumptions, not data: each rate is named here.

Times are core seconds; a run observes [START, START + days). Homes live from WARM before START, so that the
first observed certificate is not special. The random numbers of the world never touch those of the plans.
"""

import math
import random

HOUR = 3600
DAY = 86400
START = 220838400  # 2027-01-01 UTC, core time
WARM = 130 * DAY
IP_LIFE = 160 * HOUR
NAME_LIFE = 90 * DAY
BACKDATE = HOUR  # Let's Encrypt's not_before lies an hour before the CT timestamp

YEAR = 365 * DAY
SHORT = 12, 600, 1.0  # per year, median seconds, sigma of the log
MEDIUM = 3, 4 * HOUR, 1.0
LONG = 0.3, DAY, 11 * DAY  # per year, shortest, mean of what is added (exponential)
LINE = 0.5  # share of outages where the device runs on and only the line is down
RENUMBER = 60 * DAY  # mean life of a dynamic address on a line that stays up
RENUMBER_OUTAGE = 0.5  # share of outages that end with a new address
CA_DOWN = 4, 3600, 1.2  # per year, median, sigma
BAD_VALIDATION = 0.01  # share of attempts whose validation fails

BOOT = 75  # seconds from power to a clock and a route

POWER_OFF, LINE_DOWN = 0, 1


def merge(spans):
    """Sorted (start, end, kind) with overlaps joined; a joined span is off if either was."""
    out = []
    for a, b, kind in sorted(spans):
        if out and a <= out[-1][1]:
            out[-1] = (out[-1][0], max(b, out[-1][1]), min(kind, out[-1][2]))
        else:
            out.append((a, b, kind))
    return out


def events(rng, rate, span):
    """The moments in [0, span) of a Poisson process of `rate` a year, whole seconds."""
    found = []
    at = rng.expovariate(rate / YEAR)
    while at < span:
        found.append(int(at))
        at += rng.expovariate(rate / YEAR)
    return found


def lognormal(rng, rate, median, sigma, span):
    """(start, length) of the events of one kind in `span` seconds."""
    return [(a, max(1, int(rng.lognormvariate(math.log(median), sigma)))) for a in events(rng, rate, span)]


def outages(rng, span):
    """One home's outages in [0, span) as (start, end, kind)."""
    found = lognormal(rng, *SHORT, span) + lognormal(rng, *MEDIUM, span)
    found += [(a, int(LONG[1] + rng.expovariate(1 / LONG[2]))) for a in events(rng, LONG[0], span)]
    return merge([(a, a + n, LINE_DOWN if rng.random() < LINE else POWER_OFF) for a, n in found])


class World:
    """What one home lives through: everything outside the device, drawn from `seed` and the home's number.

    outages   (start, end, kind), core seconds, until a clock and a route are there again; renumberings: seconds at which the address changes
    ca        (start, end) of CA downtime, the same for all homes
    """

    def __init__(self, seed, home, days, dynamic, ca, quiet=False, warm=WARM):
        self._rng = rng = random.Random(seed << 32 | home)
        self.begin = START - warm
        self.end = START + days * DAY
        span = self.end - self.begin
        spans = [] if quiet else outages(rng, span)
        # A device that was off is back when it has a clock and a route.
        spans = merge([(a, b + (0 if kind else BOOT), kind) for a, b, kind in spans])
        self.outages = [(self.begin + a, self.begin + b, kind) for a, b, kind in spans]
        self.ca = ca
        self.renumberings = []
        if dynamic:
            self.renumberings = [self.begin + a for a in events(rng, YEAR / RENUMBER, span)]
            self.renumberings += [b for _, b, _ in self.outages if rng.random() < RENUMBER_OUTAGE]
            self.renumberings.sort()
        self.age_ip = int(rng.random() * IP_LIFE * 0.4)
        self.age_name = int(rng.random() * NAME_LIFE * 0.55)

    def fails(self):
        """True when the next attempt's validation fails."""
        return self._rng.random() < BAD_VALIDATION

    def takes(self, failed):
        """Seconds that the next attempt takes; failed: it is one that fails."""
        return 3 + int(self._rng.random() * 18)

    def noticed(self, begun, at):
        """When a device that is busy since `begun` sees that another plan's second `at` came."""
        return at

    def moment(self, span):
        """A moment in [0, span), for what is the run's and not the home's own."""
        return int(self._rng.random() * span)

    def longest(self):
        """The longest outage that touches the observed year, seconds."""
        return max([b - a for a, b, _ in self.outages if b > START and a < self.end] or [0])


def ca_downtime(seed, days):
    """The CA's downtime, the same for every home of a run."""
    rng = random.Random(seed << 32 | 0xFFFFFFFF)
    return [(START - WARM + a, START - WARM + a + n) for a, n in lognormal(rng, *CA_DOWN, WARM + days * DAY)]
