"""The commands of tools/simulate."""

import argparse
import json
import sys
import time

from tools.lib.say import Stop
from tools.lib.sim import city, reference, report
from tools.lib.sim.goals import SIZES, Measure
from tools.lib.sim.progress import Progress
from tools.lib.sim.world import START

SEED = 20261124  # the committed result's
GOALS = ("g1", "g2", "g3", "g4", "g5")


def main(arguments, root, result):
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="tools/simulate")
    commands = parser.add_subparsers(dest="command", required=True)
    gate = commands.add_parser("gate")
    gate.add_argument("--seed", type=int, default=SEED)
    gate.add_argument("--small", action="store_true")
    gate.add_argument("--quick", action="store_true")
    gate.add_argument("--tiny", action="store_true")
    gate.add_argument("--json", action="store_true")
    gate.add_argument("--policy", default="ipcert", choices=sorted(reference.POLICIES))
    gate.add_argument("--only", default=",".join(GOALS))
    gate.add_argument("--out")
    gate.add_argument("--html")
    again = commands.add_parser("report")
    again.add_argument("file", nargs="?", default=result)
    again.add_argument("--html", default="simulate.html")
    log = commands.add_parser("log")
    log.add_argument("--homes", type=int, required=True)
    log.add_argument("--days", type=int, default=365)
    log.add_argument("--seed", type=int, default=SEED)
    log.add_argument("--policy", default="ipcert", choices=sorted(reference.POLICIES))
    log.add_argument("--dynamic", action="store_true")
    log.add_argument("--out")
    commands.add_parser("setup")
    options = parser.parse_args(arguments)
    if options.command == "setup":
        return 0
    if options.command == "report":
        return _report(options)
    if options.command == "log":
        return _log(options)
    return _gate(options)


def _gate(options):
    only = options.only.split(",")
    for name in only:
        if name not in GOALS:
            raise Stop(f"There is no goal {name}; there are {', '.join(GOALS)}.")
    size = next((name for name in ("tiny", "quick", "small") if getattr(options, name)), "full")
    if size == "tiny" and only != ["g2"]:
        raise Stop("--tiny has too few homes for anything but --only g2.")
    begun = time.time()
    measure = Measure(options.seed, size, options.policy, Progress())

    def written():
        # After each goal, so that a run that is cut short has not been for nothing.
        data = _data(options, size, measure, round(time.time() - begun), only)
        if options.out:
            with open(options.out, "w", encoding="utf-8") as file:
                json.dump(data, file, indent=1)
                file.write("\n")
        return data

    measure.run(only, written)
    data = written()
    if options.html:
        with open(options.html, "w", encoding="utf-8") as file:
            file.write(report.html(data))
    if options.json:
        print(json.dumps(data, indent=1))
    else:
        for line in report.lines(data):
            print(line)
    return 0 if data["holds"] else 1


def _data(options, size, measure, seconds, only):
    goals = {}
    for name in sorted({r.goal for r in measure.rows}):
        goals[name] = all(r.holds for r in measure.rows if r.goal == name and r.holds is not None)
    return {
        "command": " ".join(["tools/simulate", *sys.argv[1:]]), "seed": options.seed, "size": size,
        "policy": options.policy, "numbers": SIZES[size], "seconds": seconds, "goals": goals,
        "complete": sorted(g.lower() for g in goals) == sorted(only), "holds": all(goals.values()),
        "rows": [r.data() for r in measure.rows], "plots": measure.report,
    }  # fmt: skip


def _report(options):
    try:
        with open(options.file, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError) as error:
        raise Stop(
            f"{options.file} cannot be read ({error}); make one with tools/simulate gate --out FILE."
        ) from error
    with open(options.html, "w", encoding="utf-8") as file:
        file.write(report.html(data))
    for line in report.lines(data):
        print(line)
    print(f"written: {options.html}")
    return 0


def _log(options):
    town = city.build(
        options.seed,
        options.homes,
        options.days,
        options.dynamic,
        options.policy,
        progress=Progress().step("homes"),
    )
    rows = []
    for h in range(town.n):
        number = 0
        for j in range(town.ioff[h], town.ioff[h + 1]):
            number += bool(town.new[j])
            rows.append((int(town.ips[j]) + START, "ip", f"address-{h}-{number}"))
        for j in range(town.noff[h], town.noff[h + 1]):
            rows.append((int(town.names[j]) + START, "dns", f"home-{h}.example"))
    rows.sort()
    out = open(options.out, "w", encoding="utf-8") if options.out else sys.stdout
    out.write("core_seconds\tkind\tidentifier\n")
    for row in rows:
        out.write("%d\t%s\t%s\n" % row)
    if options.out:
        out.close()
    return 0
