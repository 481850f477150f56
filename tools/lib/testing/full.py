"""`tools/test full`: everything at full size, part by part; what is done at a commit is not done again.

    tools/test full                 every part that is not done yet at this commit: hours
    tools/test full PART ...        these parts
    tools/test full --again PART    though it is done
    tools/test full --list          the parts, and how they stand at this commit

What came of each part is kept in the cache, and written into tests/RESULTS.md: date, commit, machine, time, verdict.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import time

from tools.lib import cache
from tools.lib.run import last_line
from tools.lib.say import Stop

RESULTS = os.path.join("tests", "RESULTS.md")
PARTS = {
    "tests": "tools/test --tier=full",
    "bent": "tools/test bent --json",
    "power": "tools/test faults --json --only power",
    "network": "tools/test faults --json --only network",
    "flood": "tools/test faults --json --only flood",
    "year": "tools/test faults --json --only year",
    "redteam": "tools/test redteam --json",
    "gate": "tools/simulate gate --json --no-worse",
    "fuzz": "tools/fuzz --minutes 420 --json",
    "hub-demo": "tools/board QEMU_MPS2_AN385 demo --json",
    "hub-soak": "tools/board QEMU_MPS2_AN385 soak --json",
    "hub-powercut": "tools/board QEMU_MPS2_AN385 powercut --json",
    "hub-smallest": "tools/board QEMU_MPS2_AN385 smallest --json",
    "hub-ipv6": "tools/board QEMU_MPS2_AN385 ipv6 --json",
    "hub-portable": "tools/board QEMU_MPS2_AN385 portable",
    "rv32-portable": "tools/board VIRT_RV32 portable",
    "nas-demo": "tools/board QEMU_VIRT_ARM64 demo --json",
    "nas-armhf": "tools/board QEMU_VIRT_ARM64 armhf",
    "router": "tools/vendor demo --json",
    "demo": "tools/demo --json",
    "demo-micropython": "tools/demo --runtime micropython",
    "sizes": "tools/build sizes --json",
    "bench-issue": "tools/bench issue --json",
    "bench-jws": "tools/bench jws --json",
    "fresh": "tools/fresh demo test --json",
    "fresh-trixie": "tools/fresh --suite trixie demo test --json",
    "fresh-each": "tools/fresh each --json",
}
"""Name of a part -> the command that is the part; its exit status is the verdict."""


def main(words):
    """The command; returns an exit status: 0 only when every part that was asked for has passed."""
    parser = argparse.ArgumentParser(
        prog="tools/test full", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=" ".join(PARTS))
    parser.add_argument("--again", action="store_true", help="also what is done at this commit")
    parser.add_argument("--list", action="store_true", help="only say how the parts stand")
    args = parser.parse_args(words)
    for name in args.parts:
        if name not in PARTS:
            raise Stop(f"There is no part {name}; there are: {' '.join(PARTS)}.")
    commit, dirty = _commit()
    done = _read(commit)
    wanted = args.parts or list(PARTS)
    if not args.list:
        for name in wanted:
            if args.again or dirty or done.get(name, {}).get("status") != 0:
                done[name] = _run(name, commit)
                _write(commit, done)
                if not dirty:
                    _publish(commit, done)
    for name in wanted:
        one = done.get(name)
        print(f"{name:18} {_verdict(one):28} {PARTS[name]}")
    return 0 if args.list or all(done.get(name, {}).get("status") == 0 for name in wanted) else 1


def _run(name, commit):
    print(f"== {name}: {PARTS[name]}", flush=True)
    log = os.path.join(_folder(commit), name + ".log")
    began = time.monotonic()
    with open(log, "w") as file:
        status = subprocess.run(
            PARTS[name].split(),
            cwd=cache.ROOT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        ).returncode
    took = round(time.monotonic() - began)
    with open(log, errors="replace") as file:
        said = last_line(file.read())
    print(f"-- exit status {status}, {took} s, log: {log}" + (f": {said}" if status else ""), flush=True)
    return {
        "status": status,
        "seconds": took,
        "date": datetime.date.today().isoformat(),
        "load": os.getloadavg()[2],
    }


def _verdict(one):
    if one is None:
        return "not run at this commit"
    return f"{'passed' if one['status'] == 0 else 'FAILED (%d)' % one['status']}, {one['seconds']} s"


def _commit():
    """(the commit's hash, whether the tree differs from it)"""
    commit = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"], cwd=cache.ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    command = ["git", "status", "--porcelain", "--untracked-files=no", "--", ".", f":!{RESULTS}"]
    changed = subprocess.run(command, cwd=cache.ROOT, check=True, capture_output=True, text=True).stdout
    return commit + ("-changed" if changed else ""), bool(changed)


def _folder(commit):
    folder = cache.path("full", commit)
    os.makedirs(folder, exist_ok=True)
    return folder


def _read(commit):
    try:
        with open(os.path.join(_folder(commit), "results.json")) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def _write(commit, done):
    path = os.path.join(_folder(commit), "results.json")
    with open(path + ".new", "w") as file:
        json.dump(done, file, indent=1)
    os.replace(path + ".new", path)


def _machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores{' of ' + models[0] if models else ''}, {memory:.0f} GiB, Python {sys.version.split()[0]}"


def _publish(commit, done):
    """Write the table of results, the rows of this commit in place of all others of the same parts."""
    path = os.path.join(cache.ROOT, RESULTS)
    rows = {}
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
                if len(cells) == 7 and cells[0] in PARTS:
                    rows[cells[0]] = cells
    for name, one in done.items():
        verdict = "passed" if one["status"] == 0 else f"failed, exit status {one['status']}"
        load = f"{one['load']:.1f}"
        rows[name] = [name, f"`{PARTS[name]}`", verdict, f"{one['seconds']} s", one["date"], commit, load]
    text = [
        "# What `tools/test full` found",
        "",
        "Made by the command; each row is the part's newest run. Load: the machine's average over the last 15 minutes.",
        f"The last row was written on {_machine()}.",
        "",
        "| Part | Command | Verdict | Time | Date | Commit | Load |",
        "|---|---|---|---|---|---|---|",
        *("| " + " | ".join(rows[name]) + " |" for name in PARTS if name in rows),
    ]
    with open(path, "w") as file:
        file.write("\n".join(text) + "\n")
