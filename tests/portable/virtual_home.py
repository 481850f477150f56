"""One device in a home of the tests: a store that can be cut, a clock that can lie, and a loop that obeys the core."""

import gc
import hashlib
import sys

from ipcert import action, device, identifiers, limits, policy, split
from ipcert.errors import Error, LocalError, RemoteError
from ipcert_port.port.sign import Signer

try:
    from independent import Verifier  # CPython only: over `cryptography`
except ImportError:
    Verifier = None

import virtual_ca

START = limits.BUILT + 40 * limits.DAY
NAME = "home.example.net"
V4 = "198.51.100.7"
V6 = "2001:db8::1:7"


class PowerCut(Exception):
    """The power went. Not an Error: nothing in the core may catch it."""


class Entropy:
    """SHA-256 in counter mode over a seed, so that a test is the same every time."""

    quality = "good"

    def __init__(self, seed):
        self.seed = seed if isinstance(seed, bytes) else b"seed %d" % seed
        self.count = 0

    def fill(self, buf):
        at = 0
        while at < len(buf):
            block = hashlib.sha256(b"%s/%d" % (self.seed, self.count)).digest()
            self.count += 1
            n = min(32, len(buf) - at)
            buf[at : at + n] = block[:n]
            at += n


def sha256(buf, start, end, out, off):
    out[off : off + 32] = hashlib.sha256(bytes(buf[start:end])).digest()
    return off + 32


