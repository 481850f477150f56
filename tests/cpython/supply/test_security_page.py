"""SECURITY.md names a test beside each promise: those tests exist, and each promise has one."""

import ast
import os
import re

import pytest

from tools.lib import cache

pytestmark = pytest.mark.quick

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows():
    """(promise, cell of tests) of every table row below the heading on promises."""
    text = cache.read("SECURITY.md").decode()
    part = text.split("## Promises")[1].split("\n## ")[0]
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 2 and cells[0] not in ("promise", "---"):
            yield cells


def test_each_promise_names_tests_that_exist():
    found = list(rows())
    assert len(found) > 20
    for promise, cell in found:
        named = _TEST.findall(cell)
        assert named and len(named) == cell.count("::"), promise
        for path, name in named:
            tree = ast.parse(cache.read(*path.split("/")))
            names = [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
            assert name in names, "%s::%s is named in SECURITY.md and does not exist" % (path, name)


def test_the_files_it_names_exist():
    text = cache.read("SECURITY.md").decode()
    for path in re.findall(r"`((?:tests|tools|\./tools)/[\w/.]+)", text):
        assert os.path.exists(os.path.join(cache.ROOT, path.split("::")[0])), path
