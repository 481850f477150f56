"""One emulated NAS: QEMU's arm64 `virt` machine with the board's disk, its ports forwarded to the host.

What is to be done inside it goes through QEMU's own guest agent; what it serves is looked at through its ports.
"""

import base64
import json
import os
import shutil
import socket
import subprocess
import time

from tools.lib import loopback, needs
from tools.lib.run import die_with
from tools.lib.say import Stop

HOST = "10.0.2.2"
"""What the machine calls the host."""
MEMORY = 512  # MB
_BOOT = 900  # seconds, on a busy machine


class Failed(Exception):
    """A command inside the machine ended badly, or the machine did not answer; the text is what it said."""


def arguments(image, disk, forwards, serial, agent=None, monitor=None):
    """QEMU's command line. forwards: {guest port: host port}; serial, agent and monitor are QEMU's words or paths."""
    network = "user,id=net" + "".join(
        f",hostfwd=tcp:127.0.0.1:{host}-:{guest}" for guest, host in sorted(forwards.items())
    )
    command = [
        "qemu-system-aarch64",
        "-M",
        "virt",
        "-accel",
        "tcg,thread=multi,tb-size=256",
        "-cpu",
        "cortex-a57",
        "-smp",
        "2",
        "-m",
        str(MEMORY),
    ]
    command += ["-display", "none", "-monitor", "none", "-serial", serial, "-netdev", network]
    command += ["-device", "virtio-net-pci,netdev=net,romfile="]
    command += ["-kernel", os.path.join(image, "vmlinuz"), "-initrd", os.path.join(image, "initrd")]
    command += ["-append", "console=ttyAMA0 panic=1 quiet loglevel=3 systemd.show_status=false"]
    command += ["-drive", f"if=none,id=disk,format=raw,file={disk},discard=unmap,cache=writeback"]
    command += ["-device", "virtio-blk-pci,drive=disk", "-object", "rng-random,id=rng,filename=/dev/urandom"]
    command += ["-device", "virtio-rng-pci,rng=rng"]
    if agent:
        command += [
            "-device",
            "virtio-serial-pci",
            "-chardev",
            f"socket,id=agent,path={agent},server=on,wait=off",
        ]
        command += ["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"]
    if monitor:
        command += ["-qmp", f"unix:{monitor},server=on,wait=off"]
    return command