class Store:
    """Files in memory. One write can be torn: it leaves half of the bytes, and the power goes."""

    def __init__(self):
        self.files = {}
        self._left = None

    def tear_after(self, writes):
        """Tear the write after so many more; None: none at all."""
        self._left = writes

    def read(self, name):
        return self.files.get(name)

    def names(self):
        return sorted(self.files)

    def write(self, name, data):
        if self._left is not None:
            if self._left == 0:
                self.files[name] = data[: len(data) // 2]
                raise PowerCut
            self._left -= 1
        self.files[name] = data

    def erase(self, name):
        self.files.pop(name, None)


class Port:
    """What `device.Device` is handed. `signer`: the real one of the port that is installed, unless told otherwise."""

    def __init__(self, store, entropy, signer=None, number=b"device-1", secret=None, aes=None):
        self.store = store
        self.entropy = entropy
        self.signer = signer or Signer(entropy)
        self.read = store.read
        self.names = store.names
        self.number = number
        self.sha256 = sha256
        self.secret = secret
        self.aes = aes

    def device_id(self):
        return self.number


class Home:
    """A device, its store and its CA.

    notices     (number, subject, text) of each that was shown; steps: how many actions were carried out
    deployed    identifiers -> (key, chain) as last deployed
    clock       the world's; `wrong` is added to what the device sees, `trusted` False makes it None
    cut         the power goes when this many more actions were begun; `late`: after the outside did its part,
                before the core hears of it
    fail        kind of action -> Error, once; failure: why the last attempt failed, one of `plan`'s
    """

    def __init__(
        self, texts=(NAME, V4), seed=1, clock=None, ca=None, signer=None, verify=True, sealed=False, **wishes
    ):
        self.clock = clock or virtual_ca.Clock(START)
        verifier = Verifier() if verify and Verifier and signer is None else None
        self.ca = ca or virtual_ca.VirtualCA(self.clock, self.look, verifier)
        self.store = Store()
        self.entropy = Entropy(seed)
        self.signer = signer
        self.identifiers = [identifiers.parse(t) for t in texts]
        self.wishes = dict(wishes)
        self.wishes.setdefault("test_ca", True)
        self.wishes.setdefault("agree_terms", True)
        self.number = b"device-1"
        self.url = virtual_ca.DIRECTORY
        self.secret = b"device secret" if sealed else None
        self.aes = None
        if sealed:
            self.aes = cryptolib_aes()
        self.wrong = 0
        self.trusted = True
        self.cut = None
        self.late = False
        self.fail = {}
        self.failure = None
        self.steps = 0
        self.notices = []
        self.deployed = {}
        self.published = {}
        self.found = None  # {family: evidence}, where the port looked for addresses; see `split.certificates`
        self.away = ()  # identifiers at which an outsider does not find this home
        self.device = None
        self.boot()

    def boot(self):
        """Power up: a new Device over the bytes in the store. What was published is gone."""
        self.published = {}
        self.cut = None
        self.device = self.port = None  # the old one's memory is free first
        if sys.implementation.name == "micropython":
            gc.collect()
        self.port = Port(self.store, self.entropy, self.signer, self.number, self.secret, self.aes)
        self.policy = policy.Policy(**self.wishes)
        certificates = split.certificates(self.identifiers, self.policy, self.found)
        self.device = device.Device(self.port, self.policy, certificates, self.url)
        return self.device

    def change(self, wanted):
        """Other identifiers, while the device runs."""
        self.device.event("certificates", split.certificates(wanted, self.policy, self.found))

    def look(self, challenge, value, token):
        """What an outsider finds for a challenge."""
        return None if value in self.away else self.published.get((challenge, value))

    def now(self):
        return self.clock.now + self.wrong if self.trusted else None

    def records(self):
        """identifiers -> journal.Record"""
        found = {}
        for r in self.device.journal.records():
            found[r.identifiers_text.text()] = r
        return found

    def record(self, text):
        return self.records()[text]

    def step(self):
        """Carry out one action, unless it is a WAIT: then it is returned unanswered."""
        it = self.device.next(self.now())
        if it.kind == action.WAIT:
            return it
        if self.cut is not None:
            self.cut -= 1
            if self.cut < 0 and not self.late:
                raise PowerCut
        self.steps += 1
        self._carry_out(it)
        machine = self.device._scheduler.machine
        if machine is not None:
            self.failure = machine.failure
        return None

    def _carry_out(self, it):
        error = self.fail.pop(it.kind, None)
        if error is not None:
            self.device.failed(it.number, error)
            return
        try:
            answer = self._act(it)
        except Error as e:
            self.device.failed(it.number, e)
            return
        if self.cut is not None and self.cut < 0:
            raise PowerCut
        if answer is not None:
            self.device.response(it.number, *answer)
        else:
            self.device.done(it.number)

    def _act(self, it):
        kind = it.kind
        if kind == action.SEND:
            return self._send(it)
        if kind == action.WRITE:
            self.store.write(it.name, bytes(memoryview(it.body)[: it.size]))
        elif kind == action.ERASE:
            self.store.erase(it.name)
        elif kind == action.PUBLISH:
            self.published[(it.challenge, it.subject)] = it.text
        elif kind == action.WITHDRAW:
            self.published.pop((it.challenge, it.subject), None)  # a publication that failed is withdrawn too
        elif kind == action.DEPLOY:
            self.deployed[it.record.identifiers_text.text()] = (bytes(it.key), bytes(it.chain))
        elif kind == action.NOTIFY:
            self.notices.append((it.notice, it.subject, it.text))
        return None

    def _send(self, it):
        body = bytes(memoryview(it.body)[: it.size]) if it.method == "POST" else b""
        return self.ca.request(it.method, it.url, body)

    def run(self, until=None, most=20000):
        """Go on until nothing is in flight and nothing is planned up to the world's second `until`; the WAIT."""
        for _ in range(most):
            it = self.step()
            if it is None:
                continue
            if it.until is None:
                return it
            wait = it.until - self.wrong
            if not it.busy and (until is None or wait > until):
                if until is not None:
                    self.clock.now = max(self.clock.now, until)
                return it
            self.clock.now = max(self.clock.now, wait)
            self.device.done(it.number)
        raise AssertionError("the device did not come to rest")

    def sleep(self, seconds):
        """Off for a while, then on again."""
        self.clock.now += seconds
        self.boot()

    def told(self, number):
        """Subjects of the notices with this number."""
        return [subject for n, subject, text in self.notices if n == number]


def cryptolib_aes():
    """MicroPython's `aes`, or the shim's on CPython; None where this build has no CTR."""
    if sys.implementation.name == "micropython":
        import cryptolib

        try:
            cryptolib.aes(bytes(32), 6, bytes(16))
        except ValueError:
            return None
        return cryptolib.aes
    from ucryptolib_shim import aes

    return aes


__all__ = ("Error", "Home", "NAME", "LocalError", "PowerCut", "START", "RemoteError", "V4", "V6")
