"""One home device on the real CPython port, with a clock that can be moved, before a real CA."""

import time
import types

from ipcert import identifiers, policy, split
from ipcert.device import Device
from ipcert_port.cli.progress import Quiet
from ipcert_port.deploy.folders import Deployer
from ipcert_port.port import drive
from ipcert_port.port.clock import Clock
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.net import Net
from ipcert_port.port.port import Port
from ipcert_port.port.sign import Signer
from ipcert_port.solvers.dispatch import Solvers
from tests.interop import ledger


class MovedClock(Clock):
    """The machine's clock, `ahead` seconds ahead. Its `sleep` moves it instead of waiting."""

    def __init__(self):
        super().__init__()
        self.ahead = 0

    def now(self):
        return super().now() + int(self.ahead)

    def trustworthy(self):
        return True

    def monotonic(self):
        return 0

    def sleep(self, seconds):
        self.ahead += max(seconds, 0.2)
        time.sleep(0.05)  # the CA's own time is not moved: it may be validating


class Home:
    """`ids`: texts; `directory`, `roots`: the CA's; `options`: of `policy.Policy`. The state is in `folder`.

    `answers` maps what a configuration says about challenges: listen, webroot, alpn_listen, alpn_shared, dns.
    """

    def __init__(self, folder, ids, directory, roots, answers, **options):
        options = {"test_ca": True, "agree_terms": True, "urgent": "both", "first_delay": 0, **options}
        self.ids = [identifiers.parse(text) for text in ids]
        self.clock = MovedClock()
        self.progress = Quiet()
        self.warnings = []
        self.progress.warn = self.warnings.append
        self.net = Net(roots, "ipcert/test")
        entropy = Entropy()
        self.port = Port(str(folder / "state"), Signer(entropy), entropy)
        self.deployer = Deployer(str(folder / "live"))
        self.policy = policy.Policy(**options)
        self.device = Device(self.port, self.policy, split.certificates(self.ids, self.policy), directory)
        self.answers = Solvers(answers, self.warnings.append)
        self.drive = drive.Drive(
            self.device, self.net, self.port.store, self.clock, self.answers, self.deployer, self.progress
        )

    def run(self):
        """Everything that is due; returns the error of the last failure, or None. Pauses take no time."""
        self.device.last_error = None
        saved, drive.time = drive.time, self.clock
        try:
            self.drive.run()
        finally:
            drive.time = saved
            self.drive.close()
            ledger.note(self.device, self.port)
        return self.device.last_error

    def until(self, second):
        """Go to a core second, to whatever comes due before it on the way, and run."""
        error = self.run()
        while True:
            soonest = self.device.next(self.clock.now())
            if soonest.until is None or soonest.until > second:
                self.clock.ahead += second - self.clock.now()
                return error
            self.clock.ahead += max(soonest.until - self.clock.now(), 0)
            self.device.done(soonest.number)
            error = self.run() or error

    def everything(self):
        """Run until every lineage has a certificate; returns the last error, or None."""
        error = self.run()
        for _ in range(2 * len(self.ids)):
            missing = [r.planned_at for r in self.records if not r.file_id]
            if not missing or error is not None:
                break
            error = self.until(min(missing))
        return error

    @property
    def records(self):
        return self.device.journal.records()

    @property
    def record(self):
        """The only one."""
        (one,) = self.records
        return one

    def chain(self, record=None):
        """The live chain as PEM bytes."""
        return self.port.store.read("chain-%d" % (record or self.record).file_id)

    def told(self):
        """The codes of the notices so far."""
        return [code for code, _, _ in self.progress.notices]


def answers(ca, **more):
    """What a configuration says, for a CA that validates on `ca`'s ports."""
    ours = {
        "listen": [("127.0.0.1", ca.http_port), ("::1", ca.http_port)],
        "webroot": None,
        "alpn_listen": [("127.0.0.1", ca.tls_port), ("::1", ca.tls_port)],
        "alpn_shared": None,
        "dns": None,
    }
    return types.SimpleNamespace(**{**ours, **more})


def home(ca, folder, ids, directory=None, **options):
    """A `Home` before a running `Pebble` (or another CA with its ports, at `directory`)."""
    more = options.pop("answers", {})
    return Home(folder, ids, directory or ca.directory_url, ca.tls_root, answers(ca, **more), **options)
