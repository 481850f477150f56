"""The home's public addresses where the owner did not write them down: addresses = ["ipv4"] or ["ipv6"].

From this machine's interfaces; behind NAT from the router; or from a program of the owner's. No service on the
Internet is asked. What was found stands in the journal, and stays where nothing else is found.
"""

from __future__ import annotations

import select

from ipcert import identifiers, limits, presence
from ipcert.errors import LocalError

from . import child

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..config.reader import Config
    from ..port.state import State
    from .interfaces import Own

FAMILIES = {"ipv4": 4, "ipv6": 6}
_EVERY = limits.MINUTE  # between looks where nobody tells of a change
_CHANGES, _WITHIN = (
    3,
    10 * limits.MINUTE,
)  # so many are acted on in that time: a router that flaps costs a process now and then
_SECONDS = 20  # for the owner's program

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
    every        seconds between two answers that count against an address (`ipcert.presence`)
    """

    def __init__(
        self,
        families: Sequence[int],
        source: str,
        names: Sequence[str],
        command: Sequence[str],
        test: bool,
        every: int = limits.DOUBT_EVERY,
    ) -> None:
        self.families = families
        self.source = source
        self.interfaces = names
        self.command = command
        self.test = test
        self.every = every

    def fields(self) -> tuple[Any, ...]:
        """What it is made of, for another process."""
        return (
            tuple(self.families),
            self.source,
            tuple(self.interfaces),
            tuple(self.command),
            self.test,
            self.every,
        )

    def fits(self, raw: bytes) -> bool:
        """True for an address that may be ordered for."""
        return self.test or identifiers.scope(raw) == "public"

    def find(self, family: int, known: Sequence[str] = ()) -> tuple[str | None, str]:
        """(the address as text or None, a sentence that says why not and what to do); `known` as in `look`."""
        return self.look(family, known)[:2]

    def look(self, family: int, known: Sequence[str] = ()) -> tuple[str | None, str, int]:
        """(the address as text or None, a sentence that says why not and what to do, the evidence as `ipcert.presence` has it).

        An address of `known` (texts) is kept where it is still there.
        """
        if self.source == "command":
            return (*self._printed(family), presence.ANSWERED)
        everything = self._everything(family)
        here = [one.raw for one in everything if not one.trouble]
        text, why = self._interfaces(here, known)
        if text is not None:
            # One that is only deprecated is not gone: who sends router advertisements can do that in a second (RFC 4862 5.5.3).
            there = [identifiers.format_ip(one.raw) for one in everything]
            stays = [one for one in known if one != text and one in there]
            return text, why, presence.ANSWERED if stays else presence.INTERFACE
        if family == 4 and self.source in ("auto", "router"):
            return (*self._routers(here), presence.ANSWERED)
        return None, _none(family, _only(here)), presence.ANSWERED

    def _interfaces(self, here: Sequence[bytes], known: Sequence[str]) -> tuple[str | None, str]:
        good = [raw for raw in here if self.fits(raw)]
        texts = [identifiers.format_ip(raw) for raw in good]
        for text in known:
            if text in texts:
                return text, ""
        if good:
            # One that was not made from the network card's number, where there is a choice.
            return min(texts, key=lambda text: (identifiers.parse(text).eui64, text)), ""
        return None, ""

    def polls(self, family: int) -> bool:
        """True where a change is not told by the kernel."""
        if self.source != "auto":
            return self.source != "interface"
        return family == 4 and not [
            one for one in self._everything(4) if not one.trouble and self.fits(one.raw)
        ]

    def _everything(self, family: int) -> list[Own]:
        # The `interfaces.Own`s of a family, those with a trouble too.
        if self.source == "router":
            return []
        from . import interfaces

        try:
            found = interfaces.read()
        except OSError:
            return []
        size = 4 if family == 4 else 16
        return [
            one
            for one in found
            if len(one.raw) == size and (not self.interfaces or one.name in self.interfaces)
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
            out = child.run(self.command, _SECONDS).decode("ascii", "replace").split()
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
            config.evidence[family] = presence.KEPT
        if look is None or had and not look:
            continue
        text, why, evidence = config.address.look(family, had)
        if text is not None:
            config.found[family] = text
            config.evidence[family] = evidence
        elif state.records():
            warn(why + (" %s stays meanwhile." % had[0] if had else ""))
        else:
            raise LocalError("address", why)


def known(state: State, family: int) -> list[str]:
    """The addresses of a family that the journal has in service, the latest first, and those that are doubted last."""
    out = []
    for record in sorted(state.records(), key=lambda r: (r.doubted_at != 0, -r.created_at)):
        for text in record.identifiers_text.text().split(","):
            if identifiers.parse(text).family == family:
                out.append(text)
    return out


def doubted(state: State, family: int) -> dict[str, int]:
    """{text: when an answer counted against it last} of the addresses of a family that are doubted."""
    out = {}
    for record in state.records():
        if record.doubted_at:
            for text in record.identifiers_text.text().split(","):
                if identifiers.parse(text).family == family:
                    out[text] = record.doubted_at
    return out


class Watch:
    """For the daemon: notices what the core has to hear of an address. `fields`: of `Options`.

    at    core second of the next look; limits.NEVER where the kernel tells of every change
    """

    def __init__(self, fields: tuple[Any, ...]) -> None:
        self._options = Options(*fields)
        self._socket: socket.socket | None = None
        self._trouble: dict[int, str] = {}
        self._acted: list[int] = []  # when the last changes were acted on
        self._confirm_at: dict[
            int, int
        ] = {}  # family -> no earlier, since what is doubted was found in between
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
        """True when the core is to be told: of an address that is not the one in service; of one that was doubted and is back;
        and once an hour of one that is still found in the place of another one. Three changes are acted on in ten minutes.

        `state()` reads the journal (a `state.State`); `say(sentence)` where there is no address at all. Raises Error for
        damaged state.
        """
        if self._socket is not None and select.select([self._socket], [], [], 0)[0]:
            self._drain(self._socket)
        elif now < self.at:
            return False
        new = confirm = False
        soonest = limits.NEVER
        journal = state()
        for family in self._options.families:
            had = known(journal, family)
            doubts = doubted(journal, family)
            text, why = self._options.find(family, had)
            if text is None and why != self._trouble.get(family, why):
                say(why)
            self._trouble[family] = why
            if text is None:
                continue
            new = new or text not in had or text in doubts
            if text in doubts:
                self._confirm_at[family] = now + self._options.every
            others = [doubts[one] for one in doubts if one != text]
            if others:
                due = max(max(others) + self._options.every, self._confirm_at.get(family, 0))
                confirm = confirm or due <= now
                soonest = min(soonest, due if due > now else now + self._options.every)
        self._acted = [second for second in self._acted if now - _WITHIN < second <= now]
        if new and len(self._acted) >= _CHANGES:
            new = False
            soonest = min(soonest, self._acted[0] + _WITHIN)
        if new:
            self._acted.append(now)
        polls = self._socket is None or [f for f in self._options.families if self._options.polls(f)]
        self.at = now + _EVERY if polls else soonest
        return new or confirm

    def close(self) -> None:
        """Let go of the kernel."""
        if self._socket is not None:
            self._socket.close()
