"""Carries out what the core intends, as one coroutine. It waits for things; it decides nothing."""

import asyncio

from ipcert import action, notices
from ipcert.errors import Error, LocalError

_SLICE = 3600  # seconds: longer sleeps overflow the tick counter of some boards


class Drive:
    """One device with what it needs of this board: net, store, clock and responder are objects of those modules.

    on_notice(code, severity, text)   called for each notice
    on_deploy(identifiers, key, chain)   called with a new certificate: text, PKCS#8 DER, PEM chain; both empty when the
                                      certificate is to be taken down. Must change nothing when called again
                                      with the same. An Error that it raises is reported, and the rest goes on.
    """

    def __init__(self, device, net, store, clock, responder, on_notice, on_deploy):
        self.device = device
        self._net = net
        self._store = store
        self._clock = clock
        self._responder = responder
        self._on_notice = on_notice
        self._on_deploy = on_deploy
        self._wake = asyncio.Event()
        self.solvers = {}  # challenge type -> what answers it; http-01 is the responder's

    def event(self, kind, value):
        """Hand an event to the device (`Device.event`) and end a wait that is under way."""
        self.device.event(kind, value)
        self._wake.set()

    def now(self):
        """Core seconds, or None while the clock cannot be trusted."""
        return self._clock.now() if self._clock.trustworthy() else None

    async def run(self, stop=None):
        """Carry out actions for ever, or until `stop(action)` is true for a wait with nothing in flight.

        Raises Error when the state cannot be written: nothing may go on then.
        """
        while await self.step(stop):
            pass

    async def step(self, stop=None):
        """Carry out one action; False, unanswered, where `stop` says so."""
        device = self.device
        it = device.next(self.now())
        number = it.number
        kind = it.kind
        if kind == action.WAIT:
            if not it.busy:
                # Days may pass: a connection kept until then holds 33 KB, and may hold what nobody asked for.
                self._net.close()
                if stop is not None and stop(it):
                    return False
            await self._wait(it.until)
        elif kind == action.WRITE:
            self._store.write(it.name, memoryview(it.body)[: it.size])
        elif kind == action.ERASE:
            self._store.erase(it.name)
        elif kind == action.NOTIFY:
            self._on_notice(
                notices.code(it.notice),
                notices.SEVERITY[notices.severity(it.notice)],
                notices.text(it.notice, it.subject, it.text),
            )
        else:
            await self._outside(it, number)
            return True
        device.done(number)
        return True

    async def _wait(self, until):
        self._wake.clear()
        while True:
            now = self.now()
            if until is None:
                if now is not None:
                    return
                pause = 1
            else:
                if now is None or now >= until:
                    return
                pause = min(until - now, _SLICE)
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
                return
            except asyncio.TimeoutError:
                pass

    async def _outside(self, it, number):
        answer = None
        try:
            if it.kind == action.SEND:
                answer = await self._send(it)
            elif it.kind == action.PUBLISH:
                await self._publish(it)
            elif it.kind == action.WITHDRAW:
                await self._withdraw(it)
            elif it.kind == action.DEPLOY:
                self._on_deploy(it.record.identifiers_text.text(), it.key, it.chain)
            else:
                raise LocalError("state", "The core wants something this port does not know; report this.")
        except Error as e:
            self.device.failed(number, e)
            return
        if answer is None:
            self.device.done(number)
        else:
            self.device.response(number, answer.status, answer.headers, answer.body)

    async def _publish(self, it):
        if it.challenge == "http-01":
            self._responder.publish(it.token, it.text)
        elif it.challenge in self.solvers:
            await self.solvers[it.challenge].publish(it)
        else:
            raise LocalError(
                "challenge", "This firmware does not answer %s; choose another challenge." % it.challenge
            )

    async def _withdraw(self, it):
        if it.challenge == "http-01":
            self._responder.withdraw(it.token)
        elif it.challenge in self.solvers:
            try:
                await self.solvers[it.challenge].withdraw(it)
            except Error:
                pass  # a record that stays is harmless

    async def _send(self, it):
        headers = {}
        if it.accept:
            headers["Accept"] = it.accept
        body = None
        if it.method == "POST":
            headers["Content-Type"] = "application/jose+json"
            body = memoryview(it.body)[: it.size]
        return await self._net.arequest(it.method, it.url, headers, body)
