"""Both ports before a real Pebble: a proxy between them bends one answer of an issuance, on the wire.

The cases are the core's, as far as an issuance meets them, and those that only a wire has: interim answers, codings, header lines.
After each case an issuance without a bend has to succeed, with the account that was there.
"""

import collections
import json
import os
import subprocess
import tempfile
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ipcert import identifiers, limits, policy, split
from ipcert.device import Device
from ipcert_port.cli.progress import Quiet
from ipcert_port.deploy.folders import Deployer
from ipcert_port.port import drive
from ipcert_port.port.clock import Clock
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.net import Net
from ipcert_port.port.port import Port
from ipcert_port.port.sign import Signer
from ipcert_port.solvers.responder import Responder
from tools.lib import cache
from tools.lib.bent import core, expected
from tools.lib.bent.answer import Answer
from tools.lib.bent.kinds import Bend
from tools.lib.bent.reading import Field
from tools.lib.build import micropython
from tools.lib.ca import pebble as _pebble
from tools.lib.faults import proxy as _proxy

PORTS = ("cpython", "micropython")
PARTS = 2  # each so many-th case is run where nothing else is said
ADDRESS = "127.0.0.1"
BOUND = 60  # seconds for one issuance; its pauses take no time
REBOOT = 40  # cases after which the device starts again
_MESSAGES = (
    ("/dir", "directory"), ("/nonce-plz", "new-nonce"), ("/sign-me-up", "new-account"), ("/order-plz", "new-order"),
    ("/my-order/", "order"), ("/authZ/", "authorization"), ("/chalZ/", "challenge"), ("/finalize-order/", "finalize"),
    ("/certZ/", "certificate"),
)  # fmt: skip


class BendingProxy(_proxy.Proxy):
    """Bends the first answer of one message after `bend`; met: how many were bent."""

    def bend(self, message, bend):
        """Let a Bend meet the next answer of this message; None: none."""
        self._message, self._bend, self.met = message, bend, 0

    def _ask(self, method, path, headers, body):
        raw = super()._ask(method, path, headers, body)
        found = [message for prefix, message in _MESSAGES if path.startswith(prefix)]
        if self._bend is None or self.met or found != [self._message]:
            return raw
        head, _, data = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        pairs = [line.split(": ", 1) for line in lines if not line.lower().startswith("content-length")]
        answer = Answer(status, pairs, data)
        if status >= 400 or not self._bend.edit(answer, int(time.time()) - limits.EPOCH_UNIX):
            return raw
        self.met = 1
        return _raw(answer, method)


def _raw(answer, method):
    """The answer's bytes. `framing`: None for Content-Length, or a function of head and body."""
    lines = ["%s: %s" % (name, value) for name, value in answer.headers]
    head = ("HTTP/1.1 %d OK\r\n" % answer.status + "".join(line + "\r\n" for line in lines)).encode("utf-8")
    before = b"".join(b"HTTP/1.1 " + words + b"\r\n\r\n" for words in answer.interim)
    if answer.framing is not None:
        return before + answer.framing(head, answer.body)
    body = b"" if method == "HEAD" else answer.body
    return before + head + b"Content-Length: %d\r\n\r\n" % len(body) + body


# What only a wire has.


def _interim(*words):
    def edit(answer, now):
        answer.interim = words
        return True

    return edit


def _framed(make):
    def edit(answer, now):
        if not answer.body:
            return False
        answer.framing = make
        return True

    return edit


