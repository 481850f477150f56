"""tools/vendor: a self-contained tree for firmware, from the one list of files, and the look for what changed in it."""

import argparse
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from tools.lib import needs
from tools.lib.build import files as build_files
from tools.lib.build import manifest as build_manifest
from tools.lib.build import micropython
from tools.lib.say import Stop

MANIFEST, VERSION, PYTHON = "MANIFEST", "VERSION", "python"
ROUTER = build_files.ROOT / "ports" / "router"
_SCRIPTS = (".sh", ".init", ".hotplug")
_MOST = 20  # sentences about one tree
_FILE = 1 << 20  # bytes of a file: those of a tree are far smaller


def tree(port="micropython", mpy=False):
    """{path in the tree: bytes} of everything but the manifest. Raises Stop."""
    version = build_manifest.version()
    files = {
        "LICENSE": (build_files.ROOT / "LICENSE").read_bytes(),
        VERSION: ("ipcert %s %s %s\n" % (version, port, "mpy" if mpy else "py")).encode(),
    }
    python = [pair for entry in build_files.VENDORED[port] for pair in build_files.package(entry)]
    if mpy:
        files.update(_compiled(python))
    else:
        files.update({"%s/%s" % (PYTHON, name): path.read_bytes() for name, path in python})
    if port == "micropython":
        files["README.md"] = (ROUTER / "README.md").read_bytes()
        files["nginx.example.conf"] = (build_files.ROOT / "ports/cpython/nginx.example.conf").read_bytes()
        makefile = (ROUTER / "openwrt" / "Makefile").read_text().replace("@VERSION@", version)
        files["Makefile"] = makefile.encode()
        for path in sorted((ROUTER / "openwrt" / "files").iterdir()):
            files["openwrt/files/" + path.name] = path.read_bytes()
        for path in micropython.native_files():
            name = path.relative_to(micropython.NATIVE).as_posix()
            if not name.startswith("check/"):
                files["native/" + name] = path.read_bytes()
    return files


def _compiled(python):
    """The Python files as .mpy, without line numbers' paths of this machine in them."""
    needs.install("vendor --mpy")
    cross = micropython.mpy_cross()
    files = {}
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "out.mpy"
        for name, path in python:
            command = [str(cross), "-O3", "-s", name, "-o", str(out), str(path)]
            if subprocess.run(command).returncode:
                raise Stop("mpy-cross cannot compile %s." % name)
            files["%s/%smpy" % (PYTHON, name[:-2])] = out.read_bytes()
    return files


def manifest(files):
    """The manifest's bytes: as `sha256sum` writes it, sorted by path."""
    lines = ["%s  %s\n" % (hashlib.sha256(files[name]).hexdigest(), name) for name in sorted(files)]
    return "".join(lines).encode()


def whole(port, mpy):
    """{path: bytes} of a tree, its manifest included."""
    files = tree(port, mpy)
    files[MANIFEST] = manifest(files)
    return files


def form(dest):
    """(port, True for .mpy, version) that a tree says of itself. Raises Stop where it is none of ours."""
    try:
        words = (read(Path(dest) / VERSION) or b"").decode().split()
    except UnicodeDecodeError:
        words = []
    if (
        len(words) != 4
        or words[0] != "ipcert"
        or words[2] not in build_files.VENDORED
        or words[3] not in ("py", "mpy")
    ):
        raise Stop("%s is no tree of tools/vendor: it has no %s of ours." % (dest, VERSION))
    return words[2], words[3] == "mpy", words[1]


def drift(dest):
    """Sentences about what is not as this checkout would write it. Raises Stop where `dest` is no tree of ours."""
    port, mpy, version = form(dest)
    wanted = whole(port, mpy)
    now = build_manifest.version()
    found = [] if version == now else ["It is of ipcert %s and this is %s: vendor it again." % (version, now)]
    there = set()
    for folder, folders, names in os.walk(dest):
        for name in names + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
            there.add(os.path.relpath(os.path.join(folder, name), dest).replace(os.sep, "/"))
    for name in sorted(set(wanted) | there):
        path = Path(dest) / name
        if name not in there:
            found.append("%s is missing." % name)
        elif name not in wanted:
            found.append("%s does not belong there." % name)
        elif read(path, len(wanted[name])) != wanted[name]:
            found.append("%s was changed." % name)
    return found


def read(path, most=_FILE):
    """The bytes of a regular file of a tree, `most` and one more at most; None for a link, a FIFO or the like.

    A tree may come from anybody: whatever lies in it, looking at it ends.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            return file.read(most + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None


def write(dest, port="micropython", mpy=False):
    """Write a tree. An older one of ours is replaced, unless something in it would be lost. Raises Stop."""
    dest = Path(os.path.abspath(dest))
    if dest.is_symlink() or dest.exists() and not dest.is_dir():
        raise Stop("%s is no folder; name another one." % dest)
    if dest.exists() and any(dest.iterdir()):
        form(dest)
        changed = own_changes(dest)
        if changed:
            raise Stop("%s has changes that would be lost (%s); move it away first." % (dest, changed[0]))
    files = whole(port, mpy)
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=dest.name + ".", dir=str(dest.parent)))
    except OSError as error:
        raise Stop("%s cannot be written: %s." % (dest, (error.strerror or str(error)).lower())) from error
    try:
        fresh.chmod(0o755)
        for name in sorted(files):
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(files[name])
            path.chmod(0o755 if path.suffix in _SCRIPTS else 0o644)
        if dest.exists():
            old = fresh.with_name(fresh.name + ".old")
            dest.rename(old)
            fresh.rename(dest)
            shutil.rmtree(str(old))
        else:
            fresh.rename(dest)
    finally:
        shutil.rmtree(str(fresh), ignore_errors=True)
    return files


def own_changes(dest):
    """What differs from the tree's own manifest, whatever version it is of: a list of sentences."""
    try:
        lines = (read(Path(dest) / MANIFEST) or b"").decode().splitlines()
    except UnicodeDecodeError:
        lines = []
    if not lines:
        return ["%s is missing" % MANIFEST]
    listed = {line[66:]: line[:64] for line in lines}
    found = []
    for folder, _, names in os.walk(dest):
        for name in names:
            path = os.path.join(folder, name)
            short = os.path.relpath(path, dest).replace(os.sep, "/")
            if short == MANIFEST:
                continue
            data = read(path)
            if data is None or listed.get(short) != hashlib.sha256(data).hexdigest():
                found.append("%s is not as it was written" % short)
    return found


def main(argv, description):
    """The command. Returns an exit status."""
    parser = argparse.ArgumentParser(
        prog="tools/vendor", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dest", metavar="DEST", help="the folder to write, or to check")
    parser.add_argument("--port", choices=sorted(build_files.VENDORED), default="micropython")
    parser.add_argument("--mpy", action="store_true", help="compile the Python files (MicroPython only)")
    parser.add_argument("--check", action="store_true", help="write nothing; say what is not as it should be")
    args = parser.parse_args(argv)
    if args.mpy and args.port == "cpython":
        raise Stop(".mpy files are MicroPython's: leave out --mpy, or choose --port micropython.")
    if args.check:
        found = drift(args.dest)
        for sentence in found[:_MOST]:
            print(sentence)
        if len(found) > _MOST:
            print("And %d more." % (len(found) - _MOST))
        return 1 if found else 0
    files = write(args.dest, args.port, args.mpy)
    print("%s: %d files, %d bytes" % (args.dest, len(files), sum(map(len, files.values()))))
    return 0
