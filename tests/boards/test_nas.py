"""The NAS board: the Debian package, the image with it, the whole job against a real Pebble, and 32-bit ARM."""

import re
import subprocess

import pytest

from tools.lib.build import deb
from tools.lib.nas import armhf, demo


@pytest.fixture(scope="module")
def package():
    return deb.build()


def _fields(package):
    text = subprocess.run(
        ["dpkg-deb", "--field", package], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return dict(re.findall(r"^(\S+): (.*)$", text, re.MULTILINE))


def _contents(package):
    done = subprocess.run(["dpkg-deb", "--contents", package], stdout=subprocess.PIPE, text=True, check=True)
    return [(line.split()[0], line.split()[1], line.split()[5][1:]) for line in done.stdout.splitlines()]


def test_the_package_asks_for_what_ipcert_stands_on(package):
    fields = _fields(package)
    assert fields["Package"] == "ipcert" and fields["Architecture"] == "all"
    assert package.endswith(f"/ipcert_{fields['Version']}_all.deb")
    for needed in (
        "python3-cryptography",
        "python3-idna",
        "python3-miniupnpc",
        "python3-rich",
        "ca-certificates",
    ):
        assert needed in fields["Depends"]


def test_the_package_holds_the_service_and_no_secrets(package):
    rows = _contents(package)
    assert {owner for _, owner, _ in rows} == {"root/root"}
    modes = {path: mode for mode, _, path in rows}
    assert modes["/usr/bin/ipcert"] == modes["/usr/sbin/ipcert-nginx"] == "-rwxr-xr-x"
    for path in ("/lib/systemd/system/ipcert.service", "/usr/lib/sysusers.d/ipcert.conf"):
        assert modes[path] == "-rw-r--r--"
    assert "/usr/lib/python3/dist-packages/ipcert_port/cli/daemon.py" in modes
    assert "/usr/lib/python3/dist-packages/urequests_compat/__init__.py" in modes
    # What others may write to, root would run.
    assert not [path for path, mode in modes.items() if mode[5] == "w" or mode[8] == "w"]


def test_the_package_is_the_same_when_it_is_built_again(package, tmp_path):
    again = tmp_path / "again.deb"
    deb.make(str(tmp_path / "work"), str(again))
    with open(package, "rb") as file:
        assert again.read_bytes() == file.read()


@pytest.mark.slow(300)
def test_two_certificates_served_by_nginx_renewed_and_found_again():
    seen = []
    out = demo.job(seen.append)
    assert out["problems"] == [], "\n".join(seen)
    assert 4 <= len(out["certificates"]) <= out["orders"]
    assert out["exposure"] <= 2.0
    assert len(out["boots"]) == 2


def test_the_core_on_32_bit_arm():
    status, text = armhf.run(["-q", *armhf.quick()])
    assert status == 0, text[-3000:]
    assert int(re.search(r"(\d+) passed", text)[1]) >= 200
