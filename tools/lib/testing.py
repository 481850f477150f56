"""The parts of tools/test. Each takes a list of words from the command line and returns a `Tally`."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

from . import cache, setup, venv
from .say import Stop

LEAST_COVERAGE = 95  # percent of the branches and lines of ipcert/
COVERED = ("tests/portable", "tests/cpython", "tests/interop")
# The tests of what runs cryptography: the port as a user meets it. The vectors' generator has its own pins.
OLDEST = "cli deploy drive net responder serve sign store ucryptolib_shim urequests_compat".split()
OLDEST = [f"tests/cpython/port/test_{name}.py" for name in OLDEST]
OLDEST += [f"tests/interop/test_{name}.py" for name in "commands features issue".split()]
_TALLY = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")


class Tally:
    """How many tests passed, failed and were skipped. `words` say what failed where a name is needed."""

    def __init__(self, passed=0, failed=0, skipped=0, words=()):
        self.passed = passed
        self.failed = failed
        self.skipped = skipped
        self.words = list(words)

    def add(self, other):
        """Add another tally to this one."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.words += other.words

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(*parts):
    """Run (part, words) pairs, say how each went, and end with one line that sums them up. Returns an exit status."""
    os.chdir(cache.ROOT)
    total = Tally()
    for part, words in parts:
        print(f"\n=== {part.__doc__.splitlines()[0]}", flush=True)
        started = time.monotonic()
        try:
            tally = part(words)
        except Stop as error:
            tally = Tally(failed=1, words=[str(error)])
        total.add(tally)
        print(f"--- {tally} ({time.monotonic() - started:.0f} s)", flush=True)
    for words in total.words:
        print(f"failed: {words}")
    print(total, flush=True)
    return 1 if total.failed or not total.passed else 0


def lint(words):
    """Lint, format, and the stubs against the modules"""
    tally = Tally()
    tally.add(_command("ruff check", [venv.script("ruff"), "check", "--no-cache", *words]))
    tally.add(_command("ruff format", [venv.script("ruff"), "format", "--no-cache", "--check", *words]))
    if not words:
        stubtest = [sys.executable, "-m", "mypy.stubtest", "ipcert", "--ignore-missing-stub", "--concise"]
        tally.add(_command("stubs", [*stubtest, "--allowlist", os.path.join("tools", "stubs-allowed.txt")]))
    return tally


def python(words):
    """The core and the CPython port, with the branches of ipcert/ counted"""
    setup.pebble()
    scratch = tempfile.mkdtemp(prefix="ipcert-coverage-")
    try:
        environment = dict(os.environ, COVERAGE_FILE=os.path.join(scratch, "coverage"))
        paths = [] if any(os.path.exists(word) for word in words) else _existing(COVERED)
        tally = _pytest(
            [sys.executable, "-m", "coverage", "run", "-m", "pytest"], [*paths, *words], environment
        )
        if not words:
            tally.add(_coverage(environment))
        return tally
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def micropython(words):
    """The portable tests under MicroPython

    The hook: `python tests/portable/run_micropython.py [FILE ...]` builds the interpreters with `tools/build`, runs
    the tests on each, and ends with the line `N passed, N failed, N skipped`.
    """
    runner = os.path.join("tests", "portable", "run_micropython.py")
    if not os.path.exists(runner):
        print("not in this checkout")
        return Tally()
    return _counted("the portable tests under MicroPython", [sys.executable, runner, *words])


def oldest(words):
    """The core and the CPython port on the oldest cryptography that we promise: Debian 12's"""
    setup.pebble()
    command = [venv.python(venv.checkout(oldest=True)), "-m", "pytest"]
    return _pytest(command, words or _existing(OLDEST), os.environ)


def boards(words):
    """The boards, under QEMU"""
    if not _existing(["tests/boards"]):
        print("not in this checkout")
        return Tally()
    return _pytest([sys.executable, "-m", "pytest"], ["tests/boards", *words], os.environ)


def some(words):
    """The tests that were asked for"""
    setup.pebble()
    return _pytest([sys.executable, "-m", "pytest"], words, os.environ)


PARTS = {"lint": lint, "python": python, "oldest": oldest, "micropython": micropython, "boards": boards}
"""What can be named on the command line. A part that is not in EVERYTHING runs only when it is named."""

EVERYTHING = ((lint, []), (python, []), (oldest, []), (micropython, []), (boards, []))


def _existing(paths):
    return [path for path in paths if os.path.exists(path)]


def _pytest(command, words, environment):
    """Run pytest, started by `command`, and read its own report of what happened."""
    with tempfile.TemporaryDirectory(prefix="ipcert-report-") as directory:
        report = os.path.join(directory, "report.xml")
        command = [*command, f"--junit-xml={report}", "-o", f"cache_dir={cache.path('pytest')}"]
        command += ["--continue-on-collection-errors", "--durations=10", "--durations-min=5", *words]
        environment = dict(environment, HYPOTHESIS_STORAGE_DIRECTORY=cache.path("hypothesis"))
        status = subprocess.run(command, env=environment).returncode
        tally = _read_report(report)
    if status and not tally.failed:
        tally.add(Tally(failed=1, words=[f"pytest ended with status {status}"]))
    return tally


def _read_report(path):
    tally = Tally()
    try:
        suites = ElementTree.parse(path).getroot().iter("testsuite")
    except (OSError, ElementTree.ParseError):
        return tally
    for suite in suites:
        count = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
        bad = count["failures"] + count["errors"]
        good = count["tests"] - bad - count["skipped"]
        tally.add(Tally(good, bad, count["skipped"]))
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                tally.words.append(f"{case.get('classname')}: {case.get('name')}")
    return tally


def _coverage(environment):
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "--quiet"], env=environment)
    command = [*coverage, "report", f"--fail-under={LEAST_COVERAGE}"]
    return _command(f"at least {LEAST_COVERAGE} % of ipcert/ covered", command, env=environment)


def _command(name, command, **options):
    """One test: the command's exit status."""
    if subprocess.run(command, **options).returncode:
        return Tally(failed=1, words=[name])
    return Tally(passed=1)


def _counted(name, command):
    """Run a command that ends with a tally line, and show what it says while it runs."""
    last = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
    match = _TALLY.search(last)
    if not match:
        return Tally(failed=1, words=[f"{name}: no tally on its last line"])
    tally = Tally(*(int(number or 0) for number in match.groups()))
    if tally.failed or child.returncode:
        tally.failed = tally.failed or 1
        tally.words.append(name)
    return tally
