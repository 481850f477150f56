"""The world around the homes: outages, renumbering, CA downtime. Assumptions, not data: each rate is named here.

Times are core seconds; a run observes [START, START + days). Homes live from WARM before START, so that the
first observed certificate is not special. The random numbers of the world never touch those of the plans.
"""

import numpy as np

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
RENUMBER_OUTAGE = 0.5  # an outage over ten minutes ends with a new address
CA_DOWN = 4, 3600, 1.2  # per year, median, sigma
BAD_VALIDATION = 0.01  # share of attempts whose validation fails

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


def lognormal(rng, rate, median, sigma, span):
    """Start and length of the events of one kind in `span` seconds."""
    n = rng.poisson(rate * span / YEAR)
    return [(int(rng.random() * span), max(1, int(median * np.exp(sigma * rng.standard_normal())))) for _ in range(n)]


def outages(rng, span, scale=1.0):
    """One home's outages in [0, span) as (start, end, kind)."""
    found = lognormal(rng, *SHORT, span) + lognormal(rng, *MEDIUM, span)
    for _ in range(rng.poisson(LONG[0] * span / YEAR)):
        found.append((int(rng.random() * span), int(LONG[1] + rng.exponential(LONG[2]))))
    return merge([(a, a + int(n * scale), LINE_DOWN if rng.random() < LINE else POWER_OFF) for a, n in found])


class World:
    """What one home lives through: everything outside the device, drawn from `seed` and the home's number.

    outages   (start, end, kind), core seconds; renumberings: seconds at which the address changes
    ca        (start, end) of CA downtime, the same for all homes
    """

    def __init__(self, seed, home, days, dynamic, ca, quiet=False):
        rng = np.random.default_rng([seed, home])
        self.begin = START - WARM
        self.end = START + days * DAY
        span = self.end - self.begin
        spans = [] if quiet else outages(rng, span)
        self.outages = [(self.begin + a, self.begin + b, kind) for a, b, kind in spans]
        self.ca = ca
        self.renumberings = []
        if dynamic:
            at = 0.0
            while True:
                at += rng.exponential(RENUMBER)
                if at >= span:
                    break
                self.renumberings.append(self.begin + int(at))
            for a, b, _ in self.outages:
                if b - a > 600 and rng.random() < RENUMBER_OUTAGE:
                    self.renumberings.append(b)
            self.renumberings.sort()
        self._uniform = rng.random(512).tolist()
        self._used = 0
        self.age_ip = int(rng.random() * IP_LIFE * 0.4)
        self.age_name = int(rng.random() * NAME_LIFE * 0.55)

    def uniform(self):
        """A number in [0, 1) for the world's own chances."""
        self._used += 1
        return self._uniform[self._used % 512]

    def longest(self):
        """The longest outage that touches the observed year, seconds."""
        return max([b - a for a, b, _ in self.outages if b > START and a < self.end] or [0])


def ca_downtime(seed, days):
    """The CA's downtime, the same for every home of a run."""
    rng = np.random.default_rng([seed, 0xCA])
    span = WARM + days * DAY
    return [(START - WARM + a, START - WARM + a + n) for a, n in sorted(lognormal(rng, *CA_DOWN, span))]
