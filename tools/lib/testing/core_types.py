"""Checks the bodies of ipcert/, not only its stubs: mypy reads a copy in which the stubs' types stand in the code.

The core carries no annotations, because MicroPython reads it; its types are in the .pyi beside each module. mypy reads
a stub instead of the module, so mistakes inside bodies would go unseen. Here both are put together, by name.

    python -m tools.lib.testing.core_types [PATH ...]     what mypy finds below these paths, or below CHECKED; exit 1 for any
    python -m tools.lib.testing.core_types ipcert         all of the core
"""

import ast
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.lib import cache

ROOT = Path(cache.ROOT)
# What is free of mistakes, and stays so.
CHECKED = ("ipcert/",)
_LINE = re.compile(r"^(?:.*/)?(ipcert/[^:]+):(\d+): (error: .*)$")


def _name(node):
    """The name of a function or class, with the ending of a property's setter; None for anything else."""
    setter = [one.attr for one in getattr(node, "decorator_list", []) if isinstance(one, ast.Attribute)]
    return ".".join([node.name, *setter]) if hasattr(node, "name") else None


def _members(body):
    """{name: node} of the functions and classes in a body, those of each branch of an `if` too; the last one wins."""
    found = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found[_name(node)] = node
        elif isinstance(node, ast.If):
            found.update(_members(node.body + node.orelse))
    return found


def _annotated(body):
    """[AnnAssign] of a stub's body: the attributes of a class, or the constants of a module."""
    return [node for node in body if isinstance(node, ast.AnnAssign)]


def _apply(code, stub):
    """Put the annotations of a stub's body on the functions and classes of a module's, in place."""
    types = _members(stub)
    for node in code:
        if isinstance(node, ast.If):
            _apply(node.body + node.orelse, stub)
        other = types.get(_name(node))
        if isinstance(node, ast.FunctionDef) and isinstance(other, ast.FunctionDef):
            typed = {one.arg: one.annotation for one in (*other.args.args, *other.args.kwonlyargs)}
            for one in (*node.args.args, *node.args.kwonlyargs):
                one.annotation = typed.get(one.arg)
            node.returns = other.returns
            node.decorator_list = node.decorator_list or other.decorator_list
        elif isinstance(node, ast.ClassDef) and isinstance(other, ast.ClassDef):
            _apply(node.body, other.body)
            place = 1 if ast.get_docstring(node) is not None else 0
            node.body[place:place] = _annotated(other.body)
    return code


def merged(module, stub):
    """The module's tree with the stub's types in it."""
    tree, types = ast.parse(module), ast.parse(stub)
    _apply(tree.body, types.body)
    constants = {ast.unparse(node.target): node for node in _annotated(types.body)}
    for place, node in enumerate(tree.body):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            typed = constants.get(getattr(node.targets[0], "id", None))
            if typed is not None:
                new = ast.AnnAssign(typed.target, typed.annotation, node.value, 1)
                tree.body[place] = ast.copy_location(new, node)
    # What a stub imports and defines for its types alone: only for the checker, and never run.
    extra: list[ast.stmt] = [n for n in types.body if isinstance(n, (ast.Import, ast.ImportFrom))]
    defined = _members(tree.body)
    for node in types.body:
        name = getattr(node, "name", None)
        if isinstance(node, ast.ClassDef) and name not in defined:
            extra.append(node)
        elif isinstance(node, ast.Assign):
            extra.append(node)
    place = 1 if ast.get_docstring(tree) is not None else 0
    tree.body[place:place] = extra
    return tree


def _write(folder):
    """Write the copy of the core with types in it."""
    for path in sorted((ROOT / "ipcert").rglob("*.py")):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        stub = path.with_suffix(".pyi")
        tree = merged(path.read_text(), stub.read_text() if stub.exists() else "")
        text = ast.unparse(ast.fix_missing_locations(tree))
        target.write_text("from __future__ import annotations\n" + text + "\n")
    (folder / "ipcert" / "py.typed").write_text("")


def check(paths):
    """mypy's complaints about the bodies of what lies below `paths`, each with the line of code that it is about."""
    with tempfile.TemporaryDirectory(prefix="ipcert-types-") as name:
        folder = Path(name)
        _write(folder)
        command = [
            sys.executable, "-m", "mypy", "--no-error-summary", "--check-untyped-defs", "--no-implicit-optional",
            "--cache-dir", str(folder / "cache"), "--python-version", "3.9", "-p", "ipcert",
        ]  # fmt: skip
        done = subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        found = []
        for line in done.stdout.splitlines():
            match = _LINE.match(line)
            if match and match[1].startswith(tuple(paths)):
                source = (folder / match[1]).read_text().splitlines()[int(match[2]) - 1].strip()
                found.append(f"{match[1]}: {match[3]}\n    {source}")
        return found


if __name__ == "__main__":
    lines = check(sys.argv[1:] or CHECKED)
    print("\n".join([*lines, f"{len(lines)} mistakes"]))
    sys.exit(1 if lines else 0)
