"""tools/fresh: a bare Debian shows what a tool forgot to install, gets nothing else from its host, and leaves nothing."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from home import uncovered

from tools.lib.fresh import each, interpreters, registries, tree
from tools.lib.say import Stop

ROOT = Path(__file__).resolve().parents[3]
NO_TREE = tree.possible()
needs_tree = pytest.mark.skipif(NO_TREE is not None, reason=str(NO_TREE))

QEMU = """enabled
interpreter /usr/libexec/qemu-binfmt/arm-binfmt-P
flags: POCF
offset 0
magic 7f454c46
mask ffffff00
"""
EXTENSION = "disabled\ninterpreter /opt/a:b\nflags: \nextension .jar\n"


def git(folder, *words):
    identity = ["-c", "user.name=n", "-c", "user.email=n@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IPCERT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def bare():
    """One bare tree with this checkout as it is, for the tests that only add to it."""
    with tree.Tree("bookworm", dirty=True) as made:
        yield made


def test_interpreter_is_registered_again_with_what_the_kernel_said_of_it():
    entry = interpreters.parse(QEMU)
    expected = r":qemu-arm:M:0:\x7f\x45\x4c\x46:\xff\xff\xff\x00:/usr/libexec/qemu-binfmt/arm-binfmt-P:POCF"
    assert entry["enabled"] and interpreters.rule("qemu-arm", entry) == expected


def test_interpreter_by_extension_whose_path_has_a_colon_is_registered_again():
    entry = interpreters.parse(EXTENSION)
    assert not entry["enabled"] and interpreters.rule("jar", entry) == "|jar|E||jar||/opt/a:b|"


def test_only_what_reaches_the_registries_comes_from_the_host(monkeypatch):
    for name in ("GOFLAGS", "GOTOOLCHAIN", "PYTHONPATH", "PIP_FIND_LINKS", "IPCERT_CACHE", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "/of/the/host")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/of/the/host/bundle.pem")
    found = registries.environment()
    assert found["PIP_INDEX_URL"] == "https://index.example/simple"
    assert found["https_proxy"] == "http://proxy.example:3128"
    assert not [name for name, value in found.items() if "/of/the/host" in value]
    assert not {"GOFLAGS", "GOTOOLCHAIN", "PATH", "HOME"} & set(found)


def test_uncommitted_changes_come_along_and_ignored_files_do_not(tmp_path):
    source, clone = tmp_path / "source", tmp_path / "clone"
    source.mkdir()
    git(source, "init", "-q")
    for name, text in ((".gitignore", "*.o\n"), ("kept", "1\n"), ("changed", "1\n"), ("removed", "1\n")):
        (source / name).write_text(text)
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "first")
    git(tmp_path, "clone", "-q", str(source), str(clone))
    (source / "changed").write_text("2\n")
    (source / "removed").unlink()
    (source / "new").mkdir()
    (source / "new" / "file").write_text("3\n")
    (source / "ignored.o").write_text("4\n")
    tree.copy_changes(str(source), str(clone))
    assert (clone / "changed").read_text() == "2\n" and (clone / "new" / "file").read_text() == "3\n"
    assert (
        (clone / "kept").exists() and not (clone / "removed").exists() and not (clone / "ignored.o").exists()
    )


def test_tree_of_a_killed_run_is_removed_and_that_of_a_living_one_stays(tmp_path):
    for name in ("killed", "living"):
        (tmp_path / name / "usr").mkdir(parents=True)
        (tmp_path / f"{name}.lock").touch()
    with open(tmp_path / "living.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        tree.remove_left(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == ["living", "living.lock"]


def test_each_goes_on_after_what_passed_at_the_same_commit(cache):
    good, bad = {"name": "good", "passed": True}, {"name": "bad", "passed": False}
    results = each.Results("bookworm", "c0ffee")
    results.keep(good)
    results.keep(bad)
    again = each.Results("bookworm", "c0ffee")
    assert again.passed("good") == good and again.passed("bad") is None
    for other in (
        each.Results("trixie", "c0ffee"),
        each.Results("bookworm", "decaf"),
        each.Results("bookworm", None),
    ):
        assert other.passed("good") is None
    again.keep(dict(good, passed=False))
    assert each.Results("bookworm", "c0ffee").passed("good") is None


def test_each_runs_every_build_target_every_board_and_every_folder_of_tests():
    names = each.targets()
    for name in (
        "build mpy-cross",
        "build natmod armv6m",
        "build natmod armv7m",
        "build fuzz native_p256m",
        "build sizes",
        "build lock --check",
        "board QEMU_MPS2_AN385 demo",
        "board VIRT_RV32 portable",
        "board QEMU_VIRT_ARM64 demo",
        "test lint",
        "demo",
    ):
        assert name in names, name
    files = [str(file.parent.relative_to(ROOT)) for file in ROOT.glob("tests/**/test_*.py")]
    assert files and not [folder for folder in files if f"test {folder}" not in names]
    assert not set(each.EXCEPTIONS) & set(names)
    assert {name.split()[0] for name in each.EXCEPTIONS} <= set(os.listdir(ROOT / "tools"))


def test_working_tree_with_changes_is_not_remembered(cache):
    each.Results("bookworm", None).keep({"name": "good", "passed": True})
    assert not cache.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stop being root")
def test_without_root_one_sentence_says_so():
    command = [sys.executable, str(ROOT / "tools" / "fresh"), "demo"]
    # Coverage could not write its database into the checkout.
    environment = dict(uncovered(), IPCERT_CACHE="/nonexistent")
    drop = ["setpriv", "--reuid", "65534", "--clear-groups"]
    done = subprocess.run(
        [*drop, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert done.returncode == 2 and "takes root" in done.stderr and "Traceback" not in done.stderr


def test_what_must_be_undone_is_not_cut_short_by_a_signal():
    script = """if True:
        import os, signal, subprocess
        from tools.lib import say
        from tools.lib.fresh import finishing
        def main():
            with finishing():
                os.kill(os.getpid(), signal.SIGTERM)
                subprocess.run(["sh", "-c", "kill $$; echo removed"], check=True)
            print("not reached")
        say.main(main)
    """
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert (done.returncode, done.stdout) == (128 + signal.SIGTERM, "removed\n")


@needs_tree
def test_tree_has_its_own_root_processes_and_nothing_of_the_host(bare, tmp_path):
    script = """
        set -eux
        test "$(ls -d /proc/[0-9]* | wc -l)" -lt 8
        test ! -e /mnt/usr
        if command -v gcc || command -v go || command -v pip; then exit 1; fi
        git log -1
        findmnt -n -o TARGET
    """
    log = tmp_path / "log"
    with open(log, "wb") as file:
        status = bare.run(["sh", "-c", script], stdout=file, stderr=subprocess.STDOUT)
    text = log.read_text()
    assert status == 0, text
    assert not re.search(r"^/(home|tmp|mnt|run|var)", text, re.MULTILINE), text


@needs_tree
def test_package_missing_from_the_table_fails_the_target_and_the_table_as_it_is_passes(bare, tmp_path):
    table = Path(bare.path + tree.CHECKOUT, "tools", "lib", "needs.py")
    whole = table.read_text()
    without = whole.replace('"debian": ["gcc", "libc6-dev", "make"]', '"debian": ["gcc", "libc6-dev"]')
    assert without != whole
    log = tmp_path / "log"
    for text, passes in ((without, False), (whole, True)):
        table.write_text(text)
        with open(log, "wb") as file:
            status = bare.run(["./tools/build", "mpy-cross"], stdout=file, stderr=subprocess.STDOUT)
        assert (status == 0) is passes, log.read_text()
    assert {"gcc", "make"} <= {name.split()[0] for name in bare.installed()["debian"]}


@pytest.fixture
def foreign(cache):
    """A registered interpreter: its name, and the first bytes of the programs that it runs, in every tree."""
    if os.geteuid() != 0 or not interpreters.mounted():
        pytest.skip("only root, where the kernel has interpreters for foreign programs, registers one")
    name, magic = f"ipcert-test-{os.getpid()}", f"IPCERT{os.getpid()}"
    entry = {
        "interpreter": "/bin/cat",
        "flags": "F",
        "offset": "0",
        "magic": magic.encode().hex(),
        "mask": "",
    }
    Path(interpreters.REGISTER, "register").write_text(interpreters.rule(name, entry))
    yield name, magic
    Path(interpreters.REGISTER, name).write_text("-1")


@needs_tree
def test_interpreter_of_the_host_does_not_help_in_the_tree_and_is_back_afterwards(bare, foreign):
    name, magic = foreign
    program = Path(bare.path, "usr", "local", "bin", "foreign")
    program.write_text(magic + "\n")
    program.chmod(0o755)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    before = interpreters.registered()[name]
    assert bare.run(["foreign"], **quiet) == 0
    with interpreters.hidden(only=[name]):
        assert name not in interpreters.registered()
        assert bare.run(["foreign"], **quiet) != 0
    assert interpreters.registered()[name] == before
    assert bare.run(["foreign"], **quiet) == 0


def test_interpreter_hidden_by_a_killed_run_is_put_back_by_the_next_one(foreign):
    name, _ = foreign
    before = interpreters.registered()[name]
    script = "import os, sys; from tools.lib.fresh import interpreters\nwith interpreters.hidden(only=[sys.argv[1]]): os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", script, name], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL and name not in interpreters.registered()
    with interpreters.hidden(only=["another"]):
        assert interpreters.registered()[name] == before


@needs_tree
def test_terminated_run_leaves_no_process_no_mount_and_no_tree(bare):
    trees = Path(bare.path).parent
    before = sorted(os.listdir(trees))
    command = [sys.executable, str(ROOT / "tools" / "fresh"), "--keep-interpreters", "run", "--"]
    child = subprocess.Popen([*command, "sh", "-c", "touch /here; sleep 1000 & sleep 1000"])
    try:
        deadline = time.monotonic() + 120
        while not (made := [path for path in trees.iterdir() if (path / "here").exists()]):
            assert child.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 128 + signal.SIGTERM
    finally:
        child.kill()
        child.wait()
    assert sorted(os.listdir(trees)) == before
    assert str(made[0]) not in Path("/proc/self/mounts").read_text()
    assert not [one for one in Path("/proc").glob("[0-9]*/root") if _target(one).startswith(str(made[0]))]


def _target(link):
    try:
        return os.readlink(link)
    except OSError:
        return ""


def test_interpreter_whose_file_is_gone_is_left_alone(cache, monkeypatch, tmp_path):
    register = tmp_path / "binfmt_misc"
    register.mkdir()
    (register / "register").touch()
    (register / "gone").write_text(QEMU.replace("/usr/libexec", "/nonexistent"))
    monkeypatch.setattr(interpreters, "REGISTER", str(register))
    with pytest.raises(Stop, match="gone"), interpreters.hidden():
        pytest.fail("the entry would have been lost")
    assert (register / "gone").read_text().startswith("enabled")
