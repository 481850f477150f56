"""FEATURES.md and the table in docs/acme.md name tests: they exist. tests/conftest.py sees that they pass where they run."""

import ast
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
SHORT = os.path.join(HERE, "..", "..", "docs", "acme.md")
NAMED = re.compile(r"`([\w./-]+\.py)::(\w+)`")
EXCUSES = ("same core", "no command", "not tried")  # what may stand in the short table's last column


def rows():
    with open(os.path.join(HERE, "FEATURES.md")) as file:
        lines = [line.strip().strip("|").split(" | ") for line in file if line.startswith("| ")]
    return [line for line in lines[1:] if not line[0].strip().startswith("**")]


def named():
    return sorted({pair for row in rows() for cell in row for pair in NAMED.findall(cell)})


def short_rows():
    """The rows of the short table: the feature, CPython, MicroPython."""
    with open(SHORT) as file:
        text = file.read().split("\n## ")[0]
    lines = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines[1:]]


def test_the_short_table_names_tests_of_the_long_one():
    known = {name for path, name in named() if "/" not in path}
    wrong = []
    for feature, *cells in short_rows():
        for cell in cells:
            found = re.findall(r"`(test_\w+)`", cell)
            if [name for name in found if name not in known] or not found and cell not in EXCUSES:
                wrong.append((feature, cell))
    assert wrong == [] and len(short_rows()) >= 25
    assert all(re.search(r"`test_\w+`", cpython) for _, cpython, _ in short_rows())


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
