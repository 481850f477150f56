"""What the person at the terminal, or the log, gets to read while the core works."""

from __future__ import annotations

import sys

from ipcert import action, notices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rich.status import Status

    from ipcert.action import Action
    from ipcert.device import Device

    from ..port.alarm import Alarm

# The steps of `states.STATES` that a person understands.
_WORDS = {
    "directory": "asking the CA what it offers",
    "account": "registering an account",
    "new_order": "ordering",
    "replacement_order": "ordering",
    "authorization": "asking how to prove control",
    "publish": "proving control",
    "answer": "proving control",
    "challenge_wait": "waiting for the CA's validation",
    "challenge_poll": "waiting for the CA's validation",
    "answered_wait": "waiting for the CA's validation",
    "answered_poll": "waiting for the CA's validation",
    "finalize": "sending the certificate request",
    "order_wait": "waiting for the certificate",
    "order_poll": "waiting for the certificate",
    "chain": "fetching the certificate",
    "deploy": "deploying",
}


class Quiet:
    """Keeps what is told and prints nothing: for --json. Warnings still go to stderr.

    notices    list of (code, severity, text), in the order told
    """

    def __init__(self) -> None:
        self.notices: list[tuple[str, str, str]] = []
        self._last: tuple[str, str] | None = None

    def step(self, device: Device, it: Action, now: int | None) -> None:
        """Called before each action is carried out."""
        if it.kind in (action.WRITE, action.ERASE, action.NOTIFY) or it.kind == action.WAIT and not it.busy:
            return
        subject = device.subject
        words = _WORDS.get(device.state)
        if not subject or words is None or it.kind == action.DEPLOY:
            return
        what = (subject, words)
        if what != self._last:
            self._last = what
            self.doing(*what)

    def doing(self, subject: str, words: str) -> None:
        """The order for `subject` reached another step."""

    def notice(self, number: int, subject: str, text: str) -> None:
        """The core has something to tell the owner."""
        sentence = notices.text(number, subject, text)
        severity = notices.severity(number)
        self.notices.append((notices.code(number), notices.SEVERITY[severity], sentence))
        self._last = None
        self.told(number, severity, sentence)

    def told(self, number: int, severity: int, sentence: str) -> None:
        """Print a notice, or not."""

    def warn(self, sentence: str) -> None:
        """Print a warning of the port's own."""
        print("ipcert: " + sentence, file=sys.stderr, flush=True)

    def say(self, sentence: str) -> None:
        """Print a line for people."""

    def countdown(self, alarm: Alarm, until: int, words: str) -> None:
        """Wait for a core second with an `alarm.Alarm`."""
        alarm.wait(until)

    def close(self) -> None:
        """Give the terminal back."""


class Plain(Quiet):
    """Plain lines, for logs. Times of plans are never among them (docs/privacy.md#p12)."""

    def doing(self, subject: str, words: str) -> None:
        print("%s: %s" % (subject, words), flush=True)

    def told(self, number: int, severity: int, sentence: str) -> None:
        print(
            sentence if severity == notices.INFO else "%s: %s" % (notices.SEVERITY[severity], sentence),
            flush=True,
        )

    def say(self, sentence: str) -> None:
        print(sentence, flush=True)


class Terminal(Quiet):
    """A spinner while an order runs, a countdown while a plan waits."""

    _STYLE = ("green", "yellow", "bold red")

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console

        self._console = Console(highlight=False)
        self._status: Status | None = None

    def doing(self, subject: str, words: str) -> None:
        text = "%s: %s" % (subject, words)
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def told(self, number: int, severity: int, sentence: str) -> None:
        from rich.text import Text

        self._stop()
        self._console.print(Text(sentence, style=self._STYLE[severity]))

    def warn(self, sentence: str) -> None:
        self._stop()
        super().warn(sentence)

    def say(self, sentence: str) -> None:
        self._stop()
        self._console.print(sentence, markup=False)

    def countdown(self, alarm: Alarm, until: int, words: str) -> None:
        from ipcert import limits

        from ..formatting import span
        from ..port.clock import Clock

        self._stop()
        clock = Clock()
        with self._console.status("") as status:
            while True:
                left = until - clock.now()
                if left <= 0 or alarm.caught:
                    return
                status.update("%s in %s" % (words, span(left)))
                # A person is watching: once a second is what a countdown is for.
                alarm.wait(min(until, clock.now() + (1 if left < limits.HOUR else limits.MINUTE)))

    def close(self) -> None:
        self._stop()


def choose(json: bool = False, quiet: bool = False) -> Quiet:
    """The right one for where stdout goes. Without the package rich a terminal gets plain lines."""
    if json or quiet:
        return Quiet()
    if sys.stdout.isatty() and sys.stderr.isatty():
        try:
            return Terminal()
        except ImportError:
            return Plain()
    return Plain()
