"""Runs the portable tests under MicroPython and compares their names with NAMES.txt.

    python tests/portable/run_micropython.py [INTERPRETER ...] [test_FILE.py ...] [--write]

Without an interpreter three are built: 64 bits, 32 bits (where an int above 2**30 is already an allocation), and a stock
MicroPython that loads `_ipcert.mpy`. Two more are run by QEMU, a router's ARM and its big-endian MIPS, without the long files. --write replaces NAMES.txt by what was found (do it when tests were added; pytest's names are compared with the same list). A
skip must give a reason. The last line is `N passed, N failed, N skipped`.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NAMES = HERE / "NAMES.txt"
TIMEOUT = 900  # seconds for one file
LONG = (
    "test_device",
    "test_issuance",
)  # whole homes: two minutes under QEMU, and all of it protocol, not bytes
HEAP = "768k"  # a test may keep more than a device does; the device's own limit is tested where it is claimed


def build(*target):
    """Path of what one of tools/build's targets made."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "build"), *target], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit("tools/build %s failed" % " ".join(target))
    return done.stdout.strip().splitlines()[-1]


def builds():
    """[(interpreter, folders to put on its import path, beginnings of files that it does not run)]"""
    return [
        (build("micropython"), [], ()),
        (build("micropython32"), [], ()),
        (build("micropython", "--stock"), [Path(build("natmod", "x64")).parent], ()),
        (build("micropython-armhf", "--emulated"), [], LONG),
        (build("micropython-mips", "--emulated"), [], LONG),
    ]


def environment(folders):
    path = [
        *folders,
        HERE.parent / "micropython",
        HERE,
        ROOT,
        ROOT / "ports" / "micropython",
        ROOT / "ports" / "router",
        ROOT / "ports" / "urequests_compat",
        ".frozen",
    ]
    return dict(os.environ, MICROPYPATH=":".join(map(str, path)))


def run_file(interpreter, folders, name):
    """Lines that one test file printed; the last is a FAIL when it did not come to its end."""
    command = [interpreter, "-X", "heapsize=" + HEAP, str(HERE.parent / "micropython" / "run_file.py"), name]
    try:
        done = subprocess.run(
            command,
            env=environment(folders),
            cwd=str(HERE),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return ["FAIL %s.py: longer than %d s" % (name, TIMEOUT)]
    lines = done.stdout.decode(errors="replace").splitlines()
    if done.returncode:
        lines.append("FAIL %s.py: the interpreter ended with %d" % (name, done.returncode))
    return lines


def run(interpreter, folders, files):
    """(passed, failed, skipped, names) of one interpreter; what failed is printed."""
    counts = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    names = set()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for lines in pool.map(lambda name: run_file(interpreter, folders, name), files):
            for line in lines:
                word, _, rest = line.partition(" ")
                if word not in counts:
                    print(line)
                    continue
                name, _, reason = rest.partition(": ")
                names.add(name)
                if word == "SKIP" and not reason.strip():
                    word, line = "FAIL", "FAIL %s: skipped without a reason" % name
                counts[word] += 1
                if word != "PASS":
                    print(line)
    return counts["PASS"], counts["FAIL"], counts["SKIP"], names


def main(argv):
    write = "--write" in argv
    words = [w for w in argv if w != "--write"]
    files = sorted(Path(w).stem for w in words if w.endswith(".py"))
    interpreters = [(w, [], ()) for w in words if not w.endswith(".py")]
    everything = not files
    if everything:
        files = sorted(p.stem for p in HERE.glob("test_*.py"))
    if not interpreters:
        interpreters = builds()
    total = [0, 0, 0]
    for interpreter, folders, without in interpreters:
        chosen = [name for name in files if not everything or not name.startswith(without)]
        passed, failed, skipped, names = run(interpreter, folders, chosen)
        if everything and write and not without:
            NAMES.write_text("".join(n + "\n" for n in sorted(names)))
        elif everything:
            known = {n for n in NAMES.read_text().split("\n") if n and not n.startswith(without)}
            for name in sorted(known ^ names):
                print("FAIL %s: %s" % (name, "not run here" if name in known else "not in NAMES.txt"))
                failed += 1
        print("%s: %d passed, %d failed, %d skipped" % (interpreter, passed, failed, skipped))
        for i, n in enumerate((passed, failed, skipped)):
            total[i] += n
    print("%d passed, %d failed, %d skipped" % tuple(total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
