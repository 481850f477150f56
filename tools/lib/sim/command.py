"""The commands of tools/simulate."""

import argparse
import json
import sys
import time

from tools.lib.say import Stop
from tools.lib.sim import city, record, red, reference, report, world
from tools.lib.sim.goals import SIZES, Measure
from tools.lib.sim.progress import Progress

SEED = 20261124  # the committed result's
# policy.recovery of ipcert_port.config.options, which needs more than the simulator installs; a test compares them.
RECOVERIES = {"fast": world.HOUR, "balanced": 14 * world.DAY, "private": 28 * world.DAY}
GOALS = ("g1", "g2", "g3", "g4", "g5", "g6")
LIVES = ("90", "64", "45")  # what the CA has, and what it has announced
# Where neither --life nor --world is given.
DEFAULT = {"full": (LIVES, ("kind", "all")), "small": (LIVES[:1], ("kind", "all"))}


def main(arguments, root, result, red_list):
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
    gate.add_argument("--life", help="days, comma-separated; 90:45 changes in the middle of the record")
    gate.add_argument("--world", help="comma-separated: " + ", ".join(world.WORLDS))
    gate.add_argument("--recovery", default="balanced", choices=list(RECOVERIES))
    gate.add_argument("--no-worse", action="store_true")
    gate.add_argument("--only", default=",".join(GOALS))
    gate.add_argument("--out")
    gate.add_argument("--html")
    again = commands.add_parser("report")
    again.add_argument("file", nargs="?", default=result)
    again.add_argument("--html", default="simulate.html")
    listed = commands.add_parser("red")
    listed.add_argument("file", nargs="+")
    log = commands.add_parser("log")
    log.add_argument("--homes", type=int, required=True)
    log.add_argument("--days", type=int, default=365)
    log.add_argument("--seed", type=int, default=SEED)
    log.add_argument("--policy", default="ipcert", choices=sorted(reference.POLICIES))
    log.add_argument("--dynamic", action="store_true")
    log.add_argument("--life", default="90")
    log.add_argument("--world", default="kind", choices=list(world.WORLDS))
    log.add_argument("--recovery", default="balanced", choices=list(RECOVERIES))
    log.add_argument("--out")
    commands.add_parser("setup")
    options = parser.parse_args(arguments)
    if options.command == "setup":
        return 0
    if options.command == "report":
        return _report(options)
    if options.command == "red":
        red.update(red_list, [_read(name) for name in options.file])
        return 0
    if options.command == "log":
        return _log(options)
    return _gate(options, red_list)


def _gate(options, red_list):
    only = options.only.split(",")
    for name in only:
        if name not in GOALS:
            raise Stop(f"There is no goal {name}; there are {', '.join(GOALS)}.")
    size = next((name for name in ("tiny", "quick", "small") if getattr(options, name)), "full")
    if size == "tiny" and {"g3", "g6"} & set(only):
        raise Stop("--tiny has too few homes for G3 and G6: say --only g1,g2,g4,g5, or less.")
    lives, worlds = DEFAULT.get(size, (LIVES[:1], ("kind",)))
    if options.life:
        lives = tuple(options.life.split(","))
    for life in lives:
        _life(life, 365)
    if options.world:
        worlds = tuple(options.world.split(","))
    for name in worlds:
        if name not in world.WORLDS:
            raise Stop(f"There is no world {name}; there are {', '.join(world.WORLDS)}.")
    begun = time.time()
    measure = Measure(
        options.seed, size, options.policy, Progress(), lives, worlds, RECOVERIES[options.recovery]
    )

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
    if options.no_worse:
        worse = red.worse(data, red.read(red_list))
        for line in worse:
            print(line, file=sys.stderr)
        return 1 if worse else 0
    return 0 if data["holds"] else 1


def _data(options, size, measure, seconds, only):
    goals = {}
    for name in sorted({r.goal for r in measure.rows}):
        goals[name] = all(r.holds for r in measure.rows if r.goal == name and r.holds is not None)
    return {
        "command": " ".join(["tools/simulate", *sys.argv[1:]]), "seed": options.seed, "size": size,
        "policy": options.policy, "lives": measure.lives, "worlds": measure.worlds, "recovery": options.recovery, "numbers": SIZES[size], "seconds": seconds, "goals": goals,
        "complete": sorted(g.lower() for g in goals) == sorted(only), "holds": all(goals.values()),
        "rows": [r.data() for r in measure.rows], "plots": measure.report,
    }  # fmt: skip


def _read(name):
    try:
        with open(name, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise Stop(
            f"{name} cannot be read ({error}); make one with tools/simulate gate --out FILE."
        ) from error


def _report(options):
    data = _read(options.file)
    with open(options.html, "w", encoding="utf-8") as file:
        file.write(report.html(data))
    for line in report.lines(data):
        print(line)
    print(f"written: {options.html}")
    return 0


def _log(options):
    life = _life(options.life, options.days)
    town = city.build(
        options.seed,
        options.homes,
        options.days,
        options.dynamic,
        options.policy,
        progress=Progress().step("homes"),
        kind=options.world,
        life=life,
        truth=bool(options.out),
        recovery=RECOVERIES[options.recovery],
    )
    if not options.out:
        record.write(town, sys.stdout)
        return 0
    with open(options.out, "w", encoding="utf-8") as file:
        record.write(town, file)
    record.write_truth(town, options.out + ".truth.npz")
    return 0


def _life(text, days):
    try:
        return world.lifetimes(text, days)
    except ValueError:
        raise Stop(
            f"--life {text}: a lifetime is a number of days from 1 to 3650, or two with a comma between them "
            "where the CA changes it in the middle of the record, such as 90,45."
        ) from None
