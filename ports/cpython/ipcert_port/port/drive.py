"""Carries out what the core intends, one action at a time. It waits for things; it decides nothing."""

from __future__ import annotations

import time

from ipcert import action
from ipcert.errors import Error, LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ipcert.action import Action
    from ipcert.device import Device

    from ..cli.progress import Quiet
    from ..deploy.folders import Deployer
    from ..solvers.dispatch import Solvers
    from .clock import Clock
    from .net import Net, Response
    from .store import Store


class Drive:
    """One device with what it needs of this machine. Each is an object of the module of that name:

    net, store, clock; answers (`challenges.Challenges`), deployer (`deploy.Deployer`), progress (`progress`).
    """

    def __init__(
        self,
        device: Device,
        net: Net | None,
        store: Store,
        clock: Clock,
        answers: Solvers,
        deployer: Deployer,
        progress: Quiet,
    ) -> None:
        self.device = device
        self.net = net
        self.store = store
        self.clock = clock
        self.answers = answers
        self.deployer = deployer
        self.progress = progress

    def step(self, stop: Callable[[Action], bool] | None = None) -> bool:
        """Carry out one action and answer it. False, unanswered, when nothing is in flight, or `stop(action)`.

        Raises Error when the state cannot be written: nothing may go on then.
        """
        device = self.device
        started = time.monotonic()
        now = self.clock.now() if self.clock.trustworthy() else None
        it = device.next(now)
        if stop is not None and stop(it):
            return False
        kind = it.kind
        self.progress.step(device, it, now)
        if kind == action.WAIT:
            if not it.busy:
                # Hours may pass: a connection kept until then only costs memory, and may hold what nobody asked for.
                if self.net is not None:
                    self.net.close()
                return False
            # A pause that the CA asked for is kept whole, also when it began in the middle of a second.
            if it.until is None or now is None:
                raise LocalError("clock", "The core wants to wait without a clock; report this.")
            time.sleep(max(0, it.until - now - (time.monotonic() - started)))
        elif kind == action.WRITE:
            self.store.write(it.name, memoryview(it.body)[: it.size])
        elif kind == action.ERASE:
            self.store.erase(it.name)
        elif kind == action.NOTIFY:
            self.progress.notice(it.notice, it.subject, it.text)
        else:
            return self._outside(it)
        device.done(it.number)
        return True

    def _outside(self, it: Action) -> bool:
        """What may fail without the state being in danger."""
        answer = None
        try:
            if it.kind == action.SEND:
                answer = self._send(it)
            elif it.kind == action.PUBLISH:
                self.answers.publish(it)
            elif it.kind == action.WITHDRAW:
                self.answers.withdraw(it)
            elif it.kind == action.DEPLOY:
                self.deployer.deploy(it.record, it.key, it.chain)  # type: ignore[arg-type]  # a DEPLOY has one
            else:
                raise LocalError("state", "The core wants something this port does not know; report this.")
        except Error as e:
            if (
                it.kind == action.WITHDRAW
            ):  # a challenge that stays is harmless, and the core takes no for no answer
                self.progress.warn(str(e))
                self.device.done(it.number)
            else:
                self.device.failed(it.number, e)
            return True
        if answer is not None:
            self.device.response(it.number, answer.status, answer.headers, answer.body)
        else:
            self.device.done(it.number)
        return True

    def _send(self, it: Action) -> Response:
        if self.net is None:
            raise LocalError("state", "A command that sends nothing was to send something; report this.")
        headers = {}
        if it.accept:
            headers["Accept"] = it.accept
        if it.method != "POST":
            return self.net.request(it.method, it.url, headers)
        headers["Content-Type"] = "application/jose+json"
        return self.net.request("POST", it.url, headers, memoryview(it.body)[: it.size])

    def run(self, stop: Callable[[Action], bool] | None = None) -> int | None:
        """Steps until nothing is in flight; returns the second of the next plan, or None for an untrusted clock."""
        while self.step(stop):
            continue
        # Asking again is free: an action stays the same until it is answered.
        return self.device.next(self.clock.now() if self.clock.trustworthy() else None).until

    def close(self) -> None:
        """Let go of the network and of port 80."""
        self.answers.close()
        if self.net is not None:
            self.net.close()
