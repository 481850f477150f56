"""Builds `_ipcert.mpy` for one architecture, and says how many bytes of native code and data are in it."""

import os
import shutil
import subprocess
from pathlib import Path

from tools.lib import needs, venv
from tools.lib.build import micropython, sources

# architecture -> the prefix of its compiler
TOOLCHAINS = {
    "x64": "",
    "x86": "",
    "armv6m": "arm-none-eabi-",
    "armv7m": "arm-none-eabi-",
    "armv7emsp": "arm-none-eabi-",
    "rv32imc": "riscv64-unknown-elf-",
    "xtensawin": "xtensa-esp32-elf-",  # Espressif's; Debian does not have it
}


def can_build(arch):
    """True where the architecture's compiler can be had: Debian has it, or it is here."""
    return arch != "xtensawin" or shutil.which(TOOLCHAINS[arch] + "gcc") is not None


def build(arch):
    """Path of `_ipcert.mpy` for `arch`; BuildError when its compiler is not here or it does not build."""
    if arch not in TOOLCHAINS:
        raise micropython.BuildError("no architecture %r: one of %s" % (arch, " ".join(sorted(TOOLCHAINS))))
    prefix = TOOLCHAINS[arch]
    needs.install("build natmod " + arch)
    if not can_build(arch):
        raise micropython.BuildError("%sgcc is not here: put Espressif's toolchain on the PATH" % prefix)
    tree = sources.micropython()
    cross = micropython.mpy_cross()
    python = venv.python(venv.environment("natmod"))  # what mpy_ld.py needs
    name = "natmod-%s-%s" % (
        arch,
        sources.key(
            tree.name, micropython.compiler(prefix), Path(__file__), python, *micropython.native_files()
        ),
    )
    out = sources.cache() / name
    module = out / "_ipcert.mpy"
    with sources.lock(name):
        if not module.exists():
            if out.exists():
                shutil.rmtree(str(out))
            work = out / "work"
            shutil.copytree(str(micropython.NATIVE), str(work))
            shutil.copy2(str(work / "natmod" / "Makefile"), str(work / "Makefile"))
            command = micropython.make(work, "MPY_DIR=%s" % tree, "ARCH=%s" % arch, "PYTHON=%s" % python)
            more = " ".join(micropython.KERNEL_HEADERS) if arch == "x86" else ""
            micropython.run(
                command + ["MPY_CROSS=%s" % cross],
                out / "log",
                env=dict(os.environ, PYTHONDONTWRITEBYTECODE="1", CFLAGS_EXTRA=more),
            )
            sources.put(work / "_ipcert.mpy", module)
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
    found = sections([module.parent / "work" / "build" / "module.o"], TOOLCHAINS[arch])
    found["mpy"] = module.stat().st_size
    return found
