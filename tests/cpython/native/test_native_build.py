"""What is installed on a device is the one file list: package.json for mip, manifest.py for freezing, the wheel."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from micropython_binary import path as micropython

ROOT = Path(__file__).resolve().parents[3]
TRY = "import ipcert.device, ipcert_port.port.sign, ipcert_port.port.drive, urequests_compat; print(ipcert_port.port.sign.Signer.name)"


def build(*words):
    return subprocess.run(
        [sys.executable, str(ROOT / "tools" / "build"), *words], capture_output=True, text=True
    )


def test_no_drift():
    done = build("manifest", "--check")
    assert done.returncode == 0, done.stderr


def test_drift_is_noticed(tmp_path):
    copy = tmp_path / "copy"
    for name in ("tools", "ipcert", "ports"):
        shutil.copytree(str(ROOT / name), str(copy / name), ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "package.json", "manifest.py"):
        shutil.copy2(str(ROOT / name), str(copy / name))
    check = [sys.executable, str(copy / "tools" / "build"), "manifest", "--check"]
    assert subprocess.run(check).returncode == 0
    (copy / "ipcert" / "more.py").write_text('"""A new file."""\n')
    done = subprocess.run(check, capture_output=True, text=True)
    assert done.returncode == 1
    assert "package.json is out of date" in done.stderr and "manifest.py is out of date" in done.stderr


def test_what_mip_installs_runs(tmp_path):
    for name, source in json.loads((ROOT / "package.json").read_text())["urls"]:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(str(ROOT / source), str(target))
    environment = dict(os.environ, MICROPYPATH="%s:.frozen" % tmp_path)
    done = subprocess.run(
        [micropython(), "-c", TRY], env=environment, cwd=str(tmp_path), capture_output=True, text=True
    )
    assert done.stdout.startswith("native usermod"), done.stdout + done.stderr


def test_what_is_frozen_runs(tmp_path):
    done = build("micropython", "--frozen")
    assert done.returncode == 0, done.stderr
    environment = dict(os.environ, MICROPYPATH=".frozen")
    command = [done.stdout.splitlines()[-1], "-c", TRY]
    done = subprocess.run(command, env=environment, cwd=str(tmp_path), capture_output=True, text=True)
    assert done.stdout.startswith("native usermod"), done.stdout + done.stderr
