"""The home's public addresses where the owner did not write them down: addresses = ["ipv4"] or ["ipv6"].

From this machine's interfaces; behind NAT from the router; or from a program of the owner's. No service on the
Internet is asked. What was found stands in the journal, and stays where nothing else is found.
"""

from __future__ import annotations

import os
import select
import signal
import time

from ipcert import identifiers, limits
from ipcert.errors import LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..config.reader import Config
    from ..port.state import State

FAMILIES = {"ipv4": 4, "ipv6": 6}
_EVERY = limits.MINUTE  # between looks where nobody tells of a change
_SECONDS = 20  # for the owner's program
_PRINTED = 4096  # bytes it may print

_NONE = "No public %s address was found: %s. %s"
_DO = {
    4: "Switch on UPnP or NAT-PMP in the router, set address.command, or write the address itself in identifiers.addresses.",
    6: "See that provider and router give this machine one, or certify another identifier.",
}
_WITHOUT = (
    "The router has no public IPv4 address of its own: it stands behind carrier-grade NAT (RFC 6598) or another router, or "
    "its line is down. Ask the provider for a public IPv4 address, or use ipv6."
)
_TWICE = (
    "The router's own address is %s, which is private: another router stands before it. Make one of the two a bridge, "
    "or set address.command."
)


class Options:
    """What [address] says. `families`: those of identifiers.addresses to be found; test: a test CA takes any address.

    source       "auto" | "interface" | "router" | "command"; interfaces: names, none for all; command: an argument list
    """

    def __init__(
        self, families: Sequence[int], source: str, names: Sequence[str], command: Sequence[str], test: bool
    ) -> None:
        self.families = families
        self.source = source
        self.interfaces = names
        self.command = command
        self.test = test

    def fields(self) -> tuple[Any, ...]:
        """What it is made of, for another process."""
        return tuple(self.families), self.source, tuple(self.interfaces), tuple(self.command), self.test

    def fits(self, raw: bytes) -> bool:
        """True for an address that may be ordered for."""
        return self.test or identifiers.scope(raw) == "public"

    def find(self, family: int, known: Sequence[str] = ()) -> tuple[str | None, str]:
        """(the address as text or None, a sentence that says why not and what to do).

        An address of `known` (texts) is kept where it is still there.
        """
        if self.source == "command":
            return self._printed(family)
        here = self._here(family)
        good = [raw for raw in here if self.fits(raw)]
        texts = [identifiers.format_ip(raw) for raw in good]
        for text in known:
            if text in texts:
                return text, ""
        if good:
            # One that was not made from the network card's number, where there is a choice.
            return min(texts, key=lambda text: (identifiers.parse(text).eui64, text)), ""
        if family == 4 and self.source in ("auto", "router"):
            return self._routers(here)
        return None, _none(family, _only(here))

    def polls(self, family: int) -> bool:
        """True where a change is not told by the kernel."""
        if self.source != "auto":
            return self.source != "interface"
        return family == 4 and not [raw for raw in self._here(4) if self.fits(raw)]

    def _here(self, family: int) -> list[bytes]:
        if self.source == "router":
            return []
        from . import interfaces

        try:
            found = interfaces.read()
        except OSError:
            return []
        size = 4 if family == 4 else 16
        return [
            one.raw
            for one in found
            if len(one.raw) == size
            and not one.trouble
            and (not self.interfaces or one.name in self.interfaces)
        ]

    def _routers(self, here: Sequence[bytes]) -> tuple[str | None, str]:
        from . import router

        raw = router.address()
        if raw is None:
            return None, _none(4, _only(here) + ", and the router does not say its own")
        if not raw:
            return None, _WITHOUT
        if identifiers.scope(raw) == "private" and not self.test:
            return None, _TWICE % identifiers.format_ip(raw)
        return self._checked(raw, "The router's own address ")

    def _printed(self, family: int) -> tuple[str | None, str]:
        try:
            out = _run(self.command).decode("ascii", "replace").split()
        except OSError as e:
            return None, _none(family, "%s failed (%s)" % (self.command[0], (e.strerror or str(e)).lower()))
        for text in out:
            try:
                found = identifiers.parse(text)
            except LocalError:
                continue
            if found.family == family:
                return self._checked(found.raw, "What %s printed, " % self.command[0])
        return None, _none(family, "%s printed none" % self.command[0])

    def _checked(self, raw: bytes, who: str) -> tuple[str | None, str]:
        try:
            one = identifiers.parse(identifiers.format_ip(raw))
            identifiers.check_public(one, self.test)
        except LocalError as e:
            return None, who + str(e)
        return one.value, ""


