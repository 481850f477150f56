"""Runs a hub's own main.py with a console beside it, so that a test can look at it and press its buttons meanwhile.

main.py runs unchanged, from the image. A task that was started before it reads lines from the serial port and executes
them in main.py's name space. Store writes are labelled in the flash's log on the way.
"""

import json
import time

from tools.lib.board import qemu
from tools.lib.board.qemu import HubError

# What a write of the store is for, by the beginning of its name; the label in the flash's log is the position + 1.
KINDS = ("journal", "account-", "key-", "chain-", "directory", "erase")

_BESIDE = """
import asyncio, gc, sys, mps2
from asyncio import core
from ipcert_port.port import store
KINDS = %r
flash = mps2.Flash()
def _labelled(name, method, kind):
    def call(self, file, *rest):
        mark = 0
        for i, start in enumerate(KINDS):
            if file.startswith(start):
                mark = i + 1
        flash.mark(kind or mark)
        try:
            return method(self, file, *rest)
        finally:
            flash.mark(0)
    setattr(store.Store, name, call)
_labelled("write", store.Store.write, 0)
_labelled("erase", store.Store.erase, KINDS.index("erase") + 1)
def _ready():
    yield core._io_queue.queue_read(sys.stdin)
async def console():
    line = b""
    while True:
        await _ready()
        c = sys.stdin.buffer.read(1)
        if c != b"\\n":
            line += c
            continue
        try:
            exec(line, sys.modules["main"].__dict__)
            print("<done>")
        except Exception as e:
            print("<error>", repr(e))
        line = b""
asyncio.create_task(console())
"""


class Console(qemu.Hub):
    """A Hub whose main.py is run by `run`; `ask` executes one line beside it."""

    def run(self, cut=0):
        """Starts main.py. cut: the power goes in the middle of that flash write from now."""
        self.execute(_BESIDE % (KINDS,))
        if cut:
            self.execute(f"flash.cut({cut})")
        self.begin("import main")

    def ask(self, line, timeout=qemu.PATIENCE):
        """Executes one line of Python in main.py's name space; what it (and whatever ran meanwhile) printed."""
        self.send(line.encode() + b"\n")
        out = b""
        while True:
            got = self.read_until(b"\n", timeout)
            if got.startswith(b"<done>"):
                return out.decode("utf-8", "replace").replace("\r\n", "\n")
            if got.startswith(b"<error>"):
                raise HubError(got.decode("utf-8", "replace").strip())
            out += got

    def deployed(self, wanted, timeout=2 * qemu.PATIENCE):
        """Waits until each of the texts in `wanted` was deployed; the other lines that were printed meanwhile.

        HubError when that takes more than `timeout` seconds in all, or main.py stops.
        """
        wanted, others = list(wanted), []
        deadline = time.monotonic() + timeout
        while wanted:
            line = self.line(max(0.1, deadline - time.monotonic()))
            if line.startswith("deploy ") and line[7:] in wanted:
                wanted.remove(line[7:])
            else:
                others.append(line)
            if "Traceback" in line:
                raise HubError("main.py stopped: " + self.rest())
        return others

    def value(self, expression):
        """A JSON value of an expression in main.py's name space."""
        text = self.ask(f"print('<json>', json.dumps({expression}))")
        return json.loads(next(line for line in text.splitlines() if line.startswith("<json>"))[6:])

    def plans(self):
        """{identifiers: [second of the plan, number of the key in service]} of the journal."""
        return dict(
            self.value(
                "[(r.identifiers_text.text(), [r.planned_at, r.file_id]) for r in device.journal.records()]"
            )
        )

    def memory(self):
        """Heap (size, most live, free now, largest free piece), stack (size, most used) and Mbed TLS's own, in bytes."""
        before = self.ask("__import__('gc').collect(); __import__('micropython').mem_info()")
        words = before.replace(",", " ").split()
        size, peak = self.value("mps2.heap()")
        return {
            "heap": size,
            "heap_peak": peak,
            "heap_free": int(words[words.index("free:") + 1]),
            "largest_free": 16 * int(before.split("max free sz:")[1].split()[0]),
            "stack": dict(zip(("size", "peak"), self.value("mps2.stack()"))),
            "tls": self.value("mps2.tls()"),
        }


def provision(hub, ca, identifiers, **policy):
    """Sets a new hub up as its owner would, at its prompt: /hub.json."""
    with open(ca.tls_root) as file:
        roots = file.read()
    settings = {
        "identifiers": list(identifiers),
        "directory": ca.hub_directory,
        "roots": roots,
        "policy": {"test_ca": True, "agree_terms": True, **policy},
    }
    hub.put("/hub.json", json.dumps(settings).encode())
