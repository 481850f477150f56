"""One emulated hub: QEMU's mps2-an385 with our image, its flash in a file, its ports forwarded to the host.

A `Hub` is driven over its serial console by MicroPython's raw prompt, or just watched while its own main.py runs.
"""

import base64
import json
import os
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time

from tools.lib import loopback, needs

PSRAM_SIZE = 16 << 20
PATIENCE = 150  # seconds for an answer that takes a moment on a quiet machine

# What QEMU's user-mode network calls the guest.
GUEST = "10.0.2.15"


class HubError(Exception):
    """The hub raised, went away, or did not answer in time. The text is what it said."""


def arguments(image, flash, forwards, boot, icount=False, monitor=None, tap=None):
    """QEMU's command line. forwards: {guest port: host port}; boot: {name: value} for semihost.c's boot arguments;
    tap: a network interface of this machine, instead of forwards."""
    nic = "user,id=net0,model=lan9118" + "".join(
        f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for guest, host in sorted(forwards.items())
    )
    if tap:
        nic = f"tap,id=net0,model=lan9118,ifname={tap},script=no,downscript=no"
    words = ",".join(f"arg={name}={value}" for name, value in sorted(boot.items()))
    return [
        "qemu-system-arm",
        *("-machine", "mps2-an385,memory-backend=psram"),
        *("-object", f"memory-backend-file,id=psram,size={PSRAM_SIZE},mem-path={flash},share=on"),
        *("-display", "none", "-monitor", "none", "-serial", "stdio"),
        *("-semihosting-config", "enable=on,target=native,arg=hub" + ("," + words if words else "")),
        *("-nic", nic),
        *(("-qmp", f"unix:{monitor},server=on,wait=off") if monitor else ()),
        *(("-icount", "shift=0") if icount else ()),
        *("-kernel", str(image)),
    ]