def _none(family: int, why: str) -> str:
    return _NONE % ({4: "IPv4", 6: "IPv6"}[family], why, _DO[family])


def _only(here: Sequence[bytes]) -> str:
    if not here:
        return "this machine has none"
    return "this machine has only " + ", ".join([identifiers.format_ip(raw) for raw in here[:4]])


def settle(config: Config, look: bool | None, warn: Callable[[str], object]) -> None:
    """Put the addresses that were asked for into `config`.

    look    True: find them anew; False: where the journal has none; None: never
    warn    called with a sentence where none is found and an earlier one is kept

    Where there never was a certificate, an address that is not found raises LocalError("address"): the name's certificate
    must not take its place as the first one.
    """
    from ..port.state import State

    if not config.address.families:
        return
    state = State(config.state)
    for family in config.address.families:
        had = known(state, family)
        if had:
            config.found[family] = had[0]
        if look is None or had and not look:
            continue
        text, why = config.address.find(family, had)
        if text is not None:
            config.found[family] = text
        elif state.records():
            warn(why + (" %s stays meanwhile." % had[0] if had else ""))
        else:
            raise LocalError("address", why)


def known(state: State, family: int) -> list[str]:
    """The addresses of a family that the journal has in service, the latest first."""
    out = []
    for record in sorted(state.records(), key=lambda r: -r.created_at):
        for text in record.identifiers_text.text().split(","):
            if identifiers.parse(text).family == family:
                out.append(text)
    return out


class Watch:
    """For the daemon: notices that an address is another one. `fields`: of `Options`.

    at    core second of the next look; limits.NEVER where the kernel tells of every change
    """

    def __init__(self, fields: tuple[Any, ...]) -> None:
        self._options = Options(*fields)
        self._socket: socket.socket | None = None
        self._trouble: dict[int, str] = {}
        self.at = 0
        from . import interfaces

        self._drain = interfaces.drain
        try:
            self._socket = interfaces.watch()
        except OSError:
            pass  # then it looks by itself

    def fds(self) -> list[int]:
        """What to wait for."""
        return [] if self._socket is None else [self._socket.fileno()]

    def changed(self, now: int, state: Callable[[], State], say: Callable[[str], object]) -> bool:
        """True when there is an address that the journal does not have. `state()` reads it (a `state.State`);
        `say(sentence)` where there is no address at all. Raises Error for damaged state.
        """
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self._drain(self._socket)
        elif now < self.at:
            return False
        new = False
        journal = state()
        for family in self._options.families:
            had = known(journal, family)
            text, why = self._options.find(family, had)
            if text is None and why != self._trouble.get(family, why):
                say(why)
            self._trouble[family] = why
            new = new or text is not None and text not in had
        polls = self._socket is None or [f for f in self._options.families if self._options.polls(f)]
        self.at = now + _EVERY if polls else limits.NEVER
        return new

    def close(self) -> None:
        """Let go of the kernel."""
        if self._socket is not None:
            self._socket.close()


def _run(command: Sequence[str]) -> bytes:
    """What a program prints, without a shell and without the module subprocess, which the daemon has no room for."""
    read, write = os.pipe()
    with open(read, "rb", 0) as pipe:
        try:
            null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            try:
                actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, write, 1)]
                pid = os.posix_spawnp(
                    command[0], list(command), os.environ, file_actions=actions, setpgroup=0
                )
            finally:
                os.close(null)
        finally:
            os.close(write)
        data = b""
        status = None
        end = time.monotonic() + _SECONDS
        try:
            while len(data) < _PRINTED and select.select([pipe], [], [], max(end - time.monotonic(), 0))[0]:
                piece = pipe.read(_PRINTED)
                if not piece:
                    break
                data += piece
            while status is None and time.monotonic() < end and len(data) < _PRINTED:
                done, code = os.waitpid(pid, os.WNOHANG)
                if done:
                    status = code
                else:
                    time.sleep(0.01)
        finally:
            if status is None:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
    if status is None:
        raise OSError("it took longer than %d seconds, or printed too much" % _SECONDS)
    if status:
        raise OSError("it failed; run it by hand")
    return data
