"""Programs written in Go: built once from pinned modules, kept in the cache."""

import os
import re
import shutil
import subprocess

from . import cache, goclock
from .run import quiet
from .say import Stop, note


def version():
    """The installed Go as (major, minor), or None when there is none."""
    found = shutil.which("go")
    if not found:
        return None
    text = subprocess.run(
        [found, "version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ).stdout
    match = re.search(r"go(\d+)\.(\d+)", text)
    return (int(match.group(1)), int(match.group(2))) if match else None


def can_build(wanted):
    """True when modules that want Go `wanted`, a pair, can be built: since 1.21 Go fetches a newer toolchain itself."""
    found = version()
    return found is not None and (found >= wanted or found >= (1, 21))


def sums(module, release):
    """The words of the path, in this checkout, of the go.sum that a module's build is held to."""
    name = re.sub(r"/v\d+$", "", module).rsplit("/", 1)[1]
    return "tools", "go", f"{name}-{release}.sum"


def build(name, module, release, commands, moved=False):
    """Build `commands` (package paths below `module`) at `release`. Returns the directory that holds the programs.

    A small go.mod of ours requires the module, and `go build` makes it: unlike `go install`, that does not ask the
    module proxy for the list of all versions. Nothing is taken that is not in `sums` by its hash. `moved`: with a clock
    that can be moved (`goclock`). Raises `Stop`.
    """
    path = os.path.join(*sums(module, release))
    try:
        pinned = cache.read(path)
    except OSError:
        raise Stop(f"{path} is missing: run tools/build hashes.") from None
    made_of = [module, release, *commands]
    if moved:
        made_of.append(cache.read("tools", "lib", "goclock.py"))
    directory = cache.path(f"{name}-{release}-{cache.key(*made_of)}")

    def make(target):
        note(f"building {name} {release} (Go; this takes a while the first time)")
        source = os.path.join(target, "source")
        os.mkdir(source)
        used = _build(source, target, name, module, release, commands, pinned, moved)
        if _zips(used) - _zips(pinned):
            raise Stop(f"{name} {release} wants modules that {path} has no hash of: run tools/build hashes.")
        shutil.rmtree(source)

    return cache.once(directory, make)


def _zips(sum_file):
    """The lines of a go.sum that stand for code. Another Go may ask for more of the others, which are go.mod files."""
    return {line for line in sum_file.splitlines() if b"/go.mod " not in line}


def found_sums(target, module, release, commands):
    """Build `commands` in the directory `target` with whatever the module proxy has; the go.sum that comes of it."""
    return _build(target, target, module, module, release, commands, b"", False)


def _build(source, target, name, module, release, commands, pinned, moved):
    with open(os.path.join(source, "go.mod"), "w") as file:
        file.write(f"module peers\n\ngo 1.21\n\nrequire {module} {release}\n")
    with open(os.path.join(source, "go.sum"), "wb") as file:
        file.write(pinned)
    with open(os.path.join(source, "peers.go"), "w") as file:
        imports = "".join(f'import _ "{module}/{command}"\n' for command in commands)
        file.write(f"//go:build peers\n\npackage peers\n\n{imports}")
    environment = dict(os.environ, GO111MODULE="on", GOWORK="off", CGO_ENABLED="0")
    options = ["-overlay", goclock.overlay(source)] if moved else []
    for command in commands:
        program = os.path.join(target, os.path.basename(command))
        quiet(
            ["go", "build", "-mod=mod", *options, "-o", program, f"{module}/{command}"],
            f"Go could not build {name} {release}; is its module proxy reachable?",
            cwd=source,
            env=environment,
        )
    with open(os.path.join(source, "go.sum"), "rb") as file:
        return file.read()