class Hub:
    """A running board. Use as a context manager; `kill` is a power cut, `flash` survives it."""

    emulator = "qemu arm"  # its row in needs.TABLE

    def __init__(self, image, flash, ports=(), forwards=None, boot=None, icount=False, tap=None):
        """ports: guest ports to forward to free host ports (see .forwards); forwards fixes them instead; tap: neither."""
        self.image, self.flash, self.icount, self.tap = image, str(flash), icount, tap
        self._monitor = os.path.join(tempfile.mkdtemp(prefix="hub"), "qmp")
        self.boot = dict(boot or {})
        self.forwards = (
            dict(forwards) if forwards is not None else dict(zip(ports, loopback.free_ports(len(ports))))
        )
        self.process = None
        self.transcript = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Cuts the power for good."""
        self.kill()
        shutil.rmtree(os.path.dirname(self._monitor), ignore_errors=True)

    def start(self, **boot):
        """Powers the board up; keyword arguments are added to the boot arguments for good."""
        if self.alive:
            raise HubError("the hub runs already")
        self.boot.update(boot)
        if not os.path.exists(self.flash):
            with open(self.flash, "wb") as made:
                made.truncate(PSRAM_SIZE)
        needs.install(self.emulator)
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
        )  # fmt: skip
        self._chunks = queue.Queue()
        self._pending = b""
        self._raw = False  # the raw prompt was entered in this boot
        self._reader = threading.Thread(
            target=self._pump, args=(self.process.stdout, self._chunks), daemon=True
        )
        self._reader.start()

    def command(self):
        """QEMU's command line for the next boot."""
        return arguments(
            self.image, self.flash, self.forwards, self.boot, self.icount, self._monitor, self.tap
        )

    @staticmethod
    def _pump(stream, chunks):
        for chunk in iter(lambda: stream.read(4096), b""):
            chunks.put(chunk)
        chunks.put(None)

    def kill(self):
        """Cuts the power."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        self.wait()

    def wait(self, timeout=PATIENCE):
        """Waits until the board is off; its exit status (0 after a reset or a chosen power cut)."""
        if self.process is None:
            return None
        status = self.process.wait(timeout)
        self._reader.join(timeout)  # it ends with QEMU's last byte
        self.process.stdin.close()
        self.process.stdout.close()
        return status

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def send(self, data):
        try:
            self.process.stdin.write(data)
        except OSError as error:
            raise HubError(f"the hub is off: {error}; it last said {self._tail()}") from error

    def _tail(self):
        return repr(b"".join(self.transcript)[-600:].decode("utf-8", "replace"))

    def read_until(self, marker, timeout=PATIENCE):
        """Console bytes up to and with `marker`; HubError when the hub goes off or `timeout` seconds pass."""
        deadline = time.monotonic() + timeout
        while marker not in self._pending:
            try:
                chunk = self._chunks.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise HubError(
                    f"no {marker!r} within {timeout} s; the hub last said {self._tail()}"
                ) from None
            if chunk is None:
                self._chunks.put(None)
                raise HubError(f"the hub went off before {marker!r}; it last said {self._tail()}")
            self.transcript.append(chunk)
            self._pending += chunk
        head, _, self._pending = self._pending.partition(marker)
        return head + marker

    def line(self, timeout=PATIENCE):
        """The next console line, without its end."""
        return self.read_until(b"\n", timeout).decode("utf-8", "replace").rstrip("\r\n")

    def rest(self, seconds=1):
        """What the hub still says within `seconds`, for an error's text."""
        time.sleep(seconds)
        while not self._chunks.empty():
            chunk = self._chunks.get()
            if chunk is None:
                self._chunks.put(None)
                break
            self.transcript.append(chunk)
            self._pending += chunk
        return self._pending.decode("utf-8", "replace")

    def wait_line(self, wanted, timeout=PATIENCE):
        """The first line that contains `wanted`."""
        deadline = time.monotonic() + timeout
        while True:
            line = self.line(max(0.1, deadline - time.monotonic()))
            if wanted in line:
                return line

    def prompt(self, timeout=PATIENCE):
        """Interrupts whatever runs and enters the raw prompt."""
        if not self._raw:
            self.read_until(b">>> ", timeout) if self.boot.get("main") == "off" else self.send(b"\r\x03\x03")
            self.send(b"\r\x01")
            self.read_until(b"raw REPL; CTRL-B to exit\r\n>", timeout)
            self._raw = True

    def execute(self, code, timeout=PATIENCE):
        """Runs Python source on the hub; what it printed. HubError with its traceback when it raises."""
        self.prompt(timeout)
        self.begin(code)
        return self.finish(timeout)

    def begin(self, code):
        """Starts source on the hub without waiting for its end."""
        self.prompt()
        self.send(code.encode() + b"\x04")
        self.read_until(b"OK")

    def finish(self, timeout=PATIENCE):
        """What the source given to `begin` printed, once it has ended."""
        out = self.read_until(b"\x04", timeout)[:-1].decode("utf-8", "replace").replace("\r\n", "\n")
        err = self.read_until(b"\x04>", timeout)[:-2].decode("utf-8", "replace")
        if err:
            raise HubError(err.strip().replace("\r\n", "\n"))
        return out

    def evaluate(self, expression, timeout=PATIENCE):
        """repr() of an expression, as text."""
        return self.execute(f"print(repr({expression}))", timeout).strip()

    def qmp(self, command, **arguments):
        """One command of QEMU's monitor, such as qmp("set_link", name="net0", up=False)."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(self._monitor)
            with link.makefile("rwb") as lines:
                lines.readline()
                for name, values in (("qmp_capabilities", {}), (command, arguments)):
                    lines.write(json.dumps({"execute": name, "arguments": values}).encode() + b"\n")
                    lines.flush()
                    answer = json.loads(lines.readline())
                    while "event" in answer:
                        answer = json.loads(lines.readline())
                    if "error" in answer:
                        raise HubError(f"QEMU refused {name}: {answer['error']['desc']}")

    def put(self, path, data):
        """Writes a file on the hub's file system."""
        self.execute(f"import binascii\n_f = open({path!r}, 'wb')")
        for start in range(0, len(data), 1536):
            text = base64.b64encode(data[start : start + 1536])
            self.execute(f"_f.write(binascii.a2b_base64({text!r}))")
        self.execute("_f.close()")


class Virt(Hub):
    """MicroPython's own qemu port on a 32-bit RISC-V (QEMU's virt machine): no network, and a file system in RAM."""

    emulator = "qemu riscv"

    def __init__(self, image):
        super().__init__(image, os.devnull, boot={"main": "off"})

    def start(self, **boot):
        super().start(**boot)
        self.execute(_RAM_DISK)

    def command(self):
        return [
            *(
                "qemu-system-riscv32",
                "-machine",
                "virt",
                "-bios",
                "none",
                "-display",
                "none",
                "-monitor",
                "none",
            ),
            *("-serial", "stdio", "-semihosting", "-kernel", str(self.image)),
        ]


_RAM_DISK = """
import vfs
class Disk:
    def __init__(self, blocks):
        self.data = bytearray(4096 * blocks)
    def readblocks(self, n, buf, off=0):
        at = n * 4096 + off
        buf[:] = memoryview(self.data)[at : at + len(buf)]
    def writeblocks(self, n, buf, off=0):
        at = n * 4096 + off
        self.data[at : at + len(buf)] = buf
    def ioctl(self, op, arg):
        return len(self.data) // 4096 if op == 4 else 4096 if op == 5 else 0
disk = Disk(128)
vfs.VfsLfs2.mkfs(disk)
vfs.mount(disk, "/")
"""
