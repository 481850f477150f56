"""MicroPython's own qemu port, unmodified, to load `_ipcert.mpy` for other processors into: built, run, talked to."""

import subprocess
import threading
from pathlib import Path

from tools.lib import needs
from tools.lib.build import micropython, sources

# board of MicroPython's qemu port -> (emulator, its machine, compiler prefix, our board that needs the same packages)
BOARDS = {
    "MPS2_AN385": ("qemu-system-arm", "mps2-an385", "arm-none-eabi-"),
    "VIRT_RV32": ("qemu-system-riscv32", "virt", "riscv64-unknown-elf-"),
}

# A file system of one file, so that a .mpy in memory can be imported (MicroPython's tests/run-natmodtests.py does so).
_MOUNT = """
import io, sys, vfs
class File(io.IOBase):
    def __init__(self):
        self.at = 0
    def ioctl(self, request, arg):
        return 0 if request == 4 else -1
    def readinto(self, buf):
        buf[:] = memoryview(mpy)[self.at : self.at + len(buf)]
        self.at += len(buf)
        return len(buf)
class FS:
    def mount(self, readonly, mkfs):
        pass
    def chdir(self, path):
        pass
    def stat(self, path):
        if path != "/_ipcert.mpy":
            raise OSError(2)
        return (0,) * 10
    def open(self, path, mode):
        return File()
vfs.mount(FS(), "/memory")
sys.path.insert(0, "/memory")
"""


class TargetError(Exception):
    """The target raised, ended or did not answer; the text is what it said."""


def firmware(board):
    """Path of the stock firmware for a board of the qemu port. Raises Stop."""
    _, _, prefix = BOARDS[board]
    needs.install("stock " + board)
    tree = sources.micropython()
    cross = micropython.mpy_cross()
    name = "qemu-%s-%s" % (board, sources.key(tree.name, micropython.compiler(prefix), Path(__file__)))
    out = sources.cache() / name
    elf = out / "firmware.elf"
    with sources.lock(name):
        if not elf.exists():
            with sources.building(out):
                (out / "manifest.py").write_text("")
                options = [
                    "BOARD=%s" % board,
                    "BUILD=%s" % (out / "build"),
                    "FROZEN_MANIFEST=%s" % (out / "manifest.py"),
                    "MICROPY_MPYCROSS=%s" % cross,
                    "MICROPY_MPYCROSS_DEPENDENCY=%s" % cross,
                ]
                if (
                    board == "VIRT_RV32"
                ):  # Debian's libraries are for rv32imac, the assembler wants Zicsr named
                    options.append("LIBS=-march=rv32imac -lgcc")
                micropython.run(micropython.make(tree / "ports" / "qemu", *options), out / "log")
            sources.put(out / "build" / "firmware.elf", elf)
    return elf


class Target:
    """One emulated machine at its raw prompt. A context manager; it is ended after `seconds` whatever happens."""

    def __init__(self, board, seconds=300):
        emulator, machine, _ = BOARDS[board]
        image = firmware(board)
        command = [emulator, "-machine", machine, "-display", "none", "-monitor", "none", "-semihosting"]
        command += ["-serial", "stdio", "-kernel", str(image)]
        if machine == "virt":
            command += ["-bios", "none"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        self._alarm = threading.Timer(seconds, self._process.kill)
        self._alarm.start()
        self._pending = b""

    def __enter__(self):
        self._until(b">>> ")
        self._process.stdin.write(b"\x01")
        self._until(b"raw REPL; CTRL-B to exit\r\n>")
        return self

    def __exit__(self, *_):
        self._alarm.cancel()
        self._process.kill()
        self._process.communicate()

    def _until(self, marker):
        while marker not in self._pending:
            data = self._process.stdout.read(4096)
            if not data:
                raise TargetError("the target ended: %r" % self._pending[-500:])
            self._pending += data
        head, _, self._pending = self._pending.partition(marker)
        return head

    def execute(self, code):
        """Run source; what it printed. Raises TargetError with its traceback."""
        self._process.stdin.write(code.encode() + b"\x04")
        self._until(b"OK")
        out = self._until(b"\x04").decode("utf-8", "replace").replace("\r\n", "\n")
        error = self._until(b"\x04>").decode("utf-8", "replace")
        if error:
            raise TargetError(error.strip())
        return out

    def load(self, mpy):
        """Import the `_ipcert.mpy` at a path; its NAME."""
        data = Path(mpy).read_bytes()
        self.execute("import binascii\nmpy = bytearray(%d)" % len(data))
        for start in range(0, len(data), 256):
            part = data[start : start + 256]
            self.execute("mpy[%d:%d] = binascii.unhexlify(%r)" % (start, start + len(part), part.hex()))
        self.execute(_MOUNT)
        return self.execute("import _ipcert\nprint(_ipcert.NAME)").strip()
