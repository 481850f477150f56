"""Puts device, drive and this machine's parts together for one command."""

from __future__ import annotations

from ipcert import action
from ipcert.device import Device
from ipcert.errors import LocalError
from ipcert.journal import Slots

from .deploy.folders import Deployer
from .port import lock
from .port.clock import Clock
from .port.port import Port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipcert.action import Action

    from .cli.progress import Quiet
    from .config.reader import Config
    from .port.net import Net
    from .solvers.dispatch import Solvers


class Session:
    """Everything that a command needs to act on the state, under its lock. A context manager.

    `patient` waits for another process that acts on it. With `orders` False nothing can be signed or sent, and the
    libraries for that are not loaded. device, drive, port, clock, deployer, net (None without orders).
    """

    def __init__(self, config: Config, progress: Quiet, patient: bool = False, orders: bool = True) -> None:
        self.config = config
        self.clock = Clock()
        self.net: Net | None = None
        self.answers: Solvers | None = None
        self.port = Port(config.state)
        self._lock = lock.Lock(config.state, patient=patient)
        try:
            self._make(config, progress, orders)
        except BaseException:
            self._lock.close()
            raise

    def _make(self, config: Config, progress: Quiet, orders: bool) -> None:
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
        self.device = Device(
            self.port,  # type: ignore[arg-type]  # its signer is None only where nothing is ordered
            config.policy,
            config.certificates(),
            config.directory,
        )
        self.clock.floor = max(self.clock.floor, self.device.journal.clock_floor)
        from .port.drive import Drive
        from .solvers import dispatch

        answers = self.answers = dispatch.Solvers(config, progress.warn)
        self.drive = Drive(
            self.device, self.net, self.port.store, self.clock, answers, self.deployer, progress
        )

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *what: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the network, of port 80 and of the lock."""
        if self.answers is not None:
            self.answers.close()
        if self.net is not None:
            self.net.close()
        self._lock.close()

    def settle(self) -> None:
        """Match the state with the configuration, make missing plans, and have all of it on the disk.

        For a state that has something to settle: it ends with the journal's write, before any order begins. Raises
        LocalError("clock") while the clock cannot be trusted.
        """
        if not self.clock.trustworthy():
            raise clock_error()
        seen: list[bool] = []

        def look(it: Action) -> bool:
            seen[:] = [it.kind == action.WRITE and it.name in Slots.NAMES]
            return False

        while self.drive.step(look) and not seen[0]:
            continue


def clock_error() -> LocalError:
    """What to say when time cannot be trusted."""
    return LocalError(
        "clock", "The clock cannot be trusted yet; set it (for example with NTP) and run this again."
    )


def readable(roots: str | None) -> None:
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
