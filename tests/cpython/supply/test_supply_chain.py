"""What is fetched is held to hashes, what it is made of is written down, and the same sources give the same bytes."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile

import pytest

from tools.lib import cache, say, venv
from tools.lib.build import golang, lock, micropython, sbom, wheel


def test_the_locks_are_up_to_date_and_drift_is_noticed(monkeypatch, capsys):
    assert lock.main(check=True) == 0
    groups = dict(venv.groups(), tests=["six>=1.17"])
    monkeypatch.setattr(venv, "groups", lambda: groups)
    monkeypatch.setitem(golang.MODULES, "other", ("example.org/other", "v1.0.0", ("cmd",)))
    assert lock.main(check=True) == 1
    said = capsys.readouterr().err
    for path in (venv.LOCK, venv.OLDEST, "tools/go/other-v1.0.0.sum"):
        assert f"{path} is out of date: run tools/build lock" in said


def test_locks_hold_hashes_and_name_no_place():
    for path in (venv.LOCK, venv.OLDEST):
        text = cache.read(path).decode()
        assert "://" not in text and "--index" not in text and "--find-links" not in text
        for name, _ in venv.pins(path):
            digests = re.findall(r"--hash=sha256:([0-9a-f]{64})\b", venv.pinned(name, path))
            assert digests, name


def wheel_of(folder, name, needs=""):
    """A wheel of `name` 1.17.0 that the index does not have. Its SHA-256."""
    path = folder / f"{name}-1.17.0-py3-none-any.whl"
    info = f"{name}-1.17.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", "print('not what was pinned')\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.17.0\n{needs}")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def install_six(monkeypatch, tmp_path):
    """A function that makes an environment with a six that only `tmp_path` has, held to the hash `digest`."""
    project = tmp_path / "pyproject.toml"
    project.write_text('[project]\nname = "x"\nversion = "1"\n\n[dependency-groups]\na = ["six"]\n')
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))

    def make(digest):
        pins = tmp_path / "lock.txt"
        pins.write_text(f"six==1.17.0 --hash=sha256:{digest}\n")
        venv.fill(str(tmp_path / digest), "--group", f"{project}:a", lock=str(pins))

    return make


def test_another_file_under_a_pinned_name_is_refused(install_six, tmp_path):
    digest = wheel_of(tmp_path, "six")
    with pytest.raises(say.Stop, match="Hash mismatch for `six==1.17.0`"):
        install_six("0" * 64)
    install_six(digest)  # only its hash stood in the way


def test_what_is_needed_and_not_pinned_is_not_installed(install_six, tmp_path):
    wheel_of(tmp_path, "seven")
    with pytest.raises(say.Stop, match="no trusted hash was provided for: `seven`"):
        install_six(wheel_of(tmp_path, "six", "Requires-Dist: seven\n"))


def test_go_modules_are_held_to_our_sums():
    for name, (module, release, _) in golang.MODULES.items():
        lines = cache.read(golang.sums(name)).decode().splitlines()
        assert any(line.startswith("%s %s h1:" % (module, release)) for line in lines)
        assert golang._zips("\n".join(lines).encode())


def test_the_sbom_is_up_to_date_and_drift_is_noticed(monkeypatch, capsys):
    assert sbom.main(check=True) == 0
    monkeypatch.setattr(venv, "pins", lambda path: [("six", "1.17.1")])
    assert sbom.main(check=True) == 1
    assert "run tools/build sbom" in capsys.readouterr().err


def test_the_sbom_holds_what_is_handed_out():
    with open(sbom.FILE) as file:
        bom = json.load(file)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.5")
    components = {one["bom-ref"]: one for one in bom["components"]}
    assert len(components) == len(bom["components"])
    root = bom["metadata"]["component"]["bom-ref"]
    (refs,) = [one["dependsOn"] for one in bom["dependencies"] if one["ref"] == root]
    needed = {components[ref]["name"] for ref in refs}
    ours = {"ucryptolib-shim", "urequests-compat"}
    assert needed == ours | {
        "cryptography",
        "idna",
        "rich",
        "tomli",
        "mbedtls",
        "micropython",
        "lwip",
    }
    for one in bom["components"]:
        known = one.get("hashes") or "ipcert:hashes" in [row["name"] for row in one.get("properties", [])]
        assert known or one["name"] in {*ours, "tomli"}  # tomli: on no Python that we build or test with


def test_the_wheels_are_the_same_when_built_again(tmp_path):
    built = []
    for name, mask in (("first", 0o022), ("second", 0o077)):
        before = os.umask(mask)
        try:
            built.append(wheel.build(str(tmp_path / name), venv.PROJECTS))
        finally:
            os.umask(before)
    assert len(built[0]) == 3
    for one, other in zip(*built):
        assert open(one, "rb").read() == open(other, "rb").read(), one


def test_the_native_mpy_is_the_same_when_built_again(tmp_path):
    """The second one in a cache of its own, which shares all but the natmod with ours."""
    for name in os.listdir(cache.path()):
        if not name.startswith("natmod-"):
            (tmp_path / name).symlink_to(cache.path(name))
    built = []
    for environment in ({}, {"IPCERT_CACHE": str(tmp_path)}):
        command = [sys.executable, os.path.join(cache.ROOT, "tools", "build"), "natmod", "x64"]
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        built.append(done.stdout.splitlines()[-1])
    assert built[0] != built[1]
    assert open(built[0], "rb").read() == open(built[1], "rb").read()


def test_bytecode_is_the_same_wherever_it_is_built(tmp_path):
    cross = micropython.mpy_cross()
    for name in ("device", "journal", "order/issuance"):
        source = cache.read("ipcert", name + ".py")
        found = []
        for folder in ("one", "another"):
            os.makedirs(tmp_path / folder, exist_ok=True)
            (tmp_path / folder / "m.py").write_bytes(source)
            out = tmp_path / folder / "m.mpy"
            subprocess.run([cross, "-s", "m.py", "-o", out, tmp_path / folder / "m.py"], check=True)
            found.append(out.read_bytes())
        assert found[0] == found[1]