def _chunked(size):
    def make(head, body):
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        chunks = b"".join(b"%x;x=y\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nTrailer: x\r\n\r\n"

    return make


def _more_headers(count, size):
    def edit(answer, now):
        answer.headers[:0] = [["X-Header-%d" % number, "x" * size] for number in range(count)]
        return True

    return edit


def _cased(change):
    def edit(answer, now):
        for pair in answer.headers:
            pair[0] = change(pair[0])
        return True

    return edit


def _late(answer, now):
    time.sleep(1.2)
    return True


def wire_bends():
    """[(Bend, outcomes on CPython, outcomes on MicroPython)] that every message gets."""
    good, refused = {core.GOES_ON, core.POLLS_AGAIN}, {core.REFUSED}
    either = good | refused
    return [
        (Bend("early", "100 before it", _interim(b"100 Continue")), good, good),
        (
            Bend(
                "early",
                "102 and 103 before it",
                _interim(b"102 Processing", b"103 Early Hints\r\nLink: <https://a/>;rel=up"),
            ),
            good,
            good,
        ),
        (Bend("late", "a second", _late), good, good),
        (Bend("another encoding", "chunks", _framed(_chunked(1000))), good, good),
        (Bend("another encoding", "chunks of three bytes", _framed(_chunked(3))), good, good),
        (Bend("another encoding", "line ends of LF alone", _framed(_line_feeds)), either, either),
        (Bend("other case", "header names in capitals", _cased(str.upper)), good, good),
        (Bend("other case", "header names in small letters", _cased(str.lower)), good, good),
        (Bend("long", "40 headers more", _more_headers(40, 40)), good, good),
        (Bend("long", "150 headers more", _more_headers(150, 40)), good, refused),
        (Bend("long", "a header of 20 KB", _more_headers(1, 20000)), good, refused),
        (Bend("repeated", "Content-Length", _framed(_twice)), either, either),
    ]


def _line_feeds(head, body):
    return head.replace(b"\r\n", b"\n") + b"Content-Length: %d\n\n" % len(body) + body


def _twice(head, body):
    return head + b"Content-Length: %d\r\n" % len(body) * 2 + b"\r\n" + body


# The devices.


class _MovedClock(Clock):
    ahead = 0.0

    def now(self):
        return super().now() + int(self.ahead)

    def trustworthy(self):
        return True

    def monotonic(self):
        return 0

    def sleep(self, seconds):
        self.ahead += max(seconds, 0.2)
        time.sleep(0.02)


class _Collecting(Deployer):
    def __init__(self, folder):
        super().__init__(folder)
        self.pairs = []

    def deploy(self, record, key, chain):
        super().deploy(record, key, chain)
        if chain:
            self.pairs.append((bytes(key), bytes(chain)))


class _Http:
    """The port's own responder as the drive's answers."""

    def __init__(self, port):
        self._server = Responder(ADDRESS, port)
        self._server.start()

    def publish(self, action):
        self._server.publish(action.token, action.text)

    def withdraw(self, action):
        self._server.withdraw(action.token)

    def close(self):
        """Between two attempts the responder stays."""

    def end(self):
        """Let go of the port."""
        self._server.close()


class OnCPython:
    """The CPython port as it is, but for the clock, whose pauses take no time."""

    def __init__(self, folder, proxy, pebble, ahead):
        entropy = Entropy()
        self._port = Port(os.path.join(folder, "state"), Signer(entropy), entropy)
        self._clock = _MovedClock()
        self._clock.ahead = ahead
        self._deployer = _Collecting(os.path.join(folder, "live"))
        self._answers = _Http(pebble.http_port)
        chosen = policy.Policy(test_ca=True, agree_terms=True, urgent="both", first_delay=0)
        wanted = split.certificates([identifiers.parse(ADDRESS)], chosen)
        self._device = Device(self._port, chosen, wanted, proxy.directory_url)
        self._net = Net(proxy.root, "ipcert/test", 10)
        self._progress = Quiet()
        self._progress.warn = lambda sentence: None
        self._drive = drive.Drive(
            self._device,
            self._net,
            self._port.store,
            self._clock,
            self._answers,
            self._deployer,
            self._progress,
        )

    def attempt(self, fresh):
        """Order now, with a directory and an account that are asked for where `fresh` says so; (issued?, code, sentence)."""
        device = self._device
        device.prepare(self._clock.now())
        if fresh:
            device.exchange.directory = None
            device.journal.account_url.set(b"")
        before = device.issued
        device.event("renew", ADDRESS)
        device.last_error = None
        saved, drive.time = drive.time, self._clock
        try:
            self._drive.run()
        finally:
            drive.time = saved
            self._net.close()
        error = device.last_error
        return device.issued > before, error.code if error else "", str(error or "")

    def later(self, seconds):
        """Let time pass."""
        self._clock.ahead += seconds

    def account(self):
        """The account's URL."""
        return self._device.journal.account_url.text()

    def ahead(self):
        """How many seconds its clock is ahead."""
        return self._clock.ahead

    def pairs(self):
        """(key, chain) of all that was deployed."""
        return self._deployer.pairs

    def close(self):
        """Let go of everything."""
        self._net.close()
        self._answers.end()


class OnMicroPython:
    """The MicroPython port in a process of its own, driven line by line."""

    _SCRIPT = os.path.join(cache.ROOT, "tests", "interop", "micropython_device.py")

    def __init__(self, folder, proxy, pebble, ahead):
        self._state = os.path.join(folder, "state")
        os.makedirs(self._state, 0o700, exist_ok=True)
        parts = [cache.ROOT]
        parts += [os.path.join(cache.ROOT, "ports", name) for name in ("micropython", "urequests_compat")]
        parts += [os.path.join(cache.ROOT, "boards", "common", "python"), ".frozen"]
        self._child = subprocess.Popen(
            [str(micropython.interpreter(64, False, False)), "-X", "heapsize=512k", self._SCRIPT],
            env=dict(os.environ, MICROPYPATH=":".join(parts)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            umask=0o077,
        )
        words = {
            "ids": [ADDRESS],
            "directory": proxy.directory_url,
            "roots": proxy.root,
            "port": pebble.http_port,
        }
        self._say({**words, "state": self._state, "options": {}, "ahead": int(ahead)})
        self._issued = 0
        self._seen = {}
        self._last = {}

    def _say(self, words):
        self._child.stdin.write(json.dumps(words) + "\n")
        self._child.stdin.flush()

    def attempt(self, fresh):
        """As `OnCPython.attempt`."""
        if fresh:
            self._say(["fresh"])
            self._child.stdout.readline()
        self._say(["event", "renew", ADDRESS])
        line = self._child.stdout.readline()
        if not line.startswith("{"):
            raise core.Lost("the device ended: %s" % (line + self._child.stdout.read())[-800:])
        self._last = state = json.loads(line)
        issued = state["issued"] > self._issued
        self._issued = state["issued"]
        file_id = state["lineages"][0][1]
        if file_id and file_id not in self._seen:
            with open(os.path.join(self._state, "chain-%d" % file_id), "rb") as file:
                chain = file.read()
            with open(os.path.join(self._state, "key-%d" % file_id), "rb") as file:
                scalar = int.from_bytes(file.read()[36:68], "big")
            key = ec.derive_private_key(scalar, ec.SECP256R1()).private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            self._seen[file_id] = (key, chain)
        return issued, state["error"] or "", state["text"] if state["error"] else ""

    def later(self, seconds):
        """As `OnCPython.later`."""
        self._say(["later", seconds])
        self._child.stdout.readline()

    def account(self):
        """The account's URL."""
        return self._last["account"]

    def ahead(self):
        """How many seconds its clock is ahead."""
        return self._last["ahead"]

    def pairs(self):
        """(key, chain) of all that was deployed."""
        return list(self._seen.values())

    def close(self):
        """End the process."""
        self._child.stdin.close()
        self._child.stdout.close()
        try:
            self._child.wait(20)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


def cases(name, parts):
    """[(words, message, Bend, outcomes)] for a port: each `parts`-th."""
    both = {core.GOES_ON, core.POLLS_AGAIN}
    found = []
    for case in core.cases():
        if case.scenario.name == "issue" and not case.always or case.bend.times is not None:
            field = str(case.field)
            right = expected.outcomes("issue", field, case.bend.kind, case.bend.variant, False)
            # How many requests there are is the core's bench's business.
            right = right | both if right & both else right
            if name == "micropython" and case.bend.kind == "long":
                right = right | {
                    core.REFUSED
                }  # a header of 7 KB wants that much of a small heap in one piece
            if case.field.message in [message for _, message in _MESSAGES]:
                found.append((str(case), case.field.message, case.bend, right))
    at = PORTS.index(name) + 1
    for _, message in _MESSAGES:
        for row in wire_bends():
            words = "%s | %s %s" % (Field(message, "wire", (), ""), row[0].kind, row[0].variant)
            found.append((words, message, row[0], row[at]))
    return found[::parts]


def run(name, parts, progress=None):
    """One port's cases before a Pebble; a dict as `command.run_core` makes it."""
    chosen = cases(name, parts)
    outcomes, kinds = collections.Counter(), collections.Counter()
    wrong, pairs = [], []
    skipped = 0
    make = {"cpython": OnCPython, "micropython": OnMicroPython}[name]
    with tempfile.TemporaryDirectory() as folder, _pebble.Pebble() as pebble, BendingProxy(pebble) as proxy:
        proxy.bend(None, None)
        device, count, ahead = None, 0, 0
        try:
            for done, (words, message, bend, right) in enumerate(chosen):
                if progress is not None and done % 100 == 99:
                    progress("%s: %d of %d cases, %d wrong" % (name, done + 1, len(chosen), len(wrong)))
                if device is None or done % REBOOT == 0:
                    if device is not None:
                        pairs += device.pairs()
                        ahead = device.ahead()
                        device.close()
                    device = make(os.path.join(folder, str(count)), proxy, pebble, ahead)
                    issued, _, sentence = device.attempt(True)
                    if not issued:
                        raise core.Lost("nothing is issued even without a bend: %s" % sentence)
                    account = device.account()
                proxy.bend(message, bend)
                began = time.monotonic()
                issued, code, sentence = device.attempt(True)
                met, took = proxy.met, time.monotonic() - began
                proxy.bend(None, None)
                if not met:
                    skipped += 1
                    continue
                kinds[bend.kind] += 1
                outcome = core.GOES_ON if issued else core.REFUSED
                if took > BOUND:
                    outcome = core.HANGS
                elif not issued and not sentence:
                    outcome = core.LOSES
                good, _, after = device.attempt(False)
                for _ in range(3):  # an order at a URL that leads nowhere is given up after two days
                    if not good:
                        device.later(limits.DAY)
                        good, _, after = device.attempt(False)
                if not good or device.account() != account:
                    outcome = core.LOSES
                    sentence += " | afterwards: %s, account %s" % (after, device.account())
                    pairs += device.pairs()
                    device.close()
                    device, count, ahead = None, count + 1, 0  # what is lost would spoil the cases behind it
                outcomes[outcome] += 1
                if outcome not in right:
                    wrong.append("%s: %s (%s %s)" % (words, outcome, code, sentence))
        finally:
            if device is not None:
                pairs += device.pairs()
                device.close()
            proxy.settle()
    return {
        "tried": len(chosen) - skipped,
        "skipped": skipped,
        "outcomes": dict(outcomes),
        "kinds": dict(kinds),
        "fields": len({words.split(" | ")[-2 if " | wire" in words else 1] for words, *_ in chosen}),
        "wrong": wrong,
        "pairs": [(key, chain) for chain, key in {chain: key for key, chain in pairs}.items()],
    }