class Machine:
    """A running NAS, as a context manager. `folder` (a scratch directory) keeps its disk; `image`: nas/image.py's.

    forwards   {guest port: host port}
    """

    def __init__(self, image, folder, forwards):
        needs.install("board QEMU_VIRT_ARM64 run")
        self.forwards = forwards
        self.disk = os.path.join(folder, "disk")
        self.log = os.path.join(folder, "console.log")
        self._image = image
        self._agent = os.path.join(folder, "agent")
        self._child = None
        self._link = None
        self.boots = []  # seconds that each boot took, until the agent answered
        subprocess.run(
            ["cp", "--sparse=always", "--reflink=auto", os.path.join(image, "disk"), self.disk], check=True
        )

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.cut()

    def start(self):
        """Switch it on and wait until it answers."""
        begin = time.monotonic()
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                [
                    *arguments(self._image, self.disk, self.forwards, f"file:{self.log}.serial", self._agent),
                    "-no-reboot",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with(os.getpid(), apart=True),
            )
        if not loopback.wait_until(self._answers, _BOOT, 0.5):
            words = self.last_words()
            self.cut()
            raise Failed(f"the machine did not come up within {_BOOT} s; its console's end: {words}")
        self.boots.append(time.monotonic() - begin)

    def _answers(self):
        if self._child.poll() is not None:
            raise Failed(f"QEMU ended: {self.last_words()}")
        try:
            self._connect()
            return True
        except OSError:
            if self._link is not None:
                self._link.close()
                self._link = None
            return False

    def last_words(self):
        """The end of its console."""
        text = ""
        for path in (self.log, self.log + ".serial"):
            if os.path.exists(path):
                with open(path, errors="replace") as file:
                    text += file.read()[-1500:]
        return text

    def cut(self):
        """Cut the power."""
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def memory(self):
        """Bytes of this host's memory that QEMU has."""
        with open(f"/proc/{self._child.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))

    # Inside

    def run(self, *command, input=None, timeout=600, check=True):
        """Run a command as root inside; returns (exit status, what it printed on stdout and stderr).

        One word is a line for sh. Raises `Failed` when `check` and it fails, or after `timeout` seconds.
        """
        words = ["/bin/sh", "-c", command[0]] if len(command) == 1 else ["/usr/bin/env", *command]
        call = {"path": words[0], "arg": words[1:], "capture-output": True}
        if input is not None:
            call["input-data"] = base64.b64encode(input).decode()
        pid = self._ask("guest-exec", **call)["pid"]
        end = time.monotonic() + timeout
        pause = 0.05
        while True:
            state = self._ask("guest-exec-status", pid=pid)
            if state["exited"]:
                break
            if time.monotonic() > end:
                raise Failed(f"{' '.join(command)!r} did not end within {timeout} s inside the machine")
            time.sleep(pause)
            pause = min(0.5, pause * 1.5)
        out = b"".join(base64.b64decode(state.get(name, "")) for name in ("out-data", "err-data"))
        text = out.decode("utf-8", "replace")
        status = state.get("exitcode", 128 + state.get("signal", 0))
        if check and status:
            raise Failed(
                f"{' '.join(command)!r} ended with {status} inside the machine: {text.strip()[-1500:]}"
            )
        return status, text

    def write(self, path, data, mode="0644"):
        """Write a file (bytes) inside, root's."""
        line = f"cat >{path}.new && chmod {mode} {path}.new && mv {path}.new {path}"
        self.run(line, input=data)

    def wait_for(self, line, seconds=600):
        """Run a line of sh inside until it succeeds. Raises `Failed` after `seconds`."""
        if not loopback.wait_until(lambda: self.run(line, check=False)[0] == 0, seconds, 0.5):
            raise Failed(f"{line!r} never came true inside the machine")

    def _connect(self):
        self._link = socket.socket(socket.AF_UNIX)
        self._link.settimeout(5)
        self._link.connect(self._agent)
        self._lines = self._link.makefile("rb")
        # Whatever was said before this mark belongs to nobody.
        mark = int.from_bytes(os.urandom(4), "big")
        self._link.sendall(b"\xff" + _call("guest-sync-delimited", id=mark))
        while True:
            answer = self._lines.readline()
            if not answer:
                raise OSError("closed")
            try:
                if json.loads(answer.lstrip(b"\xff")).get("return") == mark:
                    self._link.settimeout(300)
                    return
            except ValueError:
                continue

    def _ask(self, command, **words):
        try:
            self._link.sendall(_call(command, **words))
            answer = json.loads(self._lines.readline())
        except (OSError, ValueError) as error:
            raise Failed(f"the machine stopped answering: {error}; {self.last_words()}") from error
        if "error" in answer:
            raise Failed(f"the machine refused {command}: {answer['error'].get('desc')}")
        return answer["return"]


def _call(command, **words):
    return json.dumps({"execute": command, "arguments": words}).encode() + b"\n"


def interactive(image, disk, forwards):
    """Boot with the console on this terminal until it is switched off (or Ctrl-A X); returns QEMU's exit status."""
    needs.install("board QEMU_VIRT_ARM64 run")
    if not os.path.exists(disk):
        shutil.copyfile(os.path.join(image, "disk"), disk)
    try:
        return subprocess.run(arguments(image, disk, forwards, "mon:stdio")).returncode
    except OSError as error:
        raise Stop(f"QEMU could not be started: {error}") from error
