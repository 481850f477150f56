"""What is installed is what is in the tree: the wheels of ipcert and its two shims."""

import os
import subprocess
import sys
import zipfile

import pytest

from tools.lib import cache
from tools.lib.build import wheel


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """{distribution: (path, names of its files)}"""
    found = {}
    for path in wheel.build(str(tmp_path_factory.mktemp("wheels"))):
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


def test_ipcert_holds_the_core_and_the_port_and_nothing_else(wheels):
    _, names = wheels["ipcert"]
    assert code(names) == tree("ipcert", "ipcert") | tree("ports/cpython/ipcert_port", "ipcert_port")
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.mark.parametrize("shim", ["ucryptolib_shim", "urequests_compat"])
def test_a_shim_holds_its_package_and_nothing_else(wheels, shim):
    _, names = wheels[shim]
    present = {name for name in tree(f"ports/{shim}/{shim}", shim)}
    assert code(names) == present


def test_ipcert_asks_for_its_shims_and_brings_its_command(wheels):
    path, names = wheels["ipcert"]
    with zipfile.ZipFile(path) as archive:
        metadata = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
        scripts = archive.read(next(name for name in names if name.endswith("/entry_points.txt"))).decode()
    for needed in ("ucryptolib-shim", "urequests-compat", "cryptography>=38.0.4"):
        assert f"Requires-Dist: {needed}" in metadata
    assert "ipcert = ipcert_port.cli.commands:main" in scripts


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
