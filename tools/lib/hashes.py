"""What is fetched to build and test with, by hash: tools/hashes.txt has the SHA-256 of every file that the package index
holds for each pinned Python package, tools/go/*.sum what `go build` may use of each Go program's modules.

`tools/build hashes` writes them anew after a pin was changed; `tools/build hashes --check` says what is missing, without a
network. Debian's sources are pinned by hash in tools/lib/sources.py; Debian's packages by apt's own signatures alone.
"""

import os
import re
import sys
import tempfile

from . import cache, golang, venv
from .run import quiet
from .say import Stop

FILE = ("tools", "hashes.txt")
GO = ("tools", "go")
LISTS = (
    ("tools", "requirements.txt"),
    ("tools", "requirements-oldest.txt"),
    ("tools", "requirements-fuzz.txt"),
    ("tools", "requirements-simulate.txt"),
    ("tools", "requirements-natmod.txt"),
    ("tools", "requirements-hashes.txt"),
    ("tests", "vectors", "requirements.txt"),
)
"""Every list of pins that something of ours is built or tested with. What tools/bench compares with has its own, and no
hashes: nothing is made of it."""
_HEAD = "# Made by `tools/build hashes`: every pinned Python package, and the SHA-256 of each of its files.\n"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;]+)")


def pins(lines):
    """{(name, version)} of requirement lines; other lines raise `Stop`."""
    found = set()
    for line in lines:
        match = _PIN.match(line)
        if not match:
            raise Stop(f"{line!r} is not a pin: write name==version.")
        found.add(match.groups())
    return found


def wanted():
    """{(name, version)} of every list."""
    found = set()
    for path in LISTS:
        found |= pins(venv.lines(*path))
    return found


def known():
    """{(name, version): [SHA-256 in hex, ...]} as tools/hashes.txt has it."""
    found = {}
    for line in cache.read(*FILE).decode().splitlines():
        words = line.split()
        if words and words[0] != "#":
            name, version = words[0].split("==")
            found[name, version] = words[1:]
    return found


def hashed(lines):
    """The text of a requirements file for pip's --require-hashes from these pins. Raises `Stop` where one has no hash."""
    found = known()
    text = []
    for line in lines:
        (pin,) = pins([line])
        if pin not in found:
            raise Stop("%s==%s has no hash: run tools/build hashes." % pin)
        text.append(" \\\n    ".join([line, *("--hash=sha256:" + digest for digest in found[pin])]))
    return "\n".join(text) + "\n"


def check():
    """Print what is not as it should be; returns an exit status."""
    have, want = set(known()), wanted()
    for pin in sorted(want - have):
        print("%s==%s has no hash: run tools/build hashes" % pin, file=sys.stderr)
    for pin in sorted(have - want):
        print("%s==%s is pinned nowhere: run tools/build hashes" % pin, file=sys.stderr)
    stated = {golang.sums(*module)[-1] for module, _ in modules()}
    there = set(os.listdir(os.path.join(cache.ROOT, *GO)))
    for name in sorted(stated ^ there):
        print("tools/go/%s is %s" % (name, "missing" if name in stated else "of nothing"), file=sys.stderr)
    return 1 if have != want or stated != there else 0


def modules():
    """((module, release), commands) of every Go program."""
    from . import setup, stepca
    from .bench import clients

    yield (setup.PEBBLE_MODULE, setup.PEBBLE), ("cmd/pebble", "cmd/pebble-challtestsrv")
    yield (clients.LEGO_MODULE, clients.LEGO), ("cmd/lego",)
    yield (stepca.MODULE, stepca.RELEASE), ("cmd/step-ca",)


def write():
    """Ask the package index, through uv, for the hashes of everything that is pinned; returns an exit status."""
    todo = sorted(wanted())
    found = {}
    uv = os.path.join(
        venv.with_requirements("uv", venv.lines("tools", "requirements-hashes.txt"), False), "bin", "uv"
    )
    while todo:
        batch = {name: version for name, version in reversed(todo)}  # one version of each at a time
        todo = [pin for pin in todo if batch[pin[0]] != pin[1]]
        given = cache.path("hashes-in.txt")
        with open(given, "w") as file:
            file.write("".join(f"{name}=={batch[name]}\n" for name in sorted(batch)))
        command = [
            uv,
            "pip",
            "compile",
            "--quiet",
            "--generate-hashes",
            "--no-deps",
            "--no-annotate",
            "--no-header",
        ]
        command += ["--python-version", "3.11", given]
        pin = None
        for word in quiet(command, "uv could not find the hashes; is the package index reachable?").split():
            if "==" in word:
                name, version = word.split("==")
                pin = next(p for p in batch.items() if _same(p[0]) == _same(name) and p[1] == version)
                found[pin] = []
            elif word.startswith("--hash=sha256:"):
                found[pin].append(word[14:])
    with open(os.path.join(cache.ROOT, *FILE), "w") as file:
        file.write(_HEAD)
        for name, version in sorted(found):
            file.write(" ".join([f"{name}=={version}", *sorted(found[name, version])]) + "\n")
    print(os.path.join(cache.ROOT, *FILE))
    for (module, release), commands in modules():
        path = os.path.join(cache.ROOT, *golang.sums(module, release))
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="ipcert-go-") as scratch:
                data = golang.found_sums(scratch, module, release, commands)
            with open(path, "wb") as file:
                file.write(data)
            print(path)
    return check()


def _same(name):
    return re.sub(r"[-_.]+", "-", name).lower()
