"""Programs of another processor: qemu-user's rule comes to the kernel on each Debian. The kernel's own register is let alone."""

import subprocess

import pytest

from tools.lib import foreign
from tools.lib.say import Stop

pytestmark = pytest.mark.quick

RULE = r":qemu-arm:M::\x7f\x45\x4c\x46:\xff\xff\xff\xff:/usr/libexec/qemu-binfmt/arm-binfmt-P:OPF"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Folders in place of the kernel's register and of the packages' two."""
    for name in ("register", "old", "new"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(foreign, "_BINFMT", str(tmp_path / "register"))
    monkeypatch.setattr(foreign, "_RULES", (str(tmp_path / "old"), str(tmp_path / "new")))
    return tmp_path


@pytest.mark.parametrize("suites", ["old", "new"])
def test_the_rule_is_registered_as_its_package_has_it(machine, suites):
    (machine / suites / "qemu-arm.conf").write_text(f"# of the package\n\n{RULE}\n")
    (machine / suites / "qemu-mips.conf").write_text(":another rule\n")
    foreign.as_root(foreign.registration("qemu-arm"), "It could not be registered.")
    assert (machine / "register" / "register").read_text() == RULE + "\n"


def test_what_the_kernel_refuses_is_a_sentence(machine):
    (machine / "new" / "qemu-arm.conf").write_text(RULE + "\n")
    (machine / "register" / "register").mkdir()
    with pytest.raises(Stop, match="It could not be registered"):
        foreign.as_root(foreign.registration("qemu-arm"), "It could not be registered.")


def test_a_package_without_the_rule_is_a_sentence(machine):
    with pytest.raises(Stop, match="no qemu-arm.conf"):
        foreign.registration("qemu-arm")


@pytest.mark.parametrize("there, called", [("qemu-arm-static", "qemu-arm-static"), ("qemu-arm", "qemu-arm")])
def test_the_program_has_the_name_that_this_debian_gives_it(tmp_path, monkeypatch, there, called):
    (tmp_path / there).write_text("#!/bin/sh\necho %s\n" % there)
    (tmp_path / there).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert foreign.program("arm") == called
    assert subprocess.run([called], capture_output=True, text=True, check=True).stdout.strip() == there
