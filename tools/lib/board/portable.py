"""Runs portable tests (tests/portable) on an emulated board: the core, the native module and the locked heap, on its processor."""

import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.lib.board import firmware, qemu

TESTS = firmware.ROOT / "tests"

# What needs neither network, asyncio nor a clock.
FILES = (
    "test_b64",
    "test_csr",
    "test_der",
    "test_identifiers",
    "test_jws",
    "test_native",
    "test_no_alloc",
    "test_plan",
    "test_x509",
)

# Tests that cannot be, and why.
NOT_HERE = {"test_native.py::Threads::test_signing_in_several_threads": "there are no threads"}

_RUN = """
import gc, sys
for name in list(sys.modules):
    if name.startswith("test_"):
        del sys.modules[name]
gc.collect()
sys.path[:] = ["/t/portable", "/t/micropython", "/t", ".frozen"]
sys.argv[:] = ["run_file.py", %r]
exec(open("/t/micropython/run_file.py").read())
"""


def boards():
    """The boards that can run them."""
    return sorted(("QEMU_MPS2_AN385", "VIRT_RV32"))


def _open(name, folder):
    image = firmware.build(name) / "firmware.elf"
    if name == "VIRT_RV32":
        return qemu.Virt(image)
    return qemu.Hub(image, Path(folder) / "flash", boot={"main": "off", "heap": 1000000})


def _needed(files):
    for name in files:
        yield f"portable/{name}.py"
    yield from ("portable/portable_support.py", "micropython/run_file.py", "micropython/unittest.py")
    read = "".join((TESTS / "portable" / f"{name}.py").read_text() for name in files)
    for path in sorted(TESTS.glob("vectors/*.json")):
        if f'vectors("{path.stem}")' in read or path.name in read:
            yield f"vectors/{path.name}"


def run_on(name, files=FILES, say=lambda line: None):
    """{"PASS": n, "FAIL": n, "SKIP": n, "lines": [...]} of the files on a board."""
    counts: dict[str, Any] = {"PASS": 0, "FAIL": 0, "SKIP": 0, "lines": []}
    with tempfile.TemporaryDirectory() as folder, _open(name, folder) as hub:
        hub.execute(
            "import os\nfor d in ('/t', '/t/portable', '/t/micropython', '/t/vectors'):\n os.mkdir(d)"
        )
        for file in _needed(files):
            hub.put("/t/" + file, (TESTS / file).read_bytes())
        if name == "VIRT_RV32":
            from tools.lib.build import natmod

            hub.put("/t/_ipcert.mpy", natmod.build("rv32imc").read_bytes())
        for file in files:
            try:
                out = hub.execute(_RUN % file, timeout=300)
            except qemu.HubError as error:
                out = f"FAIL {file}.py: {error}"
            for line in out.splitlines():
                word, _, test = line.partition(" ")
                if word == "FAIL" and test in NOT_HERE and "ImportError: no module named '_thread'" in out:
                    word, line = "SKIP", f"SKIP {test}: {NOT_HERE[test]}"
                if word in ("PASS", "FAIL", "SKIP"):
                    counts[word] += 1
                if word != "PASS":
                    counts["lines"].append(line)
                say(line)
    return counts


def run(args):
    """Returns an exit status: 0 only when all passed."""
    counts = run_on(args.board, args.files or FILES, lambda line: print(line, flush=True))
    print(f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] or not counts["PASS"] else 0


if __name__ == "__main__":
    sys.exit("run it as tools/board BOARD portable")
