"""What is fetched is held to hashes, what it is made of is written down, and the same sources give the same bytes."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile

import pytest

from tools.lib import cache, golang, hashes, say, venv, wheel

sys.path.insert(0, os.path.join(cache.ROOT, "tools", "lib"))

import mpbuild
import sbom


def test_every_pin_has_its_hashes():
    assert hashes.check() == 0
    for digests in hashes.known().values():
        assert digests and all(len(digest) == 64 and int(digest, 16) for digest in digests)


def test_a_pin_without_a_hash_is_not_installed(monkeypatch, capsys):
    with pytest.raises(say.Stop, match="tools/build hashes"):
        hashes.hashed(["six==1.17.1"])
    with pytest.raises(say.Stop, match="not a pin"):
        hashes.hashed(["six>=1.17.0"])
    monkeypatch.setattr(hashes, "wanted", lambda: {("six", "1.17.1")})
    assert hashes.check() == 1
    assert "six==1.17.1 has no hash" in capsys.readouterr().err


def other_six(monkeypatch, folder, needs=""):
    """The only file that pip can find, and it is not six. Its path."""
    path = folder / "six-1.17.0-py2.py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("six.py", "print('not what was pinned')\n")
        file.writestr(
            "six-1.17.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: six\nVersion: 1.17.0\n{needs}"
        )
        file.writestr(
            "six-1.17.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\n"
        )
        file.writestr("six-1.17.0.dist-info/RECORD", "")
    monkeypatch.setenv("IPCERT_CACHE", str(folder / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return path


def test_another_file_under_a_pinned_name_is_refused(monkeypatch, tmp_path):
    other_six(monkeypatch, tmp_path)
    with pytest.raises(say.Stop, match="Got +[0-9a-f]{64}"):  # found, and only its hash stood in the way
        venv.with_requirements("x", ["six==1.17.0"])


def test_what_is_needed_and_not_pinned_is_named(monkeypatch, tmp_path):
    path = other_six(monkeypatch, tmp_path, "Requires-Dist: seven\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(hashes, "hashed", lambda lines: f"{lines[0]} --hash=sha256:{digest}\n")
    with pytest.raises(say.Stop, match="pinned for x .* requires seven"):
        venv.with_requirements("x", ["six==1.17.0"])


def test_go_modules_are_held_to_our_sums():
    for (module, release), _ in hashes.modules():
        lines = cache.read(*golang.sums(module, release)).decode().splitlines()
        assert any(line.startswith("%s %s h1:" % (module, release)) for line in lines)
        assert golang._zips("\n".join(lines).encode())


def test_the_sbom_is_up_to_date_and_drift_is_noticed(monkeypatch, capsys):
    assert sbom.main(check=True) == 0
    monkeypatch.setattr(hashes, "wanted", lambda: {("six", "1.17.1")})
    assert sbom.main(check=True) == 1
    assert "run tools/build sbom" in capsys.readouterr().err


def test_the_sbom_holds_what_is_handed_out():
    with open(sbom.FILE) as file:
        bom = json.load(file)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.5")
    components = {one["bom-ref"]: one for one in bom["components"]}
    assert len(components) == len(bom["components"])
    needed = {components[ref]["name"] for ref in bom["dependencies"][0]["dependsOn"]}
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
        assert one["name"] in ours or one.get("hashes") or one["properties"][0]["name"] == "ipcert:hashes"


def test_the_wheels_are_the_same_when_built_again(tmp_path):
    built = []
    for name, mask in (("first", 0o022), ("second", 0o077)):
        before = os.umask(mask)
        try:
            built.append(wheel.build(str(tmp_path / name)))
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
    cross = mpbuild.mpy_cross()
    for name in ("device", "journal", "acme/issuance"):
        source = cache.read("ipcert", name + ".py")
        found = []
        for folder in ("one", "another"):
            os.makedirs(tmp_path / folder, exist_ok=True)
            (tmp_path / folder / "m.py").write_bytes(source)
            out = tmp_path / folder / "m.mpy"
            subprocess.run([cross, "-s", "m.py", "-o", out, tmp_path / folder / "m.py"], check=True)
            found.append(out.read_bytes())
        assert found[0] == found[1]
