"""The world around the homes: outages, nights, lost validation, resets, deaths. Assumptions, not data: each rate is named here.

Times are core seconds; a run observes [START, START + days). Homes live from WARM before START, so that the
first observed certificate is not special. The random numbers of the world never touch those of the plans, and each
part of the world has random numbers of its own: a home's outages are the same in every world.
"""

import math
import random

MINUTE = 60
HOUR = 3600
DAY = 86400
NEVER = (1 << 30) - 1
START = 220838400  # 2027-01-01 UTC, a Friday, core time
WARM = 130 * DAY
BACKDATE = HOUR  # Let's Encrypt's not_before lies an hour before the CT timestamp

# In every world.
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

# nights: the device is switched off when its people sleep.
NIGHTS = 0.3  # share of homes
BED = 22.5 * HOUR, 1.5 * HOUR  # mean and deviation of a home's own time
SLEEP = 8 * HOUR, HOUR
NIGHT_JITTER = 20 * MINUTE  # deviation from night to night, of both ends
LEFT_ON = 0.05  # share of nights on which nobody switches it off
# weekends: it is switched off when its people are away.
WEEKENDS = 0.1  # share of homes: from Friday evening to Monday morning, an office
HOLIDAYS = 0.15  # share of homes that switch it off for their holidays
SUMMER = 181 * DAY, 50 * DAY, 7 * DAY, 21 * DAY  # first day of the year, begins within, shortest, longest
WINTER = 353 * DAY, 7 * DAY, 4 * DAY, 12 * DAY
WINTER_TOO = 0.5  # share of them that go away in the winter as well
# validation: port forwarding is lost, the router replaced, DNS stale, the line behind CGNAT and back.
LOST = 0.5, 4 * DAY, 1.0  # per year, median, sigma
LOST_BOTH, LOST_ADDRESS = (
    0.5,
    0.25,
)  # shares: for both certificates, for the address's only; the rest for the name's only
# resets: the device is reset or replaced; both certificates begin again.
RESETS = 0.2  # per year
REPLACED = 0.5  # share of them before which the device was broken for some time
BROKEN = 2 * DAY, 1.0  # median, sigma
# deaths: homes begin and end.
BIRTHS = 0.2  # per year
DEATHS = 0.05  # per year
# regional: one outage for all homes of a region, of power or of the line.
REGIONS = 50
REGIONAL = 2, 3 * HOUR, 1.0  # per year, median, sigma
# nightly-renumbering: lines that get another address every night.
NIGHTLY = 0.1  # share of homes
NIGHTLY_JITTER = 2 * MINUTE
# several: both families of address. Several names stand in one certificate (P7), so they change nothing in the log.
FAMILIES = 0.1  # share of homes with both

_ALL = ("nights", "weekends", "validation", "resets", "deaths", "regional", "nightly-renumbering", "several")
WORLDS = {"kind": (), **{name: (name,) for name in _ALL}, "all": _ALL}

POWER_OFF, LINE_DOWN, VALIDATION_LOST = 0, 1, 2  # what a span is
ADDRESS, NAME = 1, 2  # for which certificates validation is lost: a sum


