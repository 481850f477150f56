"""Measure one run of a command as a whole: CPU, memory, wall time."""

import json
import os
import signal
import subprocess
import tempfile
import time

from tools.lib.say import Stop
from tools.lib.venv import interpreter

_STEP = 0.004  # seconds between two looks at the memory of all processes together
_LONGEST = 120  # seconds
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
_RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "runner.py")


class Used:
    """What a run used. cpu, user, system, wall: seconds; largest: MiB (10**6 bytes are not meant) of the process
    with the most resident memory; together: MiB of all its processes at the worst moment seen; processes: how many
    were seen at once; output: what it printed."""

    def __init__(self, report, together_kib, processes, output):
        self.cpu = report["cpu"]
        self.user = report["user"]
        self.system = report["system"]
        self.wall = report["wall"]
        self.largest = report["largest_kib"] / 1024
        self.together = max(together_kib, report["largest_kib"]) / 1024
        self.processes = processes
        self.output = output


def run(command, environment, directory):
    """Run `command` (list) in `directory` and return what it `Used`. Raises `Stop` when it fails or hangs."""
    with tempfile.TemporaryDirectory(prefix="ipcert-bench-") as scratch:
        report = os.path.join(scratch, "report.json")
        words = os.path.join(scratch, "output")
        with open(words, "wb") as output:
            runner = subprocess.Popen(
                [interpreter(), "-I", "-S", _RUNNER, report, *command],
                env=environment,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            together, processes = _watch(runner)
        finally:
            if runner.poll() is None:
                os.killpg(runner.pid, signal.SIGKILL)
                runner.wait()
        with open(words, encoding="utf-8", errors="replace") as file:
            said = file.read()
        if not os.path.exists(report):
            raise Stop(f"{command[0]} did not end within {_LONGEST} s; it said: {said[-2000:]}")
        with open(report) as file:
            read = json.load(file)
        if read["status"]:
            raise Stop(f"{command[0]} ended with status {read['status']}; it said: {said[-2000:]}")
        return Used(read, together, processes, said)


def _watch(runner):
    """Look at the resident memory below `runner` until it ends: (most KiB together, most processes)."""
    together = processes = 0
    end = time.monotonic() + _LONGEST
    while runner.poll() is None and time.monotonic() < end:
        sizes = [_resident(pid) for pid in _below(runner.pid)]
        together = max(together, sum(sizes))
        processes = max(processes, len(sizes))
        time.sleep(_STEP)
    return together, processes


def _below(pid):
    """Every descendant's process id."""
    found = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
        except OSError:
            continue  # it has ended
        for task in tasks:
            try:
                with open(f"/proc/{parent}/task/{task}/children") as file:
                    children = [int(word) for word in file.read().split()]
            except OSError:
                continue
            found += children
            waiting += children
    return found


def _resident(pid):
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * _PAGE_KIB
    except (OSError, IndexError):
        return 0


def clean_environment(**more):
    """An environment for a client: no settings of this machine's that a client might read, and `more`."""
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ
    }
    return {**kept, "NO_PROXY": "*", "PYTHONDONTWRITEBYTECODE": "", **more}
