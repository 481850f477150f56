"""What the service's user, taken over, leaves for root: it is passed over in time, and the other certificates are served."""

import os

import pytest

from tools.lib.redteam import outcome, service


def test_a_fifo_as_a_certificate_does_not_hold_root_up(tmp_path):
    left = service.Left(str(tmp_path / "x"))
    for file in ("cert.pem", "fullchain.pem"):
        left.instead(file, os.mkfifo)
    left.own()
    status, text = service.root_reads(left)
    assert status == 0 and service._served(text) == []


def test_a_link_to_another_ones_key_is_not_served(tmp_path):
    left = service.Left(str(tmp_path / "x"))
    service.files(str(tmp_path))["links to another one's files"](left)
    status, text = service.root_reads(left)
    assert status == 0 and service._served(text) == []


def test_names_that_are_directives_are_data(tmp_path):
    left = service.Left(str(tmp_path / "x"))
    for name in ("default", "include"):
        left.lineage(name, *service.pair(name))
    left.own()
    status, text = service.root_reads(left)
    assert status == 0 and service._served(text) == ["default", "include", service.NAME]
    lines = [line.split()[0] for line in text.splitlines() if line.startswith("        ")]
    assert "include" not in lines and lines.count("default") == text.count("    map $") + text.count(
        "    geo $"
    )


def test_nothing_that_is_left_there_reaches_what_root_serves():
    found = outcome.Outcome(print)
    service.folders(found)
    assert found.tried >= 30 and found.through == []


def test_copies_are_roots_own_and_erased_when_nobody_serves_them(tmp_path):
    left = service.Left(str(tmp_path / "x"))
    left.own()
    copies = tmp_path / "copies"
    words = "--write", str(tmp_path / "etc"), "--copies", str(copies)
    assert service.root_reads(left, *words)[0] == 0
    (kept,) = copies.iterdir()
    assert copies.stat().st_mode & 0o777 == 0o700 and (kept / "privkey.pem").stat().st_mode & 0o777 == 0o600
    assert str(kept) in (tmp_path / "etc" / "http.conf").read_text()
    # What is there already is not written again, and what is gone is erased.
    inode = (kept / "privkey.pem").stat().st_ino
    assert service.root_reads(left, *words)[0] == 0 and (kept / "privkey.pem").stat().st_ino == inode
    os.unlink(os.path.join(left.live, service.NAME))
    assert service.root_reads(left, *words)[0] == 0 and list(copies.iterdir()) == []
    copies.chmod(0o755)
    status, text = service.root_reads(left, *words)
    assert status == 6 and "mode 700" in text


def test_the_flag_goes_whatever_it_is(tmp_path):
    from ipcert_port.deploy import handover

    flag = tmp_path / "deployed"

    def full(path):
        path.mkdir()
        (path / "x").write_text("")

    for make in (
        lambda p: p.write_text(""),
        lambda p: os.mkfifo(p),
        lambda p: p.symlink_to("/dev/zero"),
        full,
    ):
        make(flag)
        handover.acknowledge(str(flag))
        assert not os.path.lexists(flag)
    handover.acknowledge(str(flag))


def test_the_unit_has_a_time_limit_and_nginx_does_not_wait_for_it():
    unit = os.path.join(service.cache.ROOT, "ports", "cpython", "debian", "ipcert-nginx.service")
    with open(unit) as file:
        text = file.read()
    assert "nginx.service" not in text.replace("ipcert-nginx.service", "")
    assert "TimeoutStartSec=" in text and "MemoryMax=" in text


@pytest.mark.skipif(os.geteuid() != 0, reason="that takes root")
def test_roots_terminal_is_not_left_to_the_services_user():
    found = outcome.Outcome(print)
    service.terminal(found)
    assert found.tried >= 30 and found.through == []
