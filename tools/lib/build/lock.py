"""tools/build lock: which version of every Python package and Go module is used, and the hashes it is held to.

Versions are kept where they still satisfy pyproject.toml; `--upgrade` takes the newest. Debian's sources are pinned by
hash in tools/lib/build/sources.py; Debian's packages by apt's own signatures alone.
"""

import os
import sys
import tempfile

from tools.lib import cache, needs, venv
from tools.lib.build import golang

GO = os.path.join("tools", "go")


def locks():
    """((lock, its groups), ...)"""
    return (venv.LOCK, sorted(set(venv.groups()) - {"oldest"})), (venv.OLDEST, ["oldest"])


def head():
    """What the head of a lock says it was made by: the command, and the key of what is asked for."""
    asked = venv.project()
    return f"tools/build lock # {cache.key(venv.groups(), asked['dependencies'], asked['optional-dependencies'])}"


def stale():
    """The paths of the locks and sums that are missing, of nothing, or not made of what is asked for now."""
    found = [lock for lock, _ in locks() if head() not in cache.read(lock).decode()]
    wanted = {golang.sums(name) for name in golang.MODULES}
    return found + sorted(
        wanted ^ {os.path.join(GO, name) for name in os.listdir(os.path.join(cache.ROOT, GO))}
    )


def main(check, upgrade=False):
    """Write the locks and the Go modules' sums, or with `check` say what is out of date. Returns an exit status."""
    if check:
        for path in stale():
            print(f"{path} is out of date: run tools/build lock", file=sys.stderr)
        return 1 if stale() else 0
    needs.install("build lock")
    for lock, groups in locks():
        command = [
            "pip",
            "compile",
            "--quiet",
            "--universal",
            "--python-version",
            "3.11",
            "--generate-hashes",
        ]
        command += ["--no-annotate", "--custom-compile-command", head(), "--output-file", lock]
        command += ["--upgrade"] if upgrade else []
        for group in groups:
            command += ["--group", group]
        venv.uv([*command, "pyproject.toml", "--all-extras"], f"uv could not find the versions of {lock}.")
        print(lock)
    wanted = {golang.sums(name): name for name in golang.MODULES}
    for path in stale():
        full = os.path.join(cache.ROOT, path)
        if path in wanted:
            with tempfile.TemporaryDirectory(prefix="ipcert-go-") as scratch:
                data = golang.found_sums(scratch, wanted[path])
            with open(full, "wb") as file:
                file.write(data)
        else:
            os.unlink(full)
        print(path)
    return 0
