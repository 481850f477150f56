"""Puts device, drive and this machine's parts together for one command."""

from ipcert import action
from ipcert.device import Device
from ipcert.errors import LocalError
from ipcert.journal import Slots

from .deploy.folders import Deployer
from .port import lock
from .port.clock import Clock
from .port.port import Port


class Session:
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
        from .port.entropy import Entropy

        self.port.entropy = Entropy()
        if orders:
            readable(config.roots)
            from .port import net
            from .port.sign import Signer

            self.port.signer = Signer(self.port.entropy)
            self.net = net.Net(config.roots, net.user_agent())
        self.deployer = Deployer(
            config.deploy,
            config.hook,
            config.hook_timeout,
            config.group,
            config.server,
            config.server_config,
            config.copy,
        )
        self.device = Device(self.port, config.policy, config.certificates(), config.directory)
        self.clock.floor = max(self.clock.floor, self.device.journal.clock_floor)
        from .port.drive import Drive
        from .solvers.dispatch import Solvers

        self.answers = Solvers(config, progress.warn)
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
            "Cannot read the CA's root certificates in %s: %s; see ca.roots."
            % (roots, (e.strerror or str(e)).lower()),
        ) from None
