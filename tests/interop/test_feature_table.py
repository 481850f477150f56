"""FEATURES.md names tests: they exist, and in a whole run they ran."""

import ast
import os
import re

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
NAMED = re.compile(r"`([\w./-]+\.py)::(\w+)`")


def rows():
    with open(os.path.join(HERE, "FEATURES.md")) as file:
        lines = [line.strip().strip("|").split(" | ") for line in file if line.startswith("| ")]
    return [line for line in lines[1:] if not line[0].strip().startswith("**")]


def named():
    return sorted({pair for row in rows() for cell in row for pair in NAMED.findall(cell)})


def test_the_named_tests_exist():
    assert len(named()) > 50
    missing = []
    for path, name in named():
        with open(os.path.join(HERE, path)) as file:
            tree = ast.parse(file.read())
        if name not in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{path}::{name}")
    assert missing == []


def test_every_row_has_a_test_or_says_why_not():
    bare = [row[0] for row in rows() if len(row) != 3 or not row[1].strip() or not row[2].strip()]
    assert bare == []
    without = [row[0] for row in rows() if not NAMED.search(row[1]) and "all of the above" not in row[1]]
    assert without == []


def test_the_named_tests_ran(ran, request):
    here = {(path, name) for path, name in named() if "/" not in path}
    collected = {(item.path.name, item.originalname) for item in request.session.items}
    if not here <= collected:
        pytest.skip("only a part of this folder is run")
    assert {pair for pair in here if "passed" not in ran.get(pair, ())} == set()
