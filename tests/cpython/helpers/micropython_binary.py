"""Where the real MicroPython is: built once by tools/build, or named by IPCERT_MICROPYTHON."""

import os
import subprocess
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
_found = []


def path():
    """The unix interpreter's path. Building it takes a minute the first time."""
    if not _found:
        given = os.environ.get("IPCERT_MICROPYTHON")
        if not given:
            build = [sys.executable, os.path.join(_ROOT, "tools", "build"), "micropython"]
            given = subprocess.run(build, stdout=subprocess.PIPE, check=True).stdout.decode().split("\n")[-2]
        _found.append(given)
    return _found[0]
