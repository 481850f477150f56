"""The portable tests on MicroPython: each file on each interpreter, and the same test names as pytest finds there.

The interpreters: 64 bits; 32 bits, where an int above 2**30 is already an allocation; a stock MicroPython that loads
`_ipcert.mpy`; and, run by QEMU, a router's ARM and its big-endian MIPS, without the long files.
"""

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PORTABLE = ROOT / "tests" / "portable"
TIMEOUT = 900  # seconds for one file
LONG = ("test_device", "test_issuance")  # whole homes: minutes under QEMU, and all of it protocol, not bytes
HEAP = (
    "1024k"  # a test may keep more than a device does; the device's own limit is tested where it is claimed
)
INTERPRETERS = {
    "x64": ["micropython"],
    "x86": ["micropython32"],
    "stock": ["micropython", "--stock"],
    "arm": ["micropython-armhf", "--emulated"],
    "mips": ["micropython-mips", "--emulated"],
}
QUICK = ("x64",)
FILES = sorted(path.stem for path in PORTABLE.glob("test_*.py"))


def _cases():
    for interpreter in INTERPRETERS:
        for name in FILES:
            if not (interpreter in ("arm", "mips") and name.startswith(LONG)):
                marks = [pytest.mark.quick] if interpreter in QUICK else []
                yield pytest.param(interpreter, name, marks=marks)


@functools.lru_cache
def build(*target):
    """The path of what one of tools/build's targets made."""
    command = [sys.executable, str(ROOT / "tools" / "build"), *target]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


@functools.lru_cache
def names():
    """The names that pytest gives the portable tests: `test_FILE.py::Class::test_name`."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "--no-header",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run([*command, "--tier=full", str(PORTABLE)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    return {line.rsplit("/", 1)[-1] for line in done.stdout.splitlines() if "::" in line}


def _path(interpreter):
    folders = [HERE, PORTABLE, ROOT]
    folders += [ROOT / "ports" / name for name in ("micropython", "router", "urequests_compat")]
    if interpreter == "stock":
        folders.insert(0, Path(build("natmod", "x64")).parent)
    return ":".join([*map(str, folders), ".frozen"])


@pytest.mark.parametrize("interpreter, name", _cases())
def test_the_file_passes_with_all_its_tests(interpreter, name):
    program = build(*INTERPRETERS[interpreter])
    command = [program, "-X", "heapsize=" + HEAP, str(HERE / "run_file.py"), name]
    environment = dict(os.environ, MICROPYPATH=_path(interpreter))
    done = subprocess.run(
        command,
        env=environment,
        cwd=PORTABLE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
    )
    said = done.stdout.decode(errors="replace")
    print(said)
    assert done.returncode == 0
    verdicts = [
        line.split(" ", 2) for line in said.splitlines() if line.startswith(("PASS ", "FAIL ", "SKIP "))
    ]
    assert [test for verdict, test, *_ in verdicts if verdict == "FAIL"] == []
    assert [test for verdict, test, *reason in verdicts if verdict == "SKIP" and not reason] == [], (
        "no reason"
    )
    assert {test.rstrip(":") for _, test, *_ in verdicts} == {
        known for known in names() if known.startswith(name + ".py::")
    }
