"""Every module of the core has a stub beside it, and every public name a docstring. `tools/test lint` runs stubtest."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

CORE = Path(__file__).resolve().parents[3] / "ipcert"
MODULES = sorted(p for p in CORE.rglob("*.py") if p.name != "__init__.py")


def names(tree):
    """{name: arguments or None} of what a module or stub defines at its top and in its classes."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.If):  # one definition for each interpreter
            found.update(names(ast.Module(body=node.body, type_ignores=[])))
        elif isinstance(node, ast.FunctionDef):
            found[node.name] = [a.arg for a in node.args.args]
        elif isinstance(node, ast.ClassDef):
            found[node.name] = None
            inner = names(node)
            found.update({node.name + "." + k: v for k, v in inner.items() if v is not None})
    return {
        k: v
        for k, v in found.items()
        if not any(p[0] == "_" for p in k.split(".")) or "__init__" in k and k[0] != "_"
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_stub(path):
    stub = names(ast.parse(path.with_suffix(".pyi").read_text()))
    code = names(ast.parse(path.read_text()))
    assert {k: v for k, v in stub.items() if k in code} == code
    protocols = {"Planned", "Random"} if path.stem == "plan" else {"Signer", "Entropy", "Counter", "Port"}
    assert not {name.split(".")[0] for name in set(stub) - set(code)} - protocols


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_docstrings(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    lacking = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_":
            if not ast.get_docstring(node):
                lacking.append(node.name)
            if isinstance(node, ast.ClassDef):
                for f in node.body:
                    if isinstance(f, ast.FunctionDef) and f.name[0] != "_" and not ast.get_docstring(f):
                        lacking.append(node.name + "." + f.name)
    assert not lacking
