"""`ipcert consent`: what a combined certificate gives away, and the owner's agreement to it."""

from __future__ import annotations

from .. import exit_codes
from ..formatting import utc
from ..port.state import State
from ..session import Session
from .plans import published
from .progress import Quiet
from .status import unconsented

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config.reader import Config


def run(config: Config, progress: Quiet, answer: str | None = None) -> tuple[int, dict[str, Any]]:
    """The consent exchange: without `answer` the warning and the challenge, with it the agreement. (code, object)."""
    records = State(config.state).records()
    if not unconsented(config, records):
        given = {r.identifiers_text.text(): utc(r.consent_at) for r in records if r.consent_at}
        text = "You have agreed already." if given else "Nothing in this configuration needs your consent."
        progress.say(text)
        return exit_codes.OK, {"consent_needed": False, "consent": given, "challenge": None}
    with Session(config, Quiet(), orders=False) as session:
        session.settle()
        challenge = session.device.consent_challenge()
        if answer is not None:
            session.device.event("consent", answer)
            session.settle()
    ids = config.groups()[0]
    if answer is not None:
        when = {
            r.identifiers_text.text(): utc(r.consent_at)
            for r in State(config.state).records()
            if r.consent_at
        }
        progress.say("You agreed to one certificate for %s; 'ipcert issue' fetches it." % ids)
        return exit_codes.OK, {"consent_needed": False, "consent": when, "challenge": None}
    public = [p for p in published(config) if p["code"] in ("combined", "families-in-one")]
    for p in public:
        progress.say("%s: %s" % (p["severity"], p["text"]))
    progress.say("If you want that all the same, run: ipcert consent %s" % challenge)
    return exit_codes.CONSENT, {
        "consent_needed": True,
        "consent": {},
        "challenge": challenge,
        "public": public,
    }
