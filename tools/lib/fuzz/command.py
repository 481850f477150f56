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

from .. import cache, say, venv

REQUIREMENTS = "requirements-fuzz.txt"
CORPORA = os.path.join("tests", "fuzz")
LONGEST = {"responder": 6000, "pem": 6000, "journal": 3000, "hello": 3000}
AT_ONCE = 2  # targets side by side
KEPT = 12  # inputs added to a corpus by one run with --keep
_DONE = re.compile(r"^Done (\d+) (?:runs )?in (\d+)", re.MULTILINE)
_RUNS = re.compile(r"^#(\d+)\t", re.MULTILINE)


def main(words):
    """The command; returns an exit status: 1 where anything crashed."""
    from . import names

    parser = argparse.ArgumentParser(prog="tools/fuzz", description="Fuzz what reads bytes from outside.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="some of: " + " ".join(names.TARGETS))
    parser.add_argument("--minutes", type=float, default=5.0, help="for all targets together (%(default)s)")
    parser.add_argument("--seconds", type=int, help="for each target, instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--keep", action="store_true", help="add what reached new code to the corpora in tests/fuzz"
    )
    args = parser.parse_args(words)
    wanted = args.targets or list(names.TARGETS)
    for name in wanted:
        if name not in names.TARGETS:
            raise say.Stop(f"There is no target {name}; there are: {' '.join(names.TARGETS)}.")
    seconds = args.seconds or max(int(args.minutes * 60 * AT_ONCE / len(wanted)), 1)
    out = {"targets": {}, "inputs": 0, "crashes": 0, "seconds_each": seconds}
    environment()  # once, before two ask for it
    pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
    for name, one in zip(wanted, pool.map(lambda name: run(name, seconds, args.keep), wanted)):
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
    text = cache.read("tools", REQUIREMENTS).decode()
    return venv.with_requirements("fuzz", [line for line in text.splitlines() if line and line[0] != "#"])


def run(name, seconds, keep=False):
    """Fuzz one target; a dict of inputs, crashes and, for a crash, its end of output and the input in hex."""
    corpus = os.path.join(cache.ROOT, CORPORA, name)
    with tempfile.TemporaryDirectory(prefix="ipcert-fuzz-") as scratch:
        found = os.path.join(scratch, "found")
        os.mkdir(found)
        child = os.path.join(os.path.dirname(os.path.abspath(__file__)), "child.py")
        command = [venv.python(environment()), "-B", child, name]
        limits = ["-timeout=5", "-rss_limit_mb=1024", f"-max_len={LONGEST.get(name, 2000)}"]
        command += [f"-max_total_time={seconds}", f"-artifact_prefix={scratch}/", *limits, found, corpus]
        done = subprocess.run(
            command,
            cwd=scratch,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            errors="replace",
            text=True,
        )
        counts = (
            [int(n) for n, _ in _DONE.findall(done.stdout)]
            or [int(n) for n in _RUNS.findall(done.stdout)]
            or [0]
        )
        out = {"inputs": max(counts), "crashes": 0}
        if done.returncode:
            out["crashes"] = 1
            out["output"] = done.stdout[-4000:]
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
