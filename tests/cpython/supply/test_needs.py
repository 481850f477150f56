"""The table of what every target needs: each target has its row, and each thing stands in one place."""

import collections
import os
import subprocess

import pytest

from tools.lib import cache, debian, needs, venv
from tools.lib.board import firmware
from tools.lib.build import golang, natmod

pytestmark = pytest.mark.quick

DOORS = sorted(
    entry.name
    for entry in os.scandir(os.path.join(cache.ROOT, "tools"))
    if entry.is_file() and "." not in entry.name
)
KINDS = ("rows", "debian", "unpacked", "python", "go")


def test_rows_name_what_there_is():
    for name, row in needs.TABLE.items():
        assert set(row) <= set(KINDS), name
        assert set(row.get("rows", ())) <= set(needs.TABLE), name
        assert set(row.get("python", ())) <= set(venv.groups()), name
        assert set(row.get("go", ())) <= set(golang.MODULES), name


def test_a_package_stands_in_one_row():
    rows = collections.defaultdict(list)
    for name, row in needs.TABLE.items():
        for kind in KINDS[1:]:
            for one in row.get(kind, ()):
                for word in [one] if isinstance(one, str) else one.values():
                    rows[kind, word].append(name)
    assert {word: names for word, names in rows.items() if len(names) > 1} == {}


def test_every_target_has_a_row():
    done = subprocess.run(
        [os.path.join(cache.ROOT, "tools", "build"), "--help"], capture_output=True, text=True, check=True
    )
    targets = done.stdout.split("{")[1].split("}")[0].split(",")
    assert {"micropython", "natmod", "lock"} <= set(targets)
    wanted = [f"build {name}" for name in targets if name != "natmod"]
    wanted += [f"build natmod {arch}" for arch in natmod.TOOLCHAINS]
    wanted += [f"{word} {name}" for name in firmware.names() for word in ("build board", "board")]
    for name in DOORS:
        wanted += [name] if not any(row.startswith(name + " ") for row in needs.TABLE) else []
    assert [name for name in wanted if name not in needs.TABLE] == []


@pytest.mark.parametrize("door", DOORS)
def test_every_command_explains_itself(door):
    done = subprocess.run([os.path.join(cache.ROOT, "tools", door), "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and f"tools/{door}" in done.stdout, done.stderr


@pytest.mark.parametrize("suite, package", [("bookworm", "gcc-12-multilib"), ("trixie", "gcc-14-multilib")])
def test_names_that_differ_are_the_suites_own(suite, package, monkeypatch):
    monkeypatch.setattr(debian, "suite", lambda: suite)
    assert package in needs.of("build micropython32", "debian")
    assert {"gcc", "bzip2"} < set(needs.of("build micropython32", "debian"))  # of the rows that it includes
