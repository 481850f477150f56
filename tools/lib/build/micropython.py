"""Builds MicroPython's unix port with our C modules in it, and mpy-cross; each cached under a key of what it is made of."""

import os
import shutil
import subprocess
from pathlib import Path

from tools.lib import needs, say
from tools.lib.build import files, sources
from tools.lib.run import advice

ROOT = files.ROOT
NATIVE = ROOT / "ports" / "native"
TLSSERVER = ROOT / "boards" / "common" / "tlsserver"


# Debian's gcc-multilib is no more than a link to these, beside what the table in needs.py has.
KERNEL_HEADERS = ("-idirafter", "/usr/include/x86_64-linux-gnu")

# A router's processor -> its compiler's prefix. Linked statically, so that qemu-user needs no more.
CROSS = {"armhf": "arm-linux-gnueabihf-", "mips": "mips-linux-gnu-"}  # mips: big-endian


class BuildError(say.Stop):
    """A build failed; the text has the end of its log."""


def run(command, log, cwd=None, env=None):
    """Run `command`, its output into the file `log`; BuildError with what to do, or with its last lines, when it fails."""
    with open(str(log), "w") as out:
        try:
            code = subprocess.run(
                [str(c) for c in command], cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT
            ).returncode
        except FileNotFoundError:
            raise BuildError("%s is not installed" % command[0]) from None
    if code:
        tail = Path(log).read_text(errors="replace")[-3000:]
        raise BuildError("%s failed, see %s. %s" % (command[0], log, advice(tail) or "\n" + tail))


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


def user_modules(into, modules=(NATIVE, TLSSERVER)):
    """One directory with a link to each of the C modules' folders, which is what MicroPython's makefiles look for."""
    into.mkdir(parents=True, exist_ok=True)
    for folder in modules:
        link = into / folder.name
        if os.path.realpath(link) != str(folder.resolve()):  # another checkout's, or none yet
            link.unlink(missing_ok=True)
            link.symlink_to(folder)
    return into


def make(tree, *args):
    """The make command in a folder of the MicroPython tree."""
    return ["make", "-C", str(tree), "-j%d" % (os.cpu_count() or 1)] + list(args)


def mpy_cross():
    """Path of mpy-cross, for freezing and for .mpy files."""
    needs.install("build mpy-cross")
    tree = sources.micropython()
    out = sources.cache() / ("mpy-cross-%s" % sources.key(tree.name, compiler()))
    program = out / "mpy-cross"
    with sources.lock(out.name):
        if not program.exists():
            with sources.building(out):
                run(make(tree / "mpy-cross", "BUILD=%s" % (out / "build")), out / "log")
            sources.put(out / "build" / "mpy-cross", program)
    return program


def manifest(tree, out, frozen):
    """Write a frozen manifest into `out`: asyncio, and with `frozen` the whole of ipcert by its own manifest.py."""
    lines = ['include("%s")' % (tree / "extmod" / "asyncio")]
    if frozen:
        lines.append('include("%s")' % (ROOT / "manifest.py"))
    path = out / "manifest.py"
    path.write_text("\n".join(lines) + "\n")
    return path


def interpreter(bits=64, frozen=False, stock=False, processor=""):
    """Path of the unix interpreter: 64 or 32 bits (x86 with -m32), optionally with ipcert frozen in.

    Besides, with `_ipcert` and `tlsserver` (a router serves with other programs and has no `tlsserver`). stock: MicroPython's own configuration without them, to load the natmod into.
    processor: one of CROSS instead of this machine's.
    """
    needs.install("build micropython" + ("-" + processor if processor else "32" if bits == 32 else ""))
    tree = sources.micropython()
    cross = mpy_cross()
    prefix = CROSS.get(processor, "")
    modules = (NATIVE,) if processor else (NATIVE, TLSSERVER)
    options = ["VARIANT=standard", "MICROPY_PY_BTREE=0", "MICROPY_PY_FFI=0"]
    if bits == 32:
        options.append("MICROPY_FORCE_32BIT=1")
    if processor:
        options += ["CROSS_COMPILE=" + prefix, "LDFLAGS_EXTRA=-static"]
    made_of = [tree.name, compiler(prefix), cross.parent.name, frozen, stock]
    flags = list(KERNEL_HEADERS) if bits == 32 else []
    if not stock:
        options.append('MBEDTLS_CONFIG_FILE=\\"ipcert_mbedtls.h\\"')
        flags += ["-I%s" % (NATIVE / "config"), "-DMICROPY_PY_CRYPTOLIB_CTR=1"]
        made_of += native_files() + ([] if processor else sorted(TLSSERVER.iterdir()))
    if flags:
        options.append("CFLAGS_EXTRA=" + " ".join(flags))
    made_of += options
    kind = (
        "micropython"
        + ("" if bits == 64 else str(bits))
        + ("-" + processor if processor else "")
        + ("-stock" if stock else "")
        + ("-frozen" if frozen else "")
    )
    # The C objects are kept when only Python files change: make knows what to do with those.
    objects = sources.cache() / ("%s-objects-%s" % (kind, sources.key(*made_of)))
    if frozen:
        made_of += [ROOT / "manifest.py"] + [x for name, path in files.micropython() for x in (name, path)]
    out = sources.cache() / ("%s-%s" % (kind, sources.key(*made_of)))
    program = out / "micropython"
    with sources.lock(objects.name):
        if not program.exists():
            out.mkdir(parents=True, exist_ok=True)
            with sources.building(objects):
                options += [
                    "BUILD=%s" % objects,
                    *([] if stock else ["USER_C_MODULES=%s" % user_modules(objects / "usermod", modules)]),
                    "FROZEN_MANIFEST=%s" % manifest(tree, out, frozen),
                    "MICROPY_MPYCROSS=%s" % cross,
                    "MICROPY_MPYCROSS_DEPENDENCY=%s" % cross,
                ]
                run(make(tree / "ports" / "unix", *options), out / "log")
            shutil.copy2(str(objects / "frozen_content.c"), str(out / "frozen_content.c"))
            if not (out / "objects").is_symlink():
                (out / "objects").symlink_to(objects)
            sources.put(objects / "micropython", program)
    return program