class Lifetimes:
    """How long the certificates are valid that the CA issues, seconds. From the core second `change` on names get `later`."""

    def __init__(self, name=90 * DAY, address=160 * HOUR, later=None, change=NEVER):
        self.name = name
        self.address = address
        self.later = name if later is None else later
        self.change = change if later is not None else NEVER

    def of(self, is_address, issued):
        """The lifetime of a certificate that is issued at that second."""
        if is_address:
            return self.address
        return self.name if issued < self.change else self.later

    def days(self):
        """The lifetime of names, days: one number, or two where it changes."""
        return [self.name // DAY] if self.change >= NEVER else [self.name // DAY, self.later // DAY]


def lifetimes(text, days=365):
    """Lifetimes from "45", days, or "90:45", which changes in the middle of `days`. Raises ValueError."""
    numbers = [int(one) for one in text.split(":")]
    if not 1 <= len(numbers) <= 2 or not all(1 <= one <= 3650 for one in numbers):
        raise ValueError(text)
    later = numbers[1] * DAY if numbers[1:] else None
    return Lifetimes(numbers[0] * DAY, later=later, change=START + days * DAY // 2)


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
    return [(a, _length(rng, median, sigma)) for a in events(rng, rate, span)]


def _length(rng, median, sigma):
    return max(1, int(rng.lognormvariate(math.log(median), sigma)))


def outages(rng, span):
    """One home's outages in [0, span) as (start, end, kind)."""
    found = lognormal(rng, *SHORT, span) + lognormal(rng, *MEDIUM, span)
    found += [(a, int(LONG[1] + rng.expovariate(1 / LONG[2]))) for a in events(rng, LONG[0], span)]
    return merge([(a, a + n, LINE_DOWN if rng.random() < LINE else POWER_OFF) for a, n in found])


class World:
    """What one home lives through: everything outside the device, drawn from `seed` and the home's number.

    power, line  (start, end) in which the device is off, or only its line is down, until a clock and a route are there
                 again, core seconds; those of one list do not overlap
    lost         (start, end, sum of ADDRESS and NAME) in which validation fails
    outages      all of power and line as (start, end, kind), sorted
    nights       True where the device is switched off at night
    renumberings seconds at which the address changes; nightly: it does so every night
    enrolled     the second at which the home begins; died: at which it ends for ever, or 0
    resets       seconds at which all certificates are gone and the device begins again
    families     of address, 1 or 2
    ca           (start, end) of CA downtime, the same for all homes
    life         the Lifetimes
    """

    def __init__(
        self, seed, home, days, dynamic, ca, quiet=False, warm=WARM, kind="kind", life=None, regions=None
    ):
        self._seed = seed
        self._home = home
        self._rng = rng = random.Random(seed << 32 | home)
        self.life = life or Lifetimes()
        self.begin = self.enrolled = START - warm
        self.end = START + days * DAY
        self.ca = ca
        span = self.end - self.begin
        spans = [] if quiet else outages(rng, span)
        # A device that was off is back when it has a clock and a route.
        spans = merge([(a, b + (0 if kind else BOOT), kind) for a, b, kind in spans])
        self.outages = [(self.begin + a, self.begin + b, kind) for a, b, kind in spans]
        self.renumberings = []
        if dynamic:
            self.renumberings = [self.begin + a for a in events(rng, YEAR / RENUMBER, span)]
            self.renumberings += [b for _, b, _ in self.outages if rng.random() < RENUMBER_OUTAGE]
            self.renumberings.sort()
        self.age_ip = int(rng.random() * self.life.address * 0.4)
        self.age_name = int(rng.random() * self.life.name * 0.55)
        self.power = [(a, b) for a, b, kind in self.outages if kind == POWER_OFF]
        self.line = [(a, b) for a, b, kind in self.outages if kind == LINE_DOWN]
        self.lost = []
        self.resets = []
        self.nights = self.nightly = False
        self.died = 0
        self.families = 1
        if kind != "kind":
            self._unkind(WORLDS[kind], regions)

    def _part(self, name):
        return random.Random(f"{name} {self._seed} {self._home}")

    def _unkind(self, parts, regions):
        span = self.end - self.begin
        power, line = [], []
        if "nights" in parts:
            power += self._sleep(self._part("nights"))
        if "weekends" in parts:
            rng = self._part("weekends")
            power += self._weekends(rng)
            power += self._holidays(rng)
        if "regional" in parts:
            rng = self._part("regional")
            for a, b, kind in regions[rng.randrange(REGIONS)]:
                (line if kind == LINE_DOWN else power).append((a, b))
        if "validation" in parts:
            rng = self._part("validation")
            for a, length in lognormal(rng, *LOST, span):
                share = rng.random()
                who = (
                    ADDRESS | NAME
                    if share < LOST_BOTH
                    else ADDRESS
                    if share < LOST_BOTH + LOST_ADDRESS
                    else NAME
                )
                self.lost.append((self.begin + a, self.begin + a + length, who))
        if "resets" in parts:
            rng = self._part("resets")
            for a in events(rng, RESETS, span):
                at = self.begin + a
                self.resets.append(at)
                if rng.random() < REPLACED:
                    power.append((at - _length(rng, *BROKEN), at))
        if "deaths" in parts:
            rng = self._part("deaths")
            birth = START + int(rng.expovariate(BIRTHS / YEAR))
            if birth < self.end:
                self.enrolled = birth
            # Homes that died before the record began are not in it.
            death = max(START, self.enrolled) + int(rng.expovariate(DEATHS / YEAR))
            if death < self.end:
                self.died = death
        if "nightly-renumbering" in parts:
            rng = self._part("nightly")
            self.nightly = rng.random() < NIGHTLY
            if self.nightly:
                at = self.begin - self.begin % DAY + rng.randrange(DAY)
                self.renumberings = [
                    t + int(rng.random() * NIGHTLY_JITTER) for t in range(at, self.end, DAY) if t > self.begin
                ]
        if "several" in parts:
            self.families = 1 + (self._part("several").random() < FAMILIES)
        if power or line:
            power = [(a, b + BOOT) for a, b in power if b > a]
            self.power = _union(self.power + power)
            self.line = _union(self.line + line)
            self.outages = sorted(
                [(a, b, POWER_OFF) for a, b in self.power] + [(a, b, LINE_DOWN) for a, b in self.line]
            )

    def _sleep(self, rng):
        self.nights = rng.random() < NIGHTS
        if not self.nights:
            return []
        bed, length = rng.gauss(*BED), max(2 * HOUR, rng.gauss(*SLEEP))
        found = []
        for day in range(self.begin - self.begin % DAY, self.end, DAY):
            if rng.random() >= LEFT_ON:
                at = day + int(bed + rng.gauss(0, NIGHT_JITTER))
                found.append((at, day + int(bed + length + rng.gauss(0, NIGHT_JITTER))))
        return found

    def _weekends(self, rng):
        if rng.random() >= WEEKENDS:
            return []
        found = []
        for friday in range(START - (START - self.begin) // (7 * DAY) * 7 * DAY, self.end, 7 * DAY):
            at = friday + int((18 + rng.gauss(0, 1)) * HOUR)
            found.append((at, friday + int((72 + 8 + rng.gauss(0, 0.7)) * HOUR)))
        return found

    def _holidays(self, rng):
        if rng.random() >= HOLIDAYS:
            return []
        found = []
        for year in range(START - YEAR, self.end, YEAR):
            for (first, within, least, most), share in ((SUMMER, 1.0), (WINTER, WINTER_TOO)):
                at = year + first + int(rng.random() * within)
                length = int(least + rng.random() * (most - least))
                if rng.random() < share and at + length > self.begin and at < self.end:
                    found.append((at, at + length))
        return found

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

    def until(self):
        """The second at which the home ends, or the record."""
        return self.died or self.end

    def longest(self):
        """The longest outage that touches the observed time, seconds."""
        return _longest(self.outages, max(START, self.enrolled), self.until())

    def resets_seen(self):
        """How many resets there are in the observed time."""
        since = max(START, self.enrolled)
        return sum(1 for at in self.resets if since <= at < self.until())

    def ordinary(self):
        """True where nothing happens in the observed time but outages of no more than a day (G2)."""
        if self.nights or self.nightly or self.died or self.enrolled >= START:
            return False
        return self.longest() <= DAY and not self.longest_lost()[1] and not self.resets_seen()

    def longest_lost(self):
        """The longest loss of validation that touches it, seconds: (for both certificates, for any)."""
        both = [one for one in self.lost if one[2] == ADDRESS | NAME]
        since, until = max(START, self.enrolled), self.until()
        return _longest(both, since, until), _longest(self.lost, since, until)


def _longest(spans, since, until):
    return max([b - a for a, b, _ in spans if b > since and a < until] or [0])


def _union(spans):
    return [(a, b) for a, b, _ in merge([(a, b, 0) for a, b in spans])]


def ca_downtime(seed, days):
    """The CA's downtime, the same for every home of a run."""
    rng = random.Random(seed << 32 | 0xFFFFFFFF)
    return [(START - WARM + a, START - WARM + a + n) for a, n in lognormal(rng, *CA_DOWN, WARM + days * DAY)]


def regional_outages(seed, days):
    """The outages of each region as (start, end, kind), the same for every home of a run."""
    found = []
    for region in range(REGIONS):
        rng = random.Random(f"region {seed} {region}")
        spans = lognormal(rng, *REGIONAL, WARM + days * DAY)
        begin = START - WARM
        found.append(
            [(begin + a, begin + a + n, LINE_DOWN if rng.random() < LINE else POWER_OFF) for a, n in spans]
        )
    return found
