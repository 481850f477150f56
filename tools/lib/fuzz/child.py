"""One target under atheris: python child.py TARGET [libFuzzer's arguments]. Runs in an environment of its own."""

import os
import sys

import atheris

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path[:0] = [ROOT] + [os.path.join(ROOT, "ports", name) for name in ("cpython", "urequests_compat")]

with atheris.instrument_imports(include=["ipcert", "ipcert_port", "urequests_compat"]):
    from tools.lib.fuzz import targets

name = sys.argv.pop(1)
target = targets.TARGETS[name]


def once(data):
    target(bytes(data))


atheris.Setup(sys.argv, once)
atheris.Fuzz()
