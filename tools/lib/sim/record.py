"""A city's CT log as a file that anybody can attack, and the truth beside it: `tools/simulate log`.

The log is tab-separated text with the header "core_seconds kind identifier", one line for each certificate, sorted. Kinds are ip
and dns. Identifiers are address-H-G for home H and the number G of its address, and home-H.example; H groups what
the attacker is told to be one line, and nothing else: to attack it, forget that the two H are the same. Where a home has a second
family of address, its numbers begin at SECOND_FAMILY.

The truth, in FILE.truth.npz: `spans` int64[*,3], start, end (core seconds) and kind (0 power, 1 line, 2 validation); `off` int64[N+1], those of
home H are spans[off[H]:off[H+1]]; `who`, for which certificates validation is lost (1 the address, 2 the name, 3 both; 0 for
other kinds); `info` int64[N,5], the second at which the home begins (before the record: any that lies before it), its longest
outage in seconds, 1 where it is switched off at night, the second at which it dies (0: it lives), and how often it was reset;
`lost` int64[N,2], the longest loss of validation for both certificates and for any, seconds; `nightly` bool[N], another address every night;
`families` int64[N], of address; `days`, and `life` in days (two numbers where it changes in the middle of the record).
"""

import numpy as np

from tools.lib.sim.world import START

HEADER = "core_seconds\tkind\tidentifier\n"
SECOND_FAMILY = 1000000


def rows(city):
    """(core second, kind, identifier) of each certificate, sorted."""
    found = []
    for h in range(city.n):
        for times, offsets, gens, base in (
            (city.ips, city.ioff, city.gen, 0), (city.six, city.soff, city.six_gen, SECOND_FAMILY)
        ):  # fmt: skip
            for j in range(offsets[h], offsets[h + 1]):
                found.append((int(times[j]) + START, "ip", f"address-{h}-{base + gens[j]}"))
        for j in range(city.noff[h], city.noff[h + 1]):
            found.append((int(city.names[j]) + START, "dns", f"home-{h}.example"))
    found.sort()
    return found


def write(city, file):
    """Write the log to an open text file."""
    file.write(HEADER)
    for row in rows(city):
        file.write("%d\t%s\t%s\n" % row)


def write_truth(city, path):
    """Write the truth; the city was built with `truth`."""
    life = city.life.days()
    np.savez_compressed(
        path,
        spans=city.spans, off=city.off.astype(np.int64), who=city.who,
        info=np.stack([city.enrolled, city.longest, city.nights, city.died, city.resets], 1).astype(np.int64),
        lost=city.lost, nightly=city.nightly, families=1 + (np.diff(city.soff) > 0).astype(np.int64),
        days=np.int64(city.days), life=np.int64(life[0]) if len(life) == 1 else np.array(life, np.int64),
    )  # fmt: skip
