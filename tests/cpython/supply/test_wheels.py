"""What is installed is what is in the tree: ipcert's wheel, which brings its two shims, and the shims alone.

The shims are in no index. Were they asked of one, whoever registers their names would be on every NAS.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from home import Home

from tools.lib import cache, venv
from tools.lib.build import wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """{distribution: (path, names of its files)}"""
    found = {}
    for path in wheel.build(str(tmp_path_factory.mktemp("wheels")), venv.PROJECTS):
        with zipfile.ZipFile(path) as archive:
            found[os.path.basename(path).split("-")[0]] = (path, set(archive.namelist()))
    return found


def tree(folder, package):
    """The modules and stubs below `folder`, as they are named in a wheel."""
    start = os.path.join(cache.ROOT, folder)
    found = set()
    for directory, _, files in os.walk(start):
        for name in files:
            if name.endswith((".py", ".pyi", ".toml")) or name == "py.typed":
                found.add(package + os.path.join(directory, name)[len(start) :])
    return found


def code(names):
    return {name for name in names if ".dist-info/" not in name}


def test_there_are_three(wheels):
    assert set(wheels) == {"ipcert", "ucryptolib_shim", "urequests_compat"}


def test_ipcert_holds_the_core_the_port_and_the_shims_and_nothing_else(wheels):
    _, names = wheels["ipcert"]
    shims = tree("ports/ucryptolib_shim/ucryptolib_shim", "ucryptolib_shim")
    shims |= tree("ports/urequests_compat/urequests_compat", "urequests_compat")
    core = tree("ipcert", "ipcert")
    assert code(names) == core | tree("ports/cpython/ipcert_port", "ipcert_port") | shims
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.mark.parametrize("shim", ["ucryptolib_shim", "urequests_compat"])
def test_a_shim_holds_its_package_and_nothing_else(wheels, shim):
    _, names = wheels[shim]
    present = {name for name in tree(f"ports/{shim}/{shim}", shim)}
    assert code(names) == present


def test_no_wheel_asks_an_index_for_ours_and_ipcert_brings_its_command(wheels):
    known = {name for name, _ in venv.pins(venv.LOCK)} | {"tomli"}  # on no Python that we test with
    for path, names in wheels.values():
        with zipfile.ZipFile(path) as archive:
            metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
        asked = re.findall(r"^Requires-Dist: ([\w.-]+)", metadata, re.MULTILINE)
        assert {canonical(name) for name in asked} <= known
    with zipfile.ZipFile(wheels["ipcert"][0]) as archive:
        names = archive.namelist()
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
        scripts = archive.read(next(name for name in names if name.endswith("/entry_points.txt"))).decode()
    assert "Requires-Dist: cryptography>=38.0.4" in metadata
    assert "ipcert = ipcert_port.cli.commands:main" in scripts


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_nothing_in_the_tree_asks_an_index_for_the_shims():
    """Neither a requirement, nor a lock, nor a command that a reader would type."""
    ours = {canonical(venv.project(directory)["name"]) for directory in venv.PROJECTS}
    asked = venv.project()["dependencies"] + [
        line
        for lines in [*venv.project()["optional-dependencies"].values(), *venv.groups().values()]
        for line in lines
    ]
    asked = [line for line in asked if isinstance(line, str)] + [
        line for directory in venv.PROJECTS[1:] for line in venv.project(directory).get("dependencies", [])
    ]
    assert not ours & {canonical(re.match(r"[\w.-]+", line).group()) for line in asked}
    assert not ours & {canonical(name) for lock in (venv.LOCK, venv.OLDEST) for name, _ in venv.pins(lock)}
    listed = subprocess.run(
        ["git", "ls-files"], cwd=cache.ROOT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    wrong = []
    for path in listed.splitlines():
        if path.endswith((".md", ".service", ".toml", ".sh", ".txt")):
            for line in cache.read(path).decode().splitlines():
                if re.search(
                    r"pip3? install[^`]*(?<![\w/])(ucryptolib[-_]shim|urequests[-_]compat|ipcert)\b", line
                ):
                    wrong.append(f"{path}: {line}")
    assert wrong == []


@pytest.fixture(scope="module")
def bare():
    """An environment with what ipcert depends on, and with setuptools, which builds it; nothing of ours. Its directory."""
    key = venv.key(cache.read(venv.LOCK), cache.read("pyproject.toml"), "bare")
    return cache.once(
        cache.path(f"bare-{key}"), lambda target: venv.fill(target, *venv.DEPENDENCIES, "--group", "tests")
    )


@pytest.mark.parametrize("what", ["wheel", "checkout"])
def test_pip_alone_installs_ipcert_which_orders(bare, wheels, tmp_path, pebble, what):
    """`pip install .` and the wheel: with no index at all, so that nobody can be asked for the shims."""
    new = tmp_path / "venv"
    subprocess.run([venv.interpreter(), "-m", "venv", new], check=True)
    # Before Python 3.12 it comes with an old setuptools, which would be found first.
    subprocess.run([new / "bin" / "python", "-m", "pip", "-q", "uninstall", "-y", "setuptools"], check=True)
    # What an index would have given, but for what is in none.
    (site,) = new.glob("lib/python*/site-packages")
    (given,) = glob.glob(os.path.join(bare, "lib", "python*", "site-packages"))
    (site / "given.pth").write_text(given + "\n")
    if what == "wheel":
        asked = wheels["ipcert"][0]
    else:
        asked = str(tmp_path / "checkout")
        shutil.copytree(
            cache.ROOT, asked, ignore=shutil.ignore_patterns(".git", "__pycache__", "tests", "boards")
        )
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    command = [new / "bin" / "python", "-m", "pip", "install", "--no-index", "--no-build-isolation", asked]
    done = subprocess.run(command, env=clean, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    program = str(new / "bin" / "ipcert")
    done = subprocess.run([program, "--version"], env=clean, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    assert done.stdout == f"ipcert {venv.project()['version']}\n"
    home = Home(tmp_path, pebble)
    done = subprocess.run(
        [program, "issue", "--json", "--config", home.config],
        env=clean,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0 and json.loads(done.stdout)["issued"] == 1
    code = (
        "import urequests_compat, ucryptolib_shim; print(urequests_compat.__file__, ucryptolib_shim.__file__)"
    )
    found = subprocess.run(
        [new / "bin" / "python", "-c", code], env=clean, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert all(path.startswith(str(site)) for path in found.stdout.split())


def test_the_wheels_import_from_where_they_are_installed(wheels, tmp_path):
    for path, _ in wheels.values():
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path)
    program = "import ipcert.device, ipcert_port.cli.commands, ucryptolib_shim, urequests_compat; print(ipcert.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0 and done.stdout.strip() == str(tmp_path / "ipcert" / "__init__.py")
