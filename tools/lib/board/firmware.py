"""Firmware images of the boards under boards/: built outside the tree, kept by what they are made of."""

import hashlib
import shutil
import subprocess

from tools.lib import loopback, needs, say
from tools.lib.build import files as build_files
from tools.lib.build import micropython, sources

ROOT = build_files.ROOT
BOARDS = ROOT / "boards"

# board -> its compiler
COMPILERS = {"QEMU_MPS2_AN385": "arm-none-eabi-gcc", "VIRT_RV32": "riscv64-unknown-elf-gcc"}

# What goes into an image besides the board's own directory, when it is there.
SHARED = ("boards/common", "ports/native", "ports/micropython", "ports/urequests_compat", "ipcert")


class BoardError(say.Stop):
    """An image could not be made; the text says what to do."""


def free_port():
    """A TCP port that was free on 127.0.0.1 a moment ago."""
    return loopback.free_ports(1)[0]


def names():
    """The boards that can be built here."""
    return sorted(COMPILERS)


def _files(board):
    for folder in (BOARDS / board, *(ROOT / name for name in SHARED)):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".md", ".pyi"):
                yield path


def _hash(board, files):
    hashed = hashlib.sha256()
    for path in files:
        hashed.update(
            str(path.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest()
        )
    hashed.update(repr(sorted(sources.PINS.items())).encode())
    compiler = COMPILERS[board]
    hashed.update(subprocess.run([compiler, "--version"], check=True, capture_output=True).stdout)
    return hashed.hexdigest()[:12]


def key(board):
    """Twelve hex digits over everything the image is made of: our files, the pinned sources, the compiler."""
    return _hash(board, _files(board))


def _objects_key(board):
    """What make cannot tell by itself that it changed: options, compiler, sources. It follows the rest file by file."""
    return _hash(board, (path for path in _files(board) if path.name == "Makefile" or path.suffix == ".mk"))


def _manifest(board, into):
    """The board's own manifest and, once it exists, all of ipcert from the one file list."""
    own = BOARDS / board / "manifest.py"
    lines = [f'include("{own}")'] if own.exists() else []
    for name, path in build_files.micropython():
        lines.append(f'module("{name}", base_path="{str(path)[: -len(name) - 1]}", opt=3)')
    text = "\n".join(lines) + "\n"
    manifest = into / "manifest.py"
    if not manifest.exists() or manifest.read_text() != text:
        manifest.write_text(text)
    return manifest


# What MicroPython's qemu port is told. GCC 12 has its 32-bit libraries under rv32imac without _zicsr.
_OPTIONS = {
    "VIRT_RV32": ["RV32_ARCH=rv32imac -misa-spec=2.2", "MICROPY_VFS_LFS2=1", "MICROPY_HEAP_SIZE=1400000"],
}

# Images for comparison: name -> make variables.
VARIANTS = {"": [], "stock-ecp": ["IPCERT_STOCK_ECP=1"]}


def build(board, quiet=True, variant=""):
    """The image's directory, with firmware.elf and firmware.map; built when it is not there yet."""
    if board not in COMPILERS:
        raise BoardError(f"there is no board {board}; there are: {', '.join(names())}")
    needs.install("build board " + board)
    label = f"{board}-{variant}" if variant else board
    place = sources.cache() / "boards" / f"{label}-{key(board)}"
    with sources.lock(label):
        if (place / "complete").exists():
            return place
        if not quiet:
            print(f"building {label}: about a minute", flush=True)
        tree = sources.micropython()
        cross = micropython.mpy_cross()
        objects = sources.cache() / "boards" / f"{label}-objects-{_objects_key(board)}"
        place.mkdir(parents=True, exist_ok=True)
        with sources.building(objects):
            variables = [
                f"TOP={tree}",
                f"BUILD={objects}",
                f"MICROPY_MPYCROSS={cross}",
                f"MICROPY_MPYCROSS_DEPENDENCY={cross}",
                f"USER_C_MODULES={micropython.user_modules(objects / 'usermod')}",
                f"FROZEN_MANIFEST={_manifest(board, objects)}",
                *VARIANTS[variant],
            ]
            port = BOARDS / board
            if not (port / "Makefile").exists():
                # A board of MicroPython's own qemu port.
                port = tree / "ports" / "qemu"
                variables += [f"BOARD={board}", f"USER_C_MODULES={BOARDS / board}", *_OPTIONS[board]]
            micropython.run(micropython.make(port, *variables), place / "build.log")
        for name in ("firmware.elf", "firmware.map"):
            shutil.copy2(objects / name, place / name)
        (place / "complete").touch()
    return place
