"""Runs the targets, two side by side, and counts."""

import argparse
import concurrent.futures
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Any

from tools.lib import cache, needs, say, venv

CORPORA = os.path.join("tests", "fuzz")
LONGEST = {"responder": 6000, "pem": 6000, "journal": 3000, "hello": 3000, "router": 1200}
AT_ONCE = 2  # targets side by side, where --at-once does not say otherwise
KEPT = 12  # inputs added to a corpus by one run with --keep
_DONE = re.compile(r"^Done (\d+) (?:runs )?in (\d+)", re.MULTILINE)
_RUNS = re.compile(r"^#(\d+)\t", re.MULTILINE)


def main(words):
    """The command; returns an exit status: 1 where anything crashed."""
    from tools.lib.fuzz import names

    parser = argparse.ArgumentParser(prog="tools/fuzz", description="Fuzz what reads bytes from outside.")
    known = [*names.TARGETS, *names.NATIVE]
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="some of: " + " ".join(known))
    parser.add_argument("--minutes", type=float, default=5.0, help="for all targets together (%(default)s)")
    parser.add_argument("--seconds", type=int, help="for each target, instead")
    parser.add_argument(
        "--at-once", type=int, default=AT_ONCE, metavar="N", help="targets side by side (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--keep", action="store_true", help="add what reached new code to the corpora in tests/fuzz"
    )
    args = parser.parse_args(words)
    wanted = args.targets or known
    needs.install("fuzz")
    for name in wanted:
        if name not in known:
            raise say.Stop(f"There is no target {name}; there are: {' '.join(known)}.")
    seconds = args.seconds or max(int(args.minutes * 60 * args.at_once / len(wanted)), 1)
    out = {"targets": {}, "inputs": 0, "crashes": 0, "seconds_each": seconds, "at_once": args.at_once}
    commands = {name: command(name) for name in wanted}  # made before two run at once
    pool = concurrent.futures.ThreadPoolExecutor(args.at_once)
    for name, one in zip(
        wanted, pool.map(lambda name: run(name, seconds, args.keep, commands[name]), wanted)
    ):
        out["targets"][name] = one
        out["inputs"] += one["inputs"]
        out["crashes"] += one["crashes"]
        say.note(f"{name}: {one['inputs']} inputs, {one['crashes']} crashes")
    if args.json:
        print(json.dumps(out, indent=2))
    else:
        print(f"{out['inputs']} inputs, {out['crashes']} crashes")
    return 1 if out["crashes"] else 0


def environment():
    """The environment with atheris, made when it is missing: its directory."""
    return venv.environment("fuzz")


def command(name):
    """The words that start a target: a Python child under atheris, or a C program, built when it is missing."""
    from tools.lib.fuzz import names

    if name in names.NATIVE:
        build = [sys.executable, os.path.join(cache.ROOT, "tools", "build"), "fuzz", name]
        done = subprocess.run(build, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise say.Stop(f"{name} could not be built: {done.stderr.strip()}")
        return [done.stdout.splitlines()[-1]]
    child = os.path.join(os.path.dirname(os.path.abspath(__file__)), "child.py")
    return [venv.python(environment()), "-B", child, name]


def run(name, seconds, keep, words):
    """Fuzz one target that `words` start; a dict of inputs, crashes, the CPU seconds it got and, for a crash, the end
    of what it said and the input in hex."""
    corpus = os.path.join(cache.ROOT, CORPORA, name)
    with tempfile.TemporaryDirectory(prefix="ipcert-fuzz-") as scratch:
        found = os.path.join(scratch, "found")
        os.mkdir(found)
        # libFuzzer counts seconds of the wall, and a machine with better things to do gives a target none for many.
        limits = ["-timeout=120", "-rss_limit_mb=1024", f"-max_len={LONGEST.get(name, 2000)}"]
        limits += [f"-max_total_time={seconds}", f"-artifact_prefix={scratch}/"]
        with open(os.path.join(scratch, "log"), "w+", errors="replace") as log:
            child = subprocess.Popen(
                [*words, *limits, found, corpus], cwd=scratch, stdout=log, stderr=subprocess.STDOUT
            )
            try:
                _, status, used = os.wait4(child.pid, 0)
                child.returncode = status
            finally:
                if child.returncode is None:
                    child.kill()
                    child.wait()
            log.seek(0)
            said = log.read()
        counts = [int(n) for n, _ in _DONE.findall(said)] or [int(n) for n in _RUNS.findall(said)] or [0]
        out: dict[str, Any] = {
            "inputs": max(counts),
            "crashes": 0,
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        }
        if status:
            out["crashes"] = 1
            out["output"] = said[-4000:]
            for path in glob.glob(os.path.join(scratch, "*-*")):
                with open(path, "rb") as file:
                    out["input"] = file.read().hex()
            print(out["output"], file=sys.stderr)
        elif keep:
            _keep(found, corpus)
    return out


def _keep(found, corpus):
    """Add the smallest of the new inputs that reached new code to the corpus."""
    paths = [os.path.join(found, entry) for entry in os.listdir(found)]
    for path in sorted(paths, key=lambda path: (os.path.getsize(path), path))[:KEPT]:
        shutil.copy(path, os.path.join(corpus, os.path.basename(path)[:16]))
