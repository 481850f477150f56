"""`tools/test bent`: what a CA's answers are read for, bent in every way, before the core and before both ports.

For each field of each message that the code reads, every kind of bend: missing, null, wrong type, other case, relative, repeated,
reordered, empty, another encoding, early, late, long. The fields are noted while the code reads them, the bends are made
from what was there, and a table (tools/lib/bent/expected.py) says what must happen: it goes on, it asks again, or it
refuses in words. Afterwards the CA answers well again, and nothing may be lost. Every chain that was deployed meanwhile is loaded
by OpenSSL and by Mbed TLS.
"""

import argparse
import collections
import json
import traceback

from tools.lib import say
from tools.lib.bent import core, expected, loads, ports


def run_core(part=1, parts=1, progress=None):
    """The core's cases, one of each `parts`; a dict as `--json` shows it, with sentences about what is wrong in "wrong"."""
    cases = core.cases()
    chosen = cases[part - 1 :: parts]
    outcomes = collections.Counter()
    kinds = collections.Counter()
    wrong, pairs, unknown = [], {}, set()
    skipped = 0
    for done, case in enumerate(chosen):
        if progress is not None and done % 500 == 499:
            progress("core: %d of %d cases, %d wrong" % (done + 1, len(chosen), len(wrong)))
        try:
            result = core.run(case)
        except Exception:  # noqa: BLE001 - whatever it is, the bench found it
            outcomes["breaks"] += 1
            wrong.append("%s: %s" % (case, traceback.format_exc(limit=-3).strip().replace("\n", " ")))
            continue
        if result is None:
            skipped += 1  # the bend changed nothing, so there was nothing to see
            continue
        outcomes[result.outcome] += 1
        kinds[case.bend.kind] += 1
        field = str(case.field)
        right = expected.outcomes(case.scenario.name, field, case.bend.kind, case.bend.variant, case.always)
        if result.outcome not in right:
            wrong.append("%s: %s (%s)" % (case, result.outcome, result.words))
        if expected.find(case.scenario.name, field) is None and case.field.message != "problem":
            unknown.add(field)
        for key, chain in result.deployed:
            pairs[bytes(chain)] = bytes(key)
    return {
        "tried": len(chosen) - skipped,
        "skipped": skipped,
        "outcomes": dict(outcomes),
        "kinds": dict(kinds),
        "fields": len({str(case.field) for case in cases}),
        "fields_without_a_row": sorted(unknown),
        "wrong": wrong,
        "pairs": [(key, chain) for chain, key in pairs.items()],
    }


def judge(found):
    """Load what was deployed, and put the figures together that a bench ends with. Takes the pairs out of `found`."""
    pairs = found.pop("pairs")
    refused = loads.openssl(pairs) + loads.mbedtls(pairs)
    found["chains_loaded"] = len(pairs)
    found["chains_not_loaded"] = len(refused)
    found["hang"] = found["outcomes"].get(core.HANGS, 0)
    found["lose_state"] = found["outcomes"].get(core.LOSES, 0)
    found["wrong"] += refused
    return found


def main(words):
    """Run the benches and print the figures; returns an exit status: 1 where anything is wrong."""
    parser = argparse.ArgumentParser(prog="tools/test bent", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", choices=("core", *ports.PORTS), help="one of the three")
    parser.add_argument(
        "--parts", type=int, default=1, help="every so many-th case of the core's (%(default)s)"
    )
    parser.add_argument("--part", type=int, default=1, help="which of these parts (%(default)s)")
    parser.add_argument(
        "--port-parts", type=int, default=ports.PARTS, help="every so many-th case of a port's (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(words)
    out = {}
    if args.only in (None, "core"):
        out["core"] = judge(run_core(args.part, args.parts, say.note))
    for name in ports.PORTS:
        if args.only in (None, name):
            out[name] = judge(ports.run(name, args.port_parts, say.note))
    failed = sum(len(one["wrong"]) for one in out.values())
    figures = {
        "tried": sum(one["tried"] for one in out.values()),
        "failed": failed,
        "skipped": sum(one["skipped"] for one in out.values()),
    }
    if args.json:
        print(json.dumps({**out, **figures}, indent=1))
    else:
        for name, one in out.items():
            for sentence in one["wrong"]:
                print("%s: %s" % (name, sentence))
            told = ", ".join(
                "%d: %s" % (count, outcome) for outcome, count in sorted(one["outcomes"].items())
            )
            print(
                "%s: %d fields, %s; %d hang, %d lose state; %d chains loaded by OpenSSL and Mbed TLS, %d not"
                % (
                    name,
                    one["fields"],
                    told,
                    one["hang"],
                    one["lose_state"],
                    one["chains_loaded"],
                    one["chains_not_loaded"],
                )
            )
        print("tried %(tried)d, failed %(failed)d, skipped %(skipped)d" % figures)
    return 1 if failed else 0
