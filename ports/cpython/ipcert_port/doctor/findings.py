"""What `ipcert doctor` found, one finding for each thing it looked at."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ipcert.errors import Error


class Findings:
    """What was looked at so far; `show(finding)` is called for each.

    all    list of dicts: check, ok (True, False, or None: could not be looked at), text, fix ("" where ok)
    """

    def __init__(self, show: Callable[[dict[str, Any]], object]) -> None:
        self._show = show
        self.all: list[dict[str, Any]] = []

    def ok(self, check: str, text: str) -> None:
        """`check` is well."""
        self._add(check, True, text, "")

    def bad(self, check: str, text: str, fix: str) -> None:
        """`check` would make an order fail."""
        self._add(check, False, text, fix)

    def skipped(self, check: str, why: str) -> None:
        """`check` could not be looked at, for another's sake."""
        self._add(check, None, why, "")

    def error(self, check: str, error: Error) -> None:
        """An `errors.Error` whose sentence says both what is wrong and what to do about it."""
        text, fix = halves(str(error))
        self.bad(check, text, fix)

    def _add(self, check: str, ok: bool | None, text: str, fix: str) -> None:
        self.all.append({"check": check, "ok": ok, "text": text, "fix": fix})
        self._show(self.all[-1])

    def wrong(self) -> list[dict[str, Any]]:
        """The findings that are not ok."""
        return [f for f in self.all if f["ok"] is False]


def halves(sentence: str) -> tuple[str, str]:
    """(what is wrong, what to do) of one of our sentences: what to do comes last, after ";" or in a sentence of its own."""
    text = sentence if sentence[-1] in ".?" else sentence + "."
    for mark in ("; ", ". "):
        before, found, after = text.rpartition(mark)
        if found:
            return before + ".", after[0].upper() + after[1:]
    return text, "The file that 'ipcert init' writes explains every setting."
