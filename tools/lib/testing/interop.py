"""`tools/test interop`: every CA in tests/interop/test_foreign_cas.py at full size, and a table of what each has.

tools/test interop            yes · no: the CA does not offer it · the CA is wrong · FAILED · not run
tools/test interop --json     the same as one object, {CA: {what: word}}
tools/test interop -k serles  some of it: words are pytest's
"""

import json
import os
import sys

import pytest

from tools.lib import cache

FILE = "tests/interop/test_foreign_cas.py"


class _Table:
    """Hears what each test says that it looked at, and what came of it."""

    def __init__(self):
        self.found = {}

    def pytest_runtest_logreport(self, report):
        words = dict(report.user_properties)
        if report.when == "call" and "what" in words:
            has = words.get("has", "FAILED") if report.passed else "FAILED"
            self.found.setdefault(words["ca"], {})[words["what"]] = has


def main(words):
    """The command; returns an exit status."""
    os.chdir(cache.ROOT)
    as_json = "--json" in words
    table = _Table()
    command = ["--tier=full", "-q", "-o", f"cache_dir={cache.path('pytest')}", FILE]
    saved = os.dup(1)
    if as_json:
        os.dup2(2, 1)  # the object alone on stdout
    try:
        status = pytest.main([*command, *(word for word in words if word != "--json")], plugins=[table])
    finally:
        sys.stdout.flush()
        os.dup2(saved, 1)
    if as_json:
        print(json.dumps(table.found, indent=2))
    else:
        _print(table.found)
    return int(status)


def _print(found):
    """As docs/acme.md has it."""
    print()
    print("| |", " | ".join(found), "|")
    print("|---" * (1 + len(found)) + "|")
    for what in dict.fromkeys(what for row in found.values() for what in row):
        print(f"| {what} |", " | ".join(row.get(what, "not run") for row in found.values()), "|")
