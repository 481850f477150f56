"""Builds MicroPython's unix port with `_ipcert` in it, and mpy-cross; each cached under a key of what it is made of."""

import os
import shutil
import subprocess
from pathlib import Path

import mpfiles
import sources

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "ports" / "native"


class BuildError(Exception):
    """A build failed; the text has the end of its log."""


def run(command, log, cwd=None, env=None):
    """Run `command`, its output into the file `log`; BuildError with the last lines when it fails."""
    with open(str(log), "w") as out:
        try:
            code = subprocess.run(
                [str(c) for c in command], cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT
            ).returncode
        except FileNotFoundError:
            raise BuildError("%s is not installed" % command[0]) from None
    if code:
        tail = Path(log).read_text(errors="replace")[-3000:]
        raise BuildError("%s failed, see %s\n%s" % (command[0], log, tail))


def compiler(prefix=""):
    """The compiler's own version line: part of every key."""
    try:
        out = subprocess.run([prefix + "gcc", "--version"], check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise BuildError("%sgcc is not installed" % prefix) from None
    return out.splitlines()[0]


def native_files():
    """Everything that the C module is made of."""
    return sorted(
        p
        for p in NATIVE.rglob("*")
        if p.is_file() and p.suffix in (".c", ".h", ".mk") or p.name == "Makefile"
    )


def make(tree, *args):
    """The make command in a folder of the MicroPython tree."""
    return ["make", "-C", str(tree), "-j%d" % (os.cpu_count() or 1)] + list(args)


def mpy_cross():
    """Path of mpy-cross, for freezing and for .mpy files."""
    tree = sources.micropython()
    out = sources.cache() / ("mpy-cross-%s" % sources.key(tree.name, compiler()))
    program = out / "mpy-cross"
    with sources.lock(out.name):
        if not program.exists():
            out.mkdir(parents=True, exist_ok=True)
            run(make(tree / "mpy-cross", "BUILD=%s" % (out / "build")), out / "log")
            shutil.copy2(str(out / "build" / "mpy-cross"), str(program))
    return program


def manifest(tree, out, frozen):
    """Write a frozen manifest into `out`: asyncio, and with `frozen` the whole of ipcert by its own manifest.py."""
    lines = ['include("%s")' % (tree / "extmod" / "asyncio")]
    if frozen:
        lines.append('include("%s")' % (ROOT / "manifest.py"))
    path = out / "manifest.py"
    path.write_text("\n".join(lines) + "\n")
    return path


def interpreter(bits=64, frozen=False, stock=False):
    """Path of the unix interpreter: 64 or 32 bits (x86 with -m32), optionally with ipcert frozen in.

    stock: MicroPython's own configuration without `_ipcert`, to load the natmod into.
    """
    tree = sources.micropython()
    cross = mpy_cross()
    made_of = [tree.name, compiler(), bits, Path(__file__)]
    if not stock:
        made_of += native_files()
    if frozen:
        made_of += [ROOT / "manifest.py"] + [x for name, path in mpfiles.micropython() for x in (name, path)]
    kind = ("" if bits == 64 else str(bits)) + ("-stock" if stock else "") + ("-frozen" if frozen else "")
    name = "micropython%s-%s" % (kind, sources.key(*made_of))
    out = sources.cache() / name
    program = out / "micropython"
    with sources.lock(name):
        if not program.exists():
            out.mkdir(parents=True, exist_ok=True)
            options = [
                "BUILD=%s" % (out / "build"),
                "VARIANT=standard",
                "FROZEN_MANIFEST=%s" % manifest(tree, out, frozen),
                "MICROPY_MPYCROSS=%s" % cross,
                "MICROPY_MPYCROSS_DEPENDENCY=%s" % cross,
                "MICROPY_PY_BTREE=0",
                "MICROPY_PY_FFI=0",
            ]
            if not stock:
                options += [
                    "USER_C_MODULES=%s" % NATIVE.parent,
                    'MBEDTLS_CONFIG_FILE=\\"ipcert_mbedtls.h\\"',
                    "CFLAGS_EXTRA=-I%s -DMICROPY_PY_CRYPTOLIB_CTR=1" % (NATIVE / "config"),
                ]
            if bits == 32:
                options.append("MICROPY_FORCE_32BIT=1")
            run(make(tree / "ports" / "unix", *options), out / "log")
            shutil.copy2(str(out / "build" / "micropython"), str(program))
    return program
