"""`ipcert issue --profile --challenge --preferred-chain`: the owner's choices for one run."""

from __future__ import annotations

from ipcert import identifiers
from ipcert.acme import challenge as challenges
from ipcert.errors import LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config.reader import Config

_PROFILE = 64  # characters


def choose(
    config: Config,
    now: Sequence[str],
    profile: str | None,
    challenge: str | None,
    preferred_chain: str | None,
) -> None:
    """Change `config.policy`. With `now` (texts) a choice is for the kinds named there, else for every kind it suits.

    Raises LocalError with one sentence for what suits none.
    """
    families = {bool(i.family) for i in config.identifiers}
    if now:
        families = {bool(identifiers.parse(text).family) for text in now}
    found = {}
    if profile is not None:
        if (
            not profile
            or len(profile) > _PROFILE
            or not profile.isascii()
            or not profile.isprintable()
            or '"' in profile
        ):
            raise LocalError("usage", "--profile wants a profile's name as the CA lists it.")
        if profile == "shortlived" and families == {False, True}:
            families_of_it = {True}  # never for names
        else:
            families_of_it = families
        for ip in families_of_it:
            found["profile_ip" if ip else "profile_name"] = profile
    if challenge is not None:
        if challenge not in challenges.FOR_NAMES:
            raise LocalError("usage", "--challenge must be one of %s." % ", ".join(challenges.FOR_NAMES))
        if True in families and challenge in challenges.FOR_ADDRESSES:
            found["challenge_ip"] = challenge
        elif families == {True}:
            raise LocalError(
                "usage",
                "%s cannot prove an address; use %s." % (challenge, " or ".join(challenges.FOR_ADDRESSES)),
            )
        if False in families:
            found["challenge_name"] = challenge
    if preferred_chain is not None:
        found["preferred_chain"] = preferred_chain
    if found:
        config.override(**found)
