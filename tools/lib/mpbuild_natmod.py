"""Builds `_ipcert.mpy` for one architecture, and says how many bytes of native code and data are in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import mpbuild
import sources

# architecture -> the prefix of its compiler, and the Debian package that has it
TOOLCHAINS = {
    "x64": ("", "gcc"),
    "x86": ("", "gcc-12-multilib"),
    "armv6m": ("arm-none-eabi-", "gcc-arm-none-eabi"),
    "armv7m": ("arm-none-eabi-", "gcc-arm-none-eabi"),
    "armv7emsp": ("arm-none-eabi-", "gcc-arm-none-eabi"),
    "rv32imc": ("riscv64-unknown-elf-", "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"),
    "xtensawin": ("xtensa-esp32-elf-", None),
}


def _linker_python():
    """A Python with what mpy_ld.py needs, in an environment of its own."""
    sys.path.append(str(mpbuild.ROOT))
    from tools.lib import say, venv

    try:
        return venv.python(venv.group("natmod"))
    except say.Stop as e:
        raise mpbuild.BuildError(str(e)) from e


def can_build(arch):
    """True where the architecture's compiler can be had: it is here, or Debian has it."""
    prefix, package = TOOLCHAINS[arch]
    return bool(package) or shutil.which(prefix + "gcc") is not None


def build(arch):
    """Path of `_ipcert.mpy` for `arch`; BuildError when its compiler is not here or it does not build."""
    if arch not in TOOLCHAINS:
        raise mpbuild.BuildError("no architecture %r: one of %s" % (arch, " ".join(sorted(TOOLCHAINS))))
    prefix, package = TOOLCHAINS[arch]
    if package:
        mpbuild.need(prefix + "gcc", *package.split())
    elif not can_build(arch):
        raise mpbuild.BuildError("%sgcc is not here: put Espressif's toolchain on the PATH" % prefix)
    tree = sources.micropython()
    cross = mpbuild.mpy_cross()
    python = _linker_python()
    name = "natmod-%s-%s" % (
        arch,
        sources.key(tree.name, mpbuild.compiler(prefix), Path(__file__), python, *mpbuild.native_files()),
    )
    out = sources.cache() / name
    module = out / "_ipcert.mpy"
    with sources.lock(name):
        if not module.exists():
            if out.exists():
                shutil.rmtree(str(out))
            work = out / "work"
            shutil.copytree(str(mpbuild.NATIVE), str(work))
            shutil.copy2(str(work / "natmod" / "Makefile"), str(work / "Makefile"))
            command = mpbuild.make(work, "MPY_DIR=%s" % tree, "ARCH=%s" % arch, "PYTHON=%s" % python)
            more = " ".join(mpbuild.KERNEL_HEADERS) if arch == "x86" else ""
            mpbuild.run(
                command + ["MPY_CROSS=%s" % cross],
                out / "log",
                env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", CFLAGS_EXTRA=more),
            )
            shutil.copy2(str(work / "_ipcert.mpy"), str(module))
    return module


def sections(objects, prefix=""):
    """Bytes by kind of object files: {"text", "rodata", "data", "bss", "native"}; native: the first three."""
    command = [prefix + "size", "-A", *map(str, objects)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = {"text": 0, "rodata": 0, "data": 0, "bss": 0}
    for line in out.splitlines():
        words = line.split()
        if len(words) == 3 and words[0].startswith("."):
            for kind in found:
                if words[0].startswith("." + kind):
                    found[kind] += int(words[1])
    found["native"] = found["text"] + found["rodata"] + found["data"]
    return found


def sizes(arch):
    """`sections` of the object that went into the .mpy, and "mpy": the size of that file."""
    module = build(arch)
    found = sections([module.parent / "work" / "build" / "module.o"], TOOLCHAINS[arch][0])
    found["mpy"] = module.stat().st_size
    return found
