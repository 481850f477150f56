"""What `tools/fresh each` runs, each alone in a new tree, and which of it has passed at a commit.

A target is a row of `needs` that begins with a command of tools/, or, of tools/test, one folder of tests.
"""

import json
import os

from tools.lib import cache, needs

EXCEPTIONS = {
    "build natmod xtensawin": "no registry has its compiler",
    "build driver": "no command of its own: tests/cpython builds it",
    "build driver 32": "no command of its own: tests/cpython builds it",
    "build lock": "writes into the checkout, from whatever is newest; `lock --check` is tried",
    "build sbom": "writes into the checkout; `sbom --check` is tried",
    "build manifest": "writes into the checkout; `manifest --check` is tried",
    "board QEMU_VIRT_ARM64 run": "a console that waits for its user; build and demo are tried",
    "strict-ca": "serves until it is interrupted; tests/interop starts it",
    "fresh": "a tree within a tree: tests/cpython makes one",
    "test faults": "the long campaigns take hours; the small ones are in tests/cpython",
}
"""Rows that are not tried, with the reason."""

_MADE = "/tmp/vendored"
_IN_PLACE = {
    "build micropython": [f"build micropython{option}" for option in ("", " --frozen", " --stock")],
    "build micropython32": [f"build micropython32{option}" for option in ("", " --frozen", " --stock")],
    "build lock": ["build lock --check"],
    "build sbom": ["build sbom --check"],
    "build manifest": ["build manifest --check"],
    "board QEMU_MPS2_AN385": [
        f"board QEMU_MPS2_AN385 {action}" for action in ("demo", "portable", "budgets")
    ],
    "board VIRT_RV32": ["board VIRT_RV32 portable"],
    "simulate": ["simulate gate --quick"],
    "fuzz": ["fuzz --minutes 1"],
    "states": ["states --check"],
    "docs": ["docs --check"],
    "vendor": [f"vendor {_MADE}", f"vendor {_MADE} --port cpython"],
    "vendor --mpy": [f"vendor {_MADE} --mpy"],
}
"""Rows that are not the whole command, or have several: what is tried, at its smallest."""


def targets():
    """The name and the words of each, in the order in which they run."""
    tools = os.path.join(cache.ROOT, "tools")
    names = []
    for row in needs.TABLE:
        tool = row.split()[0]
        if tool == "test" or not os.path.isfile(os.path.join(tools, tool)):
            continue
        if row in _IN_PLACE:
            names += _IN_PLACE[row]
        elif row == "build fuzz":
            names += [f"{row} {name}" for name in _fuzzed()]
        elif row.startswith("bench issue "):
            names.append(f"bench issue --runs 1 --only {row.split()[2]}")
        elif row not in EXCEPTIONS:
            names.append(row)
    names += ["test lint", "test quick", *(f"test {folder}" for folder in test_folders())]
    return {name: _words(name) for name in names}


def test_folders():
    """Every folder of the checkout that has tests, by its path."""
    found = []
    for directory, _, files in os.walk(os.path.join(cache.ROOT, "tests")):
        if any(name.startswith("test_") and name.endswith(".py") for name in files):
            found.append(os.path.relpath(directory, cache.ROOT))
    return sorted(found)


def _fuzzed():
    from tools.lib.build import fuzz

    return fuzz.TARGETS


def _words(name):
    tool, *rest = name.split()
    return [f"./tools/{tool}", *rest]


class Results:
    """The runs that passed at a commit in a suite, kept in the cache; `commit` None: kept nowhere."""

    def __init__(self, suite, commit):
        self._path = commit and cache.path("fresh", "results", f"{suite}-{commit}.json")
        self._runs = {}
        if self._path and os.path.exists(self._path):
            with open(self._path) as file:
                self._runs = json.load(file)

    def passed(self, name):
        """The run of this name that passed, or None."""
        return self._runs.get(name)

    def keep(self, run):
        """Remember a run if it passed, forget an earlier one if it did not."""
        self._runs.pop(run["name"], None)
        if run["passed"]:
            self._runs[run["name"]] = run
        if self._path:
            os.makedirs(os.path.dirname(self._path), exist_ok=True)
            with open(self._path + ".new", "w") as file:
                json.dump(self._runs, file)
            os.replace(self._path + ".new", self._path)
