"""`tools/fresh`: what it was asked for, run in bare trees, with how long it took and what it installed."""

import argparse
import contextlib
import json
import os
import re
import subprocess
import time

from tools.lib import cache
from tools.lib.fresh import each, interpreters
from tools.lib.fresh.tree import SUITES, Tree, possible
from tools.lib.run import last_line, quiet
from tools.lib.say import Stop, note

COMMANDS = {"demo": ["./tools/demo"], "test": ["./tools/test"]}
"""README's two commands."""
MARKS = {"bookworm": {"test": 35 * 60}, "trixie": {"test": 45 * 60}}
"""How long a command may take on an otherwise idle machine with two cores, in seconds. Longer is a failure."""
_SHOWN = 40  # last lines of a failed run's output


def main(words, description):
    """The command line without its first word. Returns an exit status; raises `Stop`."""
    arguments, command = _parse(words, description)
    if sentence := possible():
        raise Stop(sentence)
    commit = _commit(arguments.checkout)
    changed = _changed(arguments.checkout)
    if changed and not arguments.dirty:
        note(f"{changed} changed files are not committed and so not in the tree: --dirty takes them along")
    # A working tree with changes has no name: what passed in it is not remembered.
    results = each.Results(arguments.suite, None if arguments.dirty and changed else commit)
    exceptions = []
    if command:
        runs = _together(arguments, {"run": command}, open_streams=not arguments.json)
    elif arguments.what == ["each"]:
        runs, exceptions = _each(arguments, results)
    else:
        runs = _together(arguments, {name: COMMANDS[name] for name in arguments.what})
    report = {
        "suite": arguments.suite,
        "commit": commit,
        "uncommitted": bool(changed and arguments.dirty),
        "cores": os.cpu_count(),
        "interpreters_hidden": not arguments.keep_interpreters,
        "runs": runs,
        "exceptions": [{"name": name, "reason": reason} for name, reason in exceptions],
        "tried": len(runs),
        "failed": sum(not run["passed"] for run in runs),
        "skipped": len(exceptions),
        "marks": {run["name"]: _beside(run) for run in runs if run["mark"]},
    }
    print(json.dumps(report, indent=1) if arguments.json else _table(report))
    late = [name for name, mark in report["marks"].items() if not mark["within"]]
    return 1 if report["failed"] or late else 0


def _parse(words, description):
    words, command = (
        (words[: words.index("--")], words[words.index("--") + 1 :]) if "--" in words else (words, [])
    )
    parser = argparse.ArgumentParser(
        prog="tools/fresh", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="+", metavar="WHAT", help="demo, test, run -- COMMAND, each")
    parser.add_argument("--suite", choices=SUITES, default=SUITES[0], help="(default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--dirty", action="store_true", help="with what is not committed")
    parser.add_argument("--only", metavar="TEXT", default="", help="each: those with TEXT in their name")
    parser.add_argument("--again", action="store_true", help="each: those that passed at this commit too")
    parser.add_argument(
        "--keep-interpreters",
        action="store_true",
        help="leave the kernel's interpreters for foreign programs to others who are using this machine; "
        "a missing qemu-user may then not show",
    )
    parser.add_argument(
        "--checkout", metavar="DIRECTORY", default=cache.ROOT, help="another checkout than this one"
    )
    arguments = parser.parse_args(words)
    if arguments.what == ["run"]:
        if not command:
            parser.error("run takes a command after --")
    elif command:
        parser.error("a command after -- takes `run` before it")
    elif arguments.what != ["each"] and not set(arguments.what) <= set(COMMANDS):
        parser.error("WHAT is demo and test, or run, or each")
    return arguments, command


def _commit(checkout):
    sentence = f"{checkout} is not a git checkout: tools/fresh clones it."
    return quiet(["git", "-C", checkout, "rev-parse", "HEAD"], sentence).strip()


def _changed(checkout):
    return len(quiet(["git", "-C", checkout, "status", "--porcelain"], "git status failed.").splitlines())


@contextlib.contextmanager
def _tree(arguments):
    """A new tree. What one tree registers with the kernel is gone before the next."""
    hiding = contextlib.nullcontext() if arguments.keep_interpreters else interpreters.hidden()
    with hiding, Tree(arguments.suite, arguments.checkout, arguments.dirty) as tree:
        yield tree


def _together(arguments, commands, open_streams=False):
    """Run commands one after the other in one tree: a dictionary of name and words."""
    with _tree(arguments) as tree:
        return [run_one(tree, name, command, open_streams) for name, command in commands.items()]


def _each(arguments, results):
    """Run every target alone. Returns (runs, exceptions)."""
    runs = []
    targets, exceptions = each.targets(), each.EXCEPTIONS
    for number, (name, command) in enumerate(targets.items(), 1):
        if arguments.only not in name:
            continue
        run = None if arguments.again else results.passed(name)
        if run:
            note(f"{number}/{len(targets)} {name}: passed before at this commit")
        else:
            note(f"{number}/{len(targets)} {name}")
            with _tree(arguments) as tree:
                run = run_one(tree, name, command)
            results.keep(run)
        runs.append(run)
    if not runs:
        raise Stop(f"No target has {arguments.only!r} in its name.")
    return runs, [(name, reason) for name, reason in exceptions.items() if arguments.only in name]


def run_one(tree, name, command, open_streams=False):
    """Run a command in a tree, and say how it went. Returns what the report says of it.

    open_streams  the terminal is the command's; else its output goes into a file in the cache
    """
    log = (
        None
        if open_streams
        else cache.path("fresh", "logs", re.sub("[^a-zA-Z0-9_]+", "-", f"{tree.suite} {name}") + ".txt")
    )
    before = tree.installed()
    started = time.monotonic()
    if open_streams:
        status = tree.run(command)
    else:
        os.makedirs(os.path.dirname(log), exist_ok=True)
        note(f"{name}: what it says goes into {log}")
        with open(log, "wb") as file:
            status = tree.run(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
    seconds = round(time.monotonic() - started, 1)
    after = tree.installed()
    text = _read(log) if log else ""
    if status and log:
        note("\n".join(["", *text.splitlines()[-_SHOWN:], ""]))
    note(f"{name}: {'passed' if status == 0 else f'failed with status {status}'} after {seconds:.0f} s")
    return {
        "name": name,
        "command": command,
        "passed": status == 0,
        "status": status,
        "seconds": seconds,
        "mark": MARKS[tree.suite].get(name),
        "last_line": last_line(text),
        "log": log,
        "installed": {kind: sorted(set(after[kind]) - set(before[kind])) for kind in after},
    }


def _read(log):
    with open(log, encoding="utf-8", errors="replace") as file:
        return file.read()


def _beside(run):
    return {"mark_seconds": run["mark"], "seconds": run["seconds"], "within": run["seconds"] <= run["mark"]}


def _table(report):
    lines = []
    for run in report["runs"]:
        mark = f" (mark: {run['mark']} s)" if run["mark"] else ""
        lines.append(
            f"{'passed' if run['passed'] else 'FAILED'} {run['seconds']:6.0f} s{mark}  {run['name']}"
        )
        for kind, word in (
            ("debian", "Debian packages"),
            ("python", "Python packages"),
            ("go", "Go modules"),
        ):
            found = run["installed"][kind]
            if found:
                lines.append(f"    {len(found)} {word}: {', '.join(one.split()[0] for one in found)}")
    for one in report["exceptions"]:
        lines.append(f"not tried  {one['name']}: {one['reason']}")
    lines.append(f"{report['tried']} tried, {report['failed']} failed, {report['skipped']} skipped")
    return "\n".join(lines)
