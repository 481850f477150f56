"""No file imports one that, by whatever way round, imports it: also not inside functions, where Python would not complain.

A circle means that neither file can be read, tested or replaced without the other. Tests are not looked at: nothing imports
them. `from package import name` is an import of the module `name`, where there is one, and else of the package's own file;
that Python runs a package's own file before any other of it is not counted, nor is what stands under `if TYPE_CHECKING:`,
which no run ever imports. `python test_import_cycles.py` prints what there is.
"""

import ast
import os

import pytest
from project_files import PYTHON, ROOT, is_test, text

pytestmark = pytest.mark.quick

# Where each folder's files are found when they are imported by their whole name.
PLACES = {
    "core": ("", ("ipcert/",)),
    "cpython": ("ports/cpython/", ("ports/cpython/",)),
    "micropython": ("ports/micropython/", ("ports/micropython/",)),
    "router": ("ports/router/", ("ports/router/",)),
    "urequests_compat": ("ports/urequests_compat/", ("ports/urequests_compat/",)),
    "ucryptolib_shim": ("ports/ucryptolib_shim/", ("ports/ucryptolib_shim/",)),
    "tools": ("", ("tools/",)),
}


def graph(place):
    """file -> the files of the same place that it imports, anywhere in its text."""
    base, folders = PLACES[place]
    files = [name for name in PYTHON if name.startswith(folders) and not is_test(name)]
    return {name: set(imported(name, base, set(files))) for name in files}


def imported(name, base, files):
    """The files among `files` that the file `name` imports."""
    here = os.path.dirname(name)
    for node in nodes(ast.parse(text(name), name)):
        if isinstance(node, ast.Import):
            wanted = [(module_path(alias.name, base, here), None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                path = here.split("/")[: len(here.split("/")) - node.level + 1]
                wanted = [("/".join(path + (node.module or "").split(".")).rstrip("/"), node.names)]
            else:
                wanted = [(module_path(node.module, base, here), node.names)]
        else:
            continue
        for path, names in wanted:
            yield from (found for found in found_at(path, names) if found in files and found != name)


def nodes(tree):
    """Every node of a file that a run may reach: without what only type checkers read."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield node
            yield from nodes(node)


def module_path(module, base, here):
    """The path, without its ending, of a module that is imported by its whole name: a sibling's, for scripts."""
    path = module.replace(".", "/")
    sibling = here + "/" + path
    return sibling if os.path.exists(os.path.join(ROOT, sibling + ".py")) else base + path


def found_at(path, names):
    """The files that `import path`, or `from path import names`, may mean."""
    own = [path + ".py", path + "/__init__.py"]
    if names is None:
        return own
    modules = [[f"{path}/{alias.name}.py", f"{path}/{alias.name}/__init__.py"] for alias in names]
    out = []
    for two in modules:
        there = [one for one in two if os.path.exists(os.path.join(ROOT, one))]
        out += there or own
    return out


def circles(edges):
    """The sets of files that all reach one another (Tarjan's strongly connected components), sorted."""
    number, low, stack, found = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in edges[node]:
            if other not in number:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], number[other])
        if low[node] == number[node]:
            at = stack.index(node)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for node in sorted(edges):
        if node not in number:
            visit(node)
    return sorted(found)


@pytest.mark.parametrize("place", sorted(PLACES))
def test_no_file_imports_itself_by_way_of_others(place):
    edges = graph(place)
    assert edges, f"there is nothing in {PLACES[place]}"
    assert circles(edges) == []


def test_circles_are_found_and_what_only_leads_to_one_is_not():
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": {"f"}, "f": {"e"}, "g": {"h"}, "h": set()}
    assert circles(edges) == [["a", "b", "c"], ["e", "f"]]


def test_imports_for_type_checkers_alone_do_not_count():
    tree = ast.parse("import a\nif TYPE_CHECKING:\n    import b\ndef f():\n    import c")
    found = [node.names[0].name for node in nodes(tree) if isinstance(node, ast.Import)]
    assert found == ["a", "c"]


def test_imports_inside_functions_count():
    home = "ports/cpython/ipcert_port"
    edges = graph("cpython")
    # `ipcert issue` loads the alarm only where it has to wait, and the command line each command only when it is asked for.
    assert f"{home}/port/alarm.py" in edges[f"{home}/cli/issue.py"]
    assert f"{home}/cli/issue.py" in edges[f"{home}/cli/commands.py"]


if __name__ == "__main__":
    for place in sorted(PLACES):
        print(place, circles(graph(place)))
