"""`tools/test faults`: the whole campaigns, counted."""

import argparse
import json

from tools.lib import say

CUTS = 100000
NETWORK_CUTS = 300


def main(words):
    """Run them and print the counts; returns an exit status: 1 where anything was lost."""
    from tools.lib.faults import disk, flood, network, power, wear, years

    parser = argparse.ArgumentParser(
        prog="tools/test faults", description="Power cuts, a hostile network, a flood, a year."
    )
    parser.add_argument("--cuts", type=int, default=CUTS, help="power cuts at least (%(default)s)")
    parser.add_argument(
        "--network-cuts", type=int, default=NETWORK_CUTS, help="random cuts of answers (%(default)s)"
    )
    parser.add_argument(
        "--every-byte",
        action="store_true",
        help="also cut the answers of an issuance at every byte: hours",
    )
    parser.add_argument(
        "--places", type=int, default=3, help="answers that meet each fault; 0: all (%(default)s)"
    )
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", choices=("power", "network", "flood", "year"))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(words)
    out = {}
    bad = 0
    if args.only in (None, "power"):
        c = power.campaign(args.cuts, args.seed, progress=say.note)
        out["power"] = {
            "media": list(disk.KINDS),
            "cuts_tried": c.cuts,
            "boots_lived_through": c.boots,
            "full_or_read_only": c.full,
            "states_lost": len(c.lost),
            "lost": sorted(set(c.lost)),
        }
        bad += len(c.lost)
    if args.only in (None, "network"):
        c = network.campaign(args.places, args.network_cuts, args.seed, say.note, int(args.every_byte))
        out["network"] = {
            "faults_injected": c.injected,
            "unrecovered": len(c.unrecovered),
            "sentences": c.unrecovered,
        }
        bad += len(c.unrecovered)
    if args.only in (None, "flood"):
        for c in flood.campaign():
            out["flood_" + c.port] = c.figures()
            bad += c.bad()
    if args.only in (None, "year"):
        for name, world, ids in (
            ("year", wear.InMemory, wear.IDS),
            ("year_before_pebble", years.Real, years.IDS),
        ):
            year = wear.year(args.seed, 365, world, ids, say.note)
            out[name] = year.figures()
            bad += len(year.broken)
    if args.json:
        print(json.dumps(out, indent=2))
    else:
        for part in out:
            print(
                "%s: %s" % (part, ", ".join("%s %s" % (k.replace("_", " "), out[part][k]) for k in out[part]))
            )
    return 1 if bad else 0
