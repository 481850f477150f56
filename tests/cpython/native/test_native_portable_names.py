"""The portable tests are the same under both interpreters: pytest's names against tests/portable/NAMES.txt."""

import subprocess
import sys
from pathlib import Path

PORTABLE = Path(__file__).resolve().parents[2] / "portable"


def test_names():
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--collect-only",
            "-q",
            "--no-header",
            "-p",
            "no:cacheprovider",
            str(PORTABLE),
        ],
        cwd=str(PORTABLE.parents[1]),
        capture_output=True,
        text=True,
    )
    found = {line.rsplit("/", 1)[-1] for line in done.stdout.splitlines() if "::" in line}
    listed = set((PORTABLE / "NAMES.txt").read_text().split("\n")) - {""}
    assert found == listed, "run tests/portable/run_micropython.py --write and look at the difference"
