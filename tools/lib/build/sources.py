"""Pinned C sources from Debian trixie's source packages, verified by apt and again by hash.

Debian's MicroPython tarball (+ds) comes without its third-party libraries; Mbed TLS and lwIP are Debian's own source
packages, dropped in unpatched. Debian's patches are not applied: what is built is what upstream released.
"""

import contextlib
import hashlib
import shutil
from pathlib import Path

from tools.lib import cache as _cache
from tools.lib import debian, needs, run, say

SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

# source package -> (upstream version, file, SHA-256 of the upstream tarball)
PINS = {
    "micropython": (
        "1.25.0+ds",
        "micropython_1.25.0+ds.orig.tar.xz",
        "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea",
    ),
    "mbedtls": (
        "3.6.6",
        "mbedtls_3.6.6.orig.tar.bz2",
        "8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a",
    ),
    "lwip": (
        "2.2.1+dfsg1",
        "lwip_2.2.1+dfsg1.orig.tar.xz",
        "83729c274c499d3348e9fbbe043a3113f3fa8953e7efddc7c21c7fcbb1f2b7b1",
    ),
}


class SourceError(say.Stop):
    """A source could not be had or is not the pinned one; the text says what to do."""


def cache():
    """The directory for everything that is built or fetched, outside the tree."""
    return Path(_cache.path())


lock = _cache.lock


def key(*parts):
    """Twelve hex digits of a hash over strings, bytes and the content of files (Path)."""
    h = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            data = part.name.encode() + b"\0" + part.read_bytes()
        else:
            data = part if isinstance(part, bytes) else str(part).encode()
        h.update(b"%d:" % len(data))
        h.update(data)
    return h.hexdigest()[:12]


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _apt(root, *args):
    options = {
        "Dir::Etc::sourcelist": root / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": root / "lists",
        "Dir::Cache": root / "cache",
        "APT::Sandbox::User": "",
        "Acquire::Retries": "3",
    }
    command = ["apt-get", "-q"]
    for name, value in options.items():
        command += ["-o", "%s=%s" % (name, value)]
    run.quiet(
        command + list(args),
        "Debian's source packages could not be fetched.",
        cwd=str(root / "files"),
    )


def tarballs():
    """Fetch what is missing of the pinned tarballs, check every hash, return {package: Path}."""
    needs.install("sources")
    root = cache() / "debian"
    with lock("debian"):
        for sub in ("files", "lists/partial", "cache/archives/partial"):
            (root / sub).mkdir(parents=True, exist_ok=True)
        missing = [p for p, (_, name, _) in PINS.items() if not (root / "files" / name).exists()]
        if missing:
            (root / "sources.list").write_text(
                "deb-src [signed-by=%s] %s %s main\n" % (KEYRING, debian.mirror(), SUITE)
            )
            _apt(root, "update")
            _apt(root, "source", "--download-only", *missing)
        found = {}
        for package, (version, name, digest) in PINS.items():
            path = root / "files" / name
            if not path.exists():
                raise SourceError(
                    "Debian %s no longer has %s %s: change the pin in tools/lib/build/sources.py"
                    % (SUITE, package, version)
                )
            if _sha256(path) != digest:
                raise SourceError("%s is not the pinned file: remove it and try again" % path)
            found[package] = path
    return found


def put(source, target):
    """Copy a file, so that `target` is all there or not there at all, whatever interrupts it."""
    fresh = target.with_name(target.name + ".new")
    shutil.copy2(str(source), str(fresh))
    fresh.replace(target)


@contextlib.contextmanager
def building(directory):
    """For as long as something is built in `directory`, which is kept for the next time.

    Where that was interrupted the next one begins anew: what a compiler was writing may be cut short.
    """
    mark = directory / ".unfinished"
    if mark.exists():
        shutil.rmtree(str(directory))
    directory.mkdir(parents=True, exist_ok=True)
    mark.touch()
    yield
    mark.unlink()


def _unpack(tarball, into):
    into.mkdir(parents=True, exist_ok=True)
    command = ["tar", "-x", "-f", str(tarball), "-C", str(into), "--strip-components=1", "--no-same-owner"]
    run.quiet(command, "%s could not be unpacked." % tarball.name)


def micropython():
    """The pristine MicroPython tree with Mbed TLS and lwIP in `lib/`; build out of it with BUILD=, never in it."""
    files = tarballs()
    tree = (
        cache()
        / "src"
        / ("micropython-%s-%s" % (PINS["micropython"][0], key(*[p[2] for p in PINS.values()])))
    )
    with lock("src"):
        if not (tree / ".complete").exists():
            fresh = tree.with_name(tree.name + ".new")
            for old in (fresh, tree):
                if old.exists():
                    shutil.rmtree(str(old))
            _unpack(files["micropython"], fresh)
            for library in ("mbedtls", "lwip"):
                _unpack(files[library], fresh / "lib" / library)
            readme = fresh / "lib" / "micropython-lib" / "README.md"
            readme.parent.mkdir(parents=True, exist_ok=True)
            readme.touch()  # its presence tells MicroPython's makefiles that the submodule is there
            (fresh / ".complete").touch()
            fresh.rename(tree)
    return tree


if __name__ == "__main__":
    print(micropython())
