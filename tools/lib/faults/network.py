"""A device with the real HTTP client before a real Pebble, through the hostile proxy: one fault for each issuance."""

import random
import time

from ipcert import action, limits
from ipcert.errors import Error, LocalError, RemoteError
from ipcert_port.port.net import Net
from ipcert_port.solvers.responder import Responder
from tools.lib.ca import pebble as _pebble
from tools.lib.faults import disk as _disk
from tools.lib.faults import home as _home
from tools.lib.faults import proxy as _proxy

PATIENCE = 2  # seconds for a request that meets a fault; a device has limits.REQUEST_TIME, and without a fault so does this
BOUND = 30  # seconds for an attempt that met a fault
ADDRESS = "127.0.0.1"


class _Published(dict):
    """What the device publishes goes to the port's own responder."""

    def __init__(self, responder):
        super().__init__()
        self._responder = responder

    def __setitem__(self, token, text):
        self._responder.publish(token, text)

    def pop(self, token, default=None):
        self._responder.withdraw(token)

    def __len__(self):
        return len(self._responder.answers)


class Client(_home.Home):
    """`home.Home` that asks over the network. Pauses are short, and count as long as the device meant them.

    disk, ids, now, watch and the options are those of `home.Home`.
    """

    def __init__(self, proxy, responder, disk=None, ids=(ADDRESS,), now=None, watch=None, **options):
        self._root = proxy.root
        self._net = Net(self._root, "ipcert/test", PATIENCE)
        super().__init__(
            _disk.Disk() if disk is None else disk,
            None,
            ids,
            int(time.time()) - limits.EPOCH_UNIX if now is None else now,
            watch,
            _Published(responder),
            url=proxy.directory_url,
            **options,
        )
        self.before = self._request

    def _one(self, it):
        if it.kind == action.WAIT:
            time.sleep(0.05)
        super()._one(it)

    def _request(self, it):
        headers = {"Accept": it.accept} if it.accept else {}
        body = None
        if it.method == "POST":
            headers["Content-Type"] = "application/jose+json"
            body = memoryview(it.body)[: it.size]
        try:
            got = self._net.request(it.method, it.url, headers, body)
        except Error as e:
            return e
        return got.status, got.headers, bytes(got.body)

    def attempt(self, patience=limits.REQUEST_TIME):
        """Order now; returns (issued?, the error or None, seconds). `patience`: seconds for each request."""
        device = self.device
        self._net = Net(self._root, "ipcert/test", patience)
        device.last_error = None
        before = device.issued
        began = time.monotonic()
        self.now = max(self.now, int(time.time()) - limits.EPOCH_UNIX)
        device.event("renew", ADDRESS)
        self.run()
        self.close()  # as both ports' drives do when nothing is in flight
        return device.issued > before, device.last_error, time.monotonic() - began

    def close(self):
        """Let go of the connection; the next request opens another."""
        self._net.close()


class Counts:
    """injected: faults that were met; unrecovered: sentences, one for each that left something broken."""

    def __init__(self):
        self.injected = 0
        self.unrecovered = []


def campaign(places=1, cuts=0, seed=1, progress=None, every=0):
    """Every fault at `places` different answers of an issuance (0: at each), then `cuts` cuts of answers at random bytes.

    every: also cut each answer of a whole issuance at every so many bytes; 0: not. Returns the Counts.
    """
    rng = random.Random(seed)
    counts = Counts()
    with _pebble.Pebble() as pebble, _proxy.Proxy(pebble) as proxy:
        responder = Responder("127.0.0.1", pebble.http_port)
        responder.start()
        client = Client(proxy, responder)
        try:
            flow = _length(client, proxy)
            todo = []
            faults = _proxy.faults()
            for k in range(len(faults)):
                where = range(flow) if not places else rng.sample(range(flow), min(places, flow))
                todo += [(faults[k], at) for at in where]
            for _ in range(cuts):
                at = rng.randrange(flow)
                todo.append((_proxy.Fault("a random cut", _proxy.cut(rng.random())), at))
            if every:
                for at, answer in enumerate(proxy.seen):
                    for byte in range(1, len(answer), every):
                        todo.append((_proxy.Fault("a cut at byte %d" % byte, _proxy.cut(byte)), at))
            for done, (fault, at) in enumerate(todo):
                before = len(counts.unrecovered)
                _one(client, proxy, fault, at, counts)
                if progress is not None:
                    for sentence in counts.unrecovered[before:]:
                        progress(sentence)
                if progress is not None and done % 50 == 49:
                    progress(
                        "%d of %d faults, %d unrecovered" % (done + 1, len(todo), len(counts.unrecovered))
                    )
        finally:
            client.close()
            responder.close()
    return counts


def _length(client, proxy):
    """Issue three times without a fault; how many answers the last one took, with the directory."""
    client.run()
    for _ in range(2):
        client.device.exchange.directory = None
        proxy.arm(None, 0)
        issued, error, _ = client.attempt()
        if not issued:
            raise LocalError("faults", "Nothing is issued even without a fault: %s" % error)
    return len(proxy.seen)


def _one(client, proxy, fault, at, counts):
    def broken(sentence):
        counts.unrecovered.append("%s at answer %d: %s" % (fault.name, at, sentence))

    proxy.arm(fault, at)
    client.device.exchange.directory = None  # so that every answer is met: it is asked for once a day
    gen, account = client.device.journal.account_file_id, client.device.journal.account_url.get()
    issued, error, seconds = client.attempt(PATIENCE)
    if proxy.fired:
        counts.injected += 1
    if not issued and error is None:
        broken("nothing was issued and nothing was said")
    if error is not None and not isinstance(error, RemoteError):
        broken("it is blamed on us: %s" % error)
    if seconds > BOUND:
        broken("it took %d s" % seconds)
    proxy.arm(None, 0)
    issued, error, _ = client.attempt()
    if not issued or error is not None:
        broken("the next attempt: %s" % error)
    journal = client.device.journal
    if (journal.account_file_id, journal.account_url.get()) != (gen, account):
        broken("the account is another one")
    _intact(client, broken)


def _intact(client, broken):
    with _disk.On(client.disk):
        names = [name for name in client.store.names() if name not in ("journal-a", "journal-b", "directory")]
    journal = client.device.journal
    live = ["account-%d" % journal.account_file_id]
    for r in journal.records():
        live += ["chain-%d" % r.file_id, "key-%d" % r.file_id]
    if sorted(names) != sorted(live):
        broken("the state is not tidy: %s" % " ".join(names))
