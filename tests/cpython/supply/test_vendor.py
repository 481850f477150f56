"""tools/vendor: the tree is whole, the same every time, runs alone, and what was changed in it is found."""

import os
import shutil
import subprocess
import sys

import micropython_binary
import pytest

from tools.lib import cache
from tools.lib.say import Stop
from tools.lib.vendor import tree

ROUTER = """import sys
for name in %r:
    try:
        __import__(name)
    except SystemExit:
        pass
print("all")
"""


def command(*words):
    """(exit status, output) of tools/vendor."""
    done = subprocess.run(
        [sys.executable, os.path.join(cache.ROOT, "tools", "vendor"), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.fixture
def dest(tmp_path):
    """A tree for MicroPython."""
    tree.write(str(tmp_path / "ipcert"))
    return tmp_path / "ipcert"


@pytest.mark.parametrize("words", [(), ("--mpy",), ("--port", "cpython")])
def test_the_same_bytes_every_time_and_no_drift(tmp_path, words):
    for name in ("a", "b"):
        status, out = command(tmp_path / name, *words)
        assert status == 0, out
    same = ["diff", "-r", str(tmp_path / "a"), str(tmp_path / "b")]
    assert subprocess.run(same, stdout=subprocess.PIPE).stdout == b""
    assert command(tmp_path / "a", "--check") == (0, "")
    summed = subprocess.run(["sha256sum", "--quiet", "--strict", "-c", "MANIFEST"], cwd=str(tmp_path / "a"))
    listed = (tmp_path / "a" / "MANIFEST").read_text().count("\n")
    there = sum(path.is_file() for path in (tmp_path / "a").rglob("*"))
    assert summed.returncode == 0 and listed == there - 1 > 50
    assert str(tmp_path).encode() not in b"".join(p.read_bytes() for p in (tmp_path / "a").rglob("*.mpy"))


def test_a_hostile_tree_is_looked_at_in_time(dest):
    for name, make in (
        ("python/ipcert/keys.py", os.mkfifo),
        ("python/ipcert/limits.py", lambda path: path.symlink_to("/dev/zero")),
        ("README.md", lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 1 << 40)),
    ):
        (dest / name).unlink()
        make(dest / name)
    found = tree.drift(str(dest))
    for name in ("python/ipcert/keys.py", "python/ipcert/limits.py", "README.md"):
        assert "%s was changed." % name in found
    assert len(tree.own_changes(str(dest))) == 3
    (dest / "VERSION").unlink()
    os.mkfifo(dest / "VERSION")
    with pytest.raises(Stop, match="no tree"):
        tree.write(str(dest))


def test_what_was_changed_is_said(dest):
    (dest / "python/ipcert/encoding/jws.py").write_text("import os\n")
    (dest / "python/ipcert/keys.py").unlink()
    (dest / "python/backdoor.py").write_text("")
    os.symlink("jws.py", str(dest / "python/link.py"))
    status, out = command(dest, "--check")
    assert status == 1 and sorted(out.splitlines()) == [
        "python/backdoor.py does not belong there.",
        "python/ipcert/encoding/jws.py was changed.",
        "python/ipcert/keys.py is missing.",
        "python/link.py does not belong there.",
    ]


def test_a_manifest_that_was_made_to_fit_is_found(dest):
    (dest / "LICENSE").write_text("mine\n")
    files = {
        str(p.relative_to(dest)): p.read_bytes()
        for p in dest.rglob("*")
        if p.is_file() and p.name != "MANIFEST"
    }
    (dest / "MANIFEST").write_bytes(tree.manifest(files))
    assert tree.drift(dest) == ["LICENSE was changed.", "MANIFEST was changed."]


def test_another_version_is_said(dest):
    (dest / "VERSION").write_text("ipcert 0.0.9 micropython py\n")
    assert "It is of ipcert 0.0.9" in tree.drift(dest)[0]


def test_what_the_maker_changed_is_not_overwritten(dest):
    tree.write(str(dest))
    (dest / "openwrt/files/ipcert.config").write_text("mine\n")
    status, out = command(dest)
    assert status == 2 and "openwrt/files/ipcert.config is not as it was written" in out
    assert (dest / "openwrt/files/ipcert.config").read_text() == "mine\n"


def test_a_folder_of_somebody_else_is_left_alone(tmp_path):
    (tmp_path / "letter").write_text("dear")
    for words in ((tmp_path,), (tmp_path, "--check"), (tmp_path / "letter",)):
        status, out = command(*words)
        assert status == 2 and out.count("\n") == 1 and "Traceback" not in out
    assert os.listdir(tmp_path) == ["letter"]
    assert command(tmp_path / "x", "--mpy", "--port", "cpython")[0] == 2 and not (tmp_path / "x").exists()


@pytest.mark.parametrize("mpy", [False, True])
def test_every_module_of_the_router_is_there(tmp_path, mpy):
    tree.write(str(tmp_path / "tree"), mpy=mpy)
    python = tmp_path / "tree/python"
    names = []
    for path in sorted(python.rglob("*.mpy" if mpy else "*.py")):
        name = ".".join(path.relative_to(python).with_suffix("").parts)
        names.append(name[: -len(".__init__")] if name.endswith(".__init__") else name)
    assert len(names) > 50 and "ipcert_router.service" in names
    done = subprocess.run(
        [micropython_binary.path(), "-X", "heapsize=1m", "-c", ROUTER % names],
        env=dict(os.environ, MICROPYPATH="%s:.frozen" % python),
        cwd=str(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0 and done.stdout.endswith("all\n"), done.stdout


def test_the_native_module_is_there_whole(dest):
    made = (dest / "native/micropython.mk").read_text()
    for name in ("module.c", "sign.c", "jws.c", "arena.c", "curve_mbedtls.c"):
        assert name in made and (dest / "native" / name).exists()
    assert not (dest / "native/check").exists()


def test_on_cpython_a_library_that_is_missing_is_one_sentence(tmp_path):
    tree.write(str(tmp_path / "ipcert"), "cpython")
    (tmp_path / "ipcert.toml").write_text(
        '[identifiers]\naddresses = ["8.8.8.8"]\n[ca]\nagree_terms = true\n[state]\ndir = "state"\n[deploy]\ndir = "live"\n'
    )

    def run(*words):
        # -S: the libraries of this Python are out of reach.
        done = subprocess.run(
            [sys.executable, "-S", "-m", "ipcert_port", *words, "--config", str(tmp_path / "ipcert.toml")],
            env={"PYTHONPATH": str(tmp_path / "ipcert/python")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    status, out, words = run("issue", "--json")
    assert status == 2 and "Traceback" not in words and '"missing"' in out
    assert words.splitlines()[-1] == (
        "ipcert: This Python has no cryptography, which signs for ipcert, and nothing takes its place; "
        "install it (Debian: python3-cryptography)."
    )
    assert run("plan")[0] == 0  # what needs no signature works


def test_a_tree_from_a_copy_of_the_project_alone(tmp_path):
    copy = tmp_path / "copy"
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in ("tools", "ipcert", "ports"):
        shutil.copytree(os.path.join(cache.ROOT, name), str(copy / name), ignore=skip)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy2(os.path.join(cache.ROOT, name), str(copy / name))
    done = subprocess.run(
        [sys.executable, str(copy / "tools/vendor"), str(tmp_path / "out")], stdout=subprocess.PIPE
    )
    assert done.returncode == 0 and tree.drift(str(tmp_path / "out")) == []


def test_words_of_errors_are_sentences(tmp_path):
    with pytest.raises(Stop, match="no tree of tools/vendor"):
        tree.drift(str(tmp_path))
