"""Puts device, drive and this machine's parts together for one command."""

import sys

from ipcert import action, split
from ipcert.device import Device
from ipcert.errors import LocalError
from ipcert.journal import Slots

from . import lock
from .clock import Clock
from .deploy import Deployer
from .port import Port


def user_agent():
    """Names ipcert and its version, and nothing about the device."""
    from ipcert import __version__

    return "ipcert/" + __version__


class Work:
    """Everything that a command needs to act on the state, under its lock. A context manager.

    `patient` waits for another process that acts on it. With `orders` False nothing can be signed or sent, and the
    libraries for that are not loaded. device, drive, port, clock, deployer, net (None without orders).
    """

    def __init__(self, config, progress, patient=False, orders=True):
        self.config = config
        self.clock = Clock()
        self.net = None
        self.answers = None
        self.port = Port(config.state)
        self._lock = lock.Lock(config.state, patient=patient)
        try:
            self._make(config, progress, orders)
        except BaseException:
            self._lock.close()
            raise

    def _make(self, config, progress, orders):
        from .entropy import Entropy

        self.port.entropy = Entropy()
        if orders:
            readable(config.roots)
            from .net import Net
            from .sign import Signer

            self.port.signer = Signer(self.port.entropy)
            self.net = Net(config.roots, user_agent())
        self.deployer = Deployer(
            config.deploy,
            config.hook,
            config.hook_timeout,
            config.group,
            config.server,
            config.server_config,
            config.copy,
        )
        certificates = split.certificates(config.identifiers, config.policy)
        self.device = Device(self.port, config.policy, certificates, config.directory)
        self.clock.floor = max(self.clock.floor, self.device.journal.clock_floor)
        from .challenges import Challenges
        from .drive import Drive

        self.answers = Challenges(config, progress.warn)
        self.drive = Drive(
            self.device, self.net, self.port.store, self.clock, self.answers, self.deployer, progress
        )

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def close(self):
        """Let go of the network, of port 80 and of the lock."""
        if self.answers is not None:
            self.answers.close()
        if self.net is not None:
            self.net.close()
        self._lock.close()

    def settle(self):
        """Match the state with the configuration, make missing plans, and have all of it on the disk.

        For a state that has something to settle: it ends with the journal's write, before any order begins. Raises
        LocalError("clock") while the clock cannot be trusted.
        """
        if not self.clock.trustworthy():
            raise clock_error()
        seen = []

        def look(it):
            seen[:] = [it.kind == action.WRITE and it.name in Slots.NAMES]
            return False

        while self.drive.step(look) and not seen[0]:
            continue


def clock_error():
    """What to say when time cannot be trusted."""
    return LocalError(
        "clock", "The clock cannot be trusted yet; set it (for example with NTP) and run this again."
    )


def readable(roots):
    """Raise LocalError("roots") where the file of roots cannot be read; None stands for the system's."""
    if roots is None:
        return
    try:
        with open(roots, "rb") as file:
            file.read(1)
    except OSError as e:
        raise LocalError(
            "roots",
            "Cannot read the CA's root certificates in %s: %s; see ca.roots." % (roots, e.strerror.lower()),
        ) from None


def certificates(config, state):
    """The live certificates as dicts for --json."""
    from ipcert.errors import RemoteError

    from .show import certificate

    deployer = Deployer(config.deploy)
    out = []
    for r in state.records():
        chain = state.chain(r)
        if chain is None:
            continue
        try:
            out.append(certificate(r, chain, deployer.path(r.identifiers_text.text().split(","))))
        except RemoteError:
            print(
                "ipcert: the chain of %s on the disk is damaged; the next start replaces it."
                % r.identifiers_text.text(),
                file=sys.stderr,
            )
    return out


def groups(config):
    """The identifiers as they share certificates: a list of texts, as in a record's `ids`."""
    return [one.text for one in split.certificates(config.identifiers, config.policy)]


def group_of(config, name):
    """The group, as in `groups`, that a name or address is in. Raises LocalError("config")."""
    from ipcert import identifiers

    from .config import _to_ascii

    value = identifiers.parse(name, _to_ascii).value
    for ids in groups(config):
        if value in ids.split(","):
            return ids
    raise LocalError("config", "%s is not in the configuration; add it there first." % value)
