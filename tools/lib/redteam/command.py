"""`tools/test redteam`: the attackers of SECURITY.md, at full size, counted."""

import argparse
import json

from tools.lib import say

TEAMS = ("lan", "service", "visitors")


def play(team, outcome, hurry=False):
    """Let one team try all that it has. `hurry`: a part of it, for `./tools/test`."""
    from tools.lib.redteam import homes, lan, service, visitors

    if team == "lan":
        lan.routers(outcome, hurry)
        homes.lie(outcome, 5 if hurry else 40, 8 if hurry else 60)
    elif team == "service":
        service.folders(outcome)
        service.terminal(outcome)
    else:
        visitors.requests(outcome, hurry)


def main(words):
    """Run the teams and print the counts; returns an exit status: 1 where anything came through."""
    from tools.lib.redteam.outcome import Outcome

    parser = argparse.ArgumentParser(
        prog="tools/test redteam",
        description="A hostile network at home, a hostile service user, hostile visitors: what was tried, and what held.",
    )
    parser.add_argument("--only", choices=TEAMS)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(words)
    out = {}
    tried = through = skipped = 0
    for team in (args.only,) if args.only else TEAMS:
        outcome = Outcome(say.note)
        play(team, outcome)
        out[team] = outcome.figures()
        tried += outcome.tried
        through += len(outcome.through)
        skipped += len(outcome.skipped)
    out.update(tried=tried, failed=through, skipped=skipped)
    if args.json:
        print(json.dumps(out, indent=2))
    else:
        for team in out:
            if isinstance(out[team], dict):
                print(
                    "%s: %d tried, %d held, %d through"
                    % (team, *(out[team][k] for k in ("tried", "held", "through")))
                )
                for line in out[team]["what_came_through"] + out[team]["skipped"]:
                    print("    " + line)
    # Last, whoever reads only the end.
    say.note("tried %d, failed %d, skipped %d" % (tried, through, skipped))
    return 1 if through else 0
