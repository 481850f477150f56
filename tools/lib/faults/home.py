"""A device on a simulated disk before the virtual CA: it is driven by hand, second by second."""

import hashlib

from ipcert import action, identifiers, policy, split
from ipcert.device import Device
from ipcert.errors import Error
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.sign import Signer
from tools.lib.faults import ca as _ca
from tools.lib.faults import disk as _disk

START = 220838400  # 2027-01-01 UTC, core time
ID = b"device-1"


class Counter:
    """A monotonic counter beside the medium, as a secure element has one."""

    def __init__(self, value=0):
        self.value = value

    def read(self):
        return self.value

    def raise_to(self, n):
        self.value = max(self.value, n)


class Port:
    """What `ipcert.device.Device` asks for, over a store. `secret` and `aes` seal the keys."""

    def __init__(self, store, secret=None, aes=None, number=ID, counter=None):
        self.counter = counter
        self.entropy = Entropy()
        self.signer = Signer(self.entropy)
        self.store = store
        self.secret = secret
        self.aes = aes
        self._number = number
        self.read = store.read
        self.names = store.names

    def device_id(self):
        return self._number

    @staticmethod
    def sha256(buf, start, end, out, off):
        out[off : off + 32] = hashlib.sha256(memoryview(buf)[start:end]).digest()
        return off + 32


class Stuck(Exception):
    """The device does not come to rest."""


class Home:
    """One boot of one device.

    now        core second, moved by `run` and by hand; None: the clock is not trusted
    watch      called as watch(stage, action) with "send", "answer", "write", "written"
    deployed   identifiers text -> (key, chain) as the device handed them over; notices: what it told
    before     None, or a function (action) -> answer, Error, or None to ask the CA
    after      None, or a function (action, answer) -> answer or Error: the CA was asked already
    """

    def __init__(
        self, disk, ca, ids, now=START, watch=None, published=None, port=None, url=_ca.DIRECTORY, **options
    ):
        options = {"test_ca": True, "agree_terms": True, "urgent": "both", "first_delay": 0, **options}
        self.disk = disk
        self.ca = ca
        self.now = now
        self.watch = watch
        self.published = ca.published if published is None else published
        self.deployed = {}
        self.notices = []
        self.before = self.after = None
        self.sent = 0
        with _disk.On(disk) as on:
            self.store = on.store()
            self.port = Port(self.store) if port is None else port(self.store)
            self.ids = [identifiers.parse(text) for text in ids]
            self.policy = policy.Policy(**options)
            self.device = Device(self.port, self.policy, split.certificates(self.ids, self.policy), url)

    @property
    def records(self):
        return self.device.journal.records()

    def record(self, text):
        return [r for r in self.records if r.identifiers_text.text() == text][0]

    def run(self, until=None, most=5000):
        """Carry out what is due now, and what comes due up to second `until`; returns the second of the next plan."""
        with _disk.On(self.disk):
            for _ in range(most):
                it = self.device.next(self.now)
                if it.kind == action.WAIT and not it.busy:
                    if self.now is not None and (it.until is None or it.until <= self.now):
                        self.device.done(it.number)  # the time came while nobody ran it
                        continue
                    if until is None or it.until is None or it.until > until:
                        if until is not None and self.now is not None:
                            self.now = max(self.now, until)
                        return it.until
                    self.now = max(self.now, it.until)
                    self.device.done(it.number)
                    continue
                self._one(it)
        raise Stuck("still busy after %d actions, at %s" % (most, self.device.state))

    def _tell(self, stage, it):
        if self.watch is not None:
            self.watch(stage, it)

    def _one(self, it):
        kind = it.kind
        if kind == action.WAIT:
            self.now = max(self.now, it.until)
        elif kind == action.SEND:
            return self._send(it)
        elif kind == action.PUBLISH:
            self.published[it.token] = it.text
        elif kind == action.WITHDRAW:
            self.published.pop(it.token, None)
        elif kind == action.WRITE:
            self._tell("write", it)
            self.store.write(it.name, memoryview(it.body)[: it.size])
            self._tell("written", it)
        elif kind == action.ERASE:
            self._tell("erase", it)
            self.store.erase(it.name)
            self._tell("erased", it)
        elif kind == action.DEPLOY:
            self.deployed[it.record.identifiers_text.text()] = (bytes(it.key), bytes(it.chain))
        elif kind == action.NOTIFY:
            self.notices.append((it.notice, it.subject, it.text))
        self.device.done(it.number)

    def _send(self, it):
        self._tell("send", it)
        self.sent += 1
        self.now += 1
        answer = self.before(it) if self.before is not None else None
        if answer is None:
            answer = self.ca.exchange(self.now, it.method, it.url, {}, bytes(it.body[: it.size]))
            self._tell("answer", it)
            if self.after is not None:
                answer = self.after(it, answer)
        if isinstance(answer, Error):
            self.device.failed(it.number, answer)
        else:
            self.device.response(it.number, *answer)
