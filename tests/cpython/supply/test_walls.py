"""The walls of the house: who may import whom, what may lie where, and a few words that may stand nowhere."""

import ast
import os
import re
import sys

import pytest
from project_files import ALL, PYTHON, ROOT, is_test, text

pytestmark = pytest.mark.quick

FOLDERS = {".ci", "boards", "docs", "ipcert", "ports", "tests", "tools"}
CORE_MAY_IMPORT = {"binascii", "ipcert", "json", "micropython", "struct"}
PROBES = {"ipcert/encoding/buffer.py": {"sys"}}  # where the core asks which Python it runs on
SHIMS = {"ucryptolib_shim", "urequests_compat"}
THIRD_PARTY = {"cryptography", "dns", "idna", "miniupnpc", "publicsuffixlist", "rich", "tomli"}
# sys.stdlib_module_names is newer than 3.9; for what this test forbids, these are the names that matter.
OURS = {"ipcert", "ipcert_port", "tests", "tools"} | SHIMS


def imports(name):
    """(line, first name) of each import that is not relative, wherever it stands in the file."""
    for node in ast.walk(ast.parse(text(name), name)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "__import__":
            yield node.lineno, getattr(node.args[0], "value", "?")


def relative_depths(name):
    """(line, level) of each relative import."""
    for node in ast.walk(ast.parse(text(name), name)):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, node.level


def below(*folders):
    return [
        name
        for name in PYTHON
        if any(name.startswith(folder + "/") for folder in folders) and not is_test(name)
    ]


def first(module):
    return module.split(".")[0]


def is_in(home, module):
    """True where the package at `home` (a folder that is named as the package) has the dotted `module`."""
    path = "/".join([os.path.dirname(home), *module.split(".")])
    return path + ".py" in ALL or path + "/__init__.py" in ALL


def test_something_was_read():
    assert len(below("ipcert")) > 10 and len(below("ports")) > 10 and len(below("tools")) > 10


def test_the_core_imports_nothing_but_itself_and_three_small_modules():
    wrong = [
        f"{name}:{line} imports {module}"
        for name in below("ipcert")
        for line, module in imports(name)
        if first(module) not in CORE_MAY_IMPORT | PROBES.get(name, set())
    ]
    # The one import by a name that is no constant: the table of parts, whose rows test_features.py reads.
    assert [line.split(":")[0] for line in wrong] == ["ipcert/features.py"]
    assert wrong[0].endswith("imports ?")


def test_relative_imports_stay_inside_their_package():
    wrong = [
        f"{name}:{line} climbs {level} up"
        for name in below("ipcert", "ports")
        for line, level in relative_depths(name)
        if not all(
            os.path.exists(os.path.join(ROOT, *name.split("/")[:-up], "__init__.py"))
            for up in range(1, level + 1)
        )
    ]
    assert wrong == []


@pytest.mark.parametrize("port", ["cpython", "micropython"])
def test_a_port_imports_the_core_and_the_shims_and_never_the_other_port(port):
    allowed = {"ipcert", "ipcert_port"} | SHIMS
    home = f"ports/{port}/ipcert_port"
    wrong = []
    for name in below(f"ports/{port}"):
        for line, module in imports(name):
            if first(module) in OURS - allowed:
                wrong.append(f"{name}:{line} imports {module}")
            if first(module) == "ipcert_port" and not is_in(home, module):
                wrong.append(f"{name}:{line} imports {module}, which is not in {home}")
        other = {"cpython": "micropython", "micropython": "cpython"}[port]
        if f"ports/{other}" in text(name):
            wrong.append(f"{name} speaks of ports/{other}")
    assert wrong == []


def test_the_cpython_port_imports_only_what_the_project_declares():
    if sys.version_info < (3, 10):
        pytest.skip("the list of standard modules is newer than this Python")
    younger = {"_sha2", "_sha256"}  # Python's own digests: one name until 3.11, the other since
    allowed = set(sys.stdlib_module_names) | younger | {"ipcert", "ipcert_port"} | SHIMS | THIRD_PARTY
    wrong = [
        f"{name}:{line} imports {module}"
        for name in below("ports/cpython")
        for line, module in imports(name)
        if first(module) not in allowed
    ]
    assert wrong == []


def test_the_routers_program_stands_on_the_core_and_the_port_to_micropython():
    home = "ports/micropython/ipcert_port"
    wrong = []
    for name in below("ports/router"):
        for line, module in imports(name):
            parts = module.split(".")
            if parts[0] in OURS - {"ipcert", "ipcert_port"} | THIRD_PARTY:
                wrong.append(f"{name}:{line} imports {module}")
            if parts[0] == "ipcert_port" and not is_in(home, module):
                wrong.append(f"{name}:{line} imports {module}, which is not in {home}")
    assert below("ports/router") and wrong == []


def test_the_shims_know_nothing_of_ipcert():
    wrong = [
        f"{name}:{line} imports {module}"
        for shim in SHIMS
        for name in below(f"ports/{shim}")
        for line, module in imports(name)
        if first(module) in OURS - {shim}
    ]
    assert wrong == []


def test_nothing_but_tests_imports_the_tools():
    wrong = [
        f"{name}:{line} imports {module}"
        for name in PYTHON
        if not name.startswith(("tools/", "tests/"))
        for line, module in imports(name)
        if first(module) == "tools"
    ]
    assert wrong == []


def test_the_tools_are_imported_by_their_whole_name():
    """Only programs that are started by a path put folders on sys.path: the doors in tools/, and atheris' child."""
    wrong = [
        f"{name}:{line} climbs {level} up" for name in below("tools") for line, level in relative_depths(name)
    ]
    for name in PYTHON:
        if not name.startswith(("tools/lib/", "tests/")) or name == "tools/lib/fuzz/child.py":
            continue
        for node in ast.walk(ast.parse(text(name), name)):
            changed = [getattr(node, "func", None), *getattr(node, "targets", ())]
            if any(re.match(r"sys\.path\b", ast.unparse(one)) for one in changed if one):
                wrong.append(f"{name}:{node.lineno} changes sys.path")
    assert wrong == []


def test_there_are_no_other_top_level_folders():
    assert {name.split("/")[0] for name in ALL if "/" in name} <= FOLDERS


def test_no_file_names_a_path_of_a_developers_machine():
    # Put together from parts, so that this file does not find itself.
    homes = "|".join(["home/[a-z]+", "Users/[A-Za-z]+", "root", "work", "workspace"])
    anywhere = re.compile(r"(?<![\w./~$}*-])/(?:" + homes + r")/[\w.-]")
    wrong = []
    for name in ALL:
        words = text(name)
        if ROOT + "/" in words:
            wrong.append(f"{name} names this checkout")
        found = anywhere.search(words)
        if found:
            wrong.append(
                f"{name}:{words.count(chr(10), 0, found.start()) + 1} names a path: {found.group()}..."
            )
    assert wrong == []


def test_outside_tests_nothing_is_asserted_and_no_except_is_bare():
    wrong = []
    for name in PYTHON:
        if is_test(name):
            continue
        for node in ast.walk(ast.parse(text(name), name)):
            if isinstance(node, ast.Assert):
                wrong.append(f"{name}:{node.lineno} asserts: a check that matters must raise")
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                wrong.append(f"{name}:{node.lineno} has a bare except")
    assert wrong == []


def test_nothing_is_left_to_do():
    words = re.compile(
        r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "NotImplemented" + "Error"]) + r")\b"
    )
    wrong = []
    for name in ALL:
        for number, line in enumerate(text(name).split("\n"), 1):
            if words.search(line):
                wrong.append(f"{name}:{number} {line.strip()[:80]}")
    assert wrong == []
