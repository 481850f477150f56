"""What `tools/fresh each` runs, each alone in a new tree, and which of it has passed at a commit."""

import json
import os
import sys

from .. import cache, testing

EXCEPTIONS = {
    "build hashes": "writes the pins into the checkout; `hashes --check` is tried",
    "build sbom": "writes tools/sbom.json into the checkout; `sbom --check` is tried",
    "build manifest": "writes package.json and manifest.py into the checkout; `manifest --check` is tried",
    "build natmod xtensawin": "its compiler is in no registry",
}
"""What is not tried, with the reason."""


def targets():
    """The name and the words of each, in the order in which they run."""
    sys.path.insert(0, os.path.join(cache.ROOT, "tools", "lib"))
    import board
    import mpbuild
    import mpbuild_fuzz
    import mpbuild_natmod

    build = ["mpy-cross"]
    for name in ("micropython", "micropython32", *(f"micropython-{name}" for name in mpbuild.CROSS)):
        build += [name, f"{name} --frozen", f"{name} --stock"]
    build += [f"micropython-{name} --emulated" for name in mpbuild.CROSS]
    build += [f"natmod {name}" for name in mpbuild_natmod.TOOLCHAINS]
    build += [f"fuzz {name}" for name in mpbuild_fuzz.TARGETS]
    build += ["deb", "sizes", "hashes --check", "sbom --check", "manifest --check"]
    build += [f"board {name}" for name in board.names()]
    names = ["demo", *(f"build {name}" for name in build)]
    for name in board.names():
        names += [f"board {name} {action}" for action in ("demo", "ipv6", "portable", "budgets")]
    names += [f"board QEMU_VIRT_ARM64 {action}" for action in ("build", "demo", "armhf")]
    names += [f"test {part}" for part in testing.PARTS]
    return {name: _words(name) for name in names if name not in EXCEPTIONS}


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
