"""`ipcert account`: show it, send the contacts, change its key, end it, find it again by its key, or have the CA forget
what it proved.
"""

from __future__ import annotations

from ipcert.errors import LocalError

from .. import exit_codes
from ..config import directories
from ..formatting import utc
from ..port.state import State, accounts, active
from ..session import Session
from . import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config.reader import Config
    from .progress import Quiet

ACTIONS = ("show", "update", "rollover", "deactivate", "recover", "deauthorize")
_DONE = {
    "update": "The CA has the contacts of your configuration now.",
    "rollover": "The account has a new key; the old one is erased.",
    "deactivate": "The account has ended. Nothing is ordered until 'ipcert issue --now' makes a new one.",
    "recover": "The account of that key is in use from now on.",
    "deauthorize": "The CA has forgotten what was proved; the next order proves it again.",
}
DEACTIVATE = (
    "This ends the account for good: the CA refuses everything it signs from then on. Say so with --yes."
)


def run(
    config: Config,
    progress: Quiet,
    action: str,
    yes: bool = False,
    key: str | None = None,
    name: str | None = None,
) -> tuple[int, dict[str, Any]]:
    """Carry out one of ACTIONS; returns (exit code, the JSON object). Raises Error."""
    if key is not None and action != "recover":
        raise LocalError("usage", "--key belongs to 'ipcert account recover'.")
    if yes and action != "deactivate":
        raise LocalError("usage", "--yes belongs to 'ipcert account deactivate'.")
    if name is not None and action != "deauthorize":
        raise LocalError("usage", "--name belongs to 'ipcert account deauthorize'.")
    if action == "show":
        return _show(config, progress)
    if action == "deactivate" and not yes:
        raise LocalError("usage", DEACTIVATE)
    value: str | bytes
    if action == "recover":
        if key is None:
            raise LocalError(
                "usage", "Say which key: ipcert account recover --key FILE (a P-256 key as PEM)."
            )
        event, value = "recover", scalar(key)
    elif action == "deauthorize":
        if name is None:
            raise LocalError(
                "usage", "Say for which name or address: ipcert account deauthorize --name NAME."
            )
        event, value = action, config.group_of(name)
    else:
        event, value = "account", _EVENTS[action]
    with Session(config, progress, patient=True) as session:
        operations.begin(session)
        session.device.event(event, value)
        operations.finish(session)
        error = session.device.last_error
    progress.close()
    if error is not None:
        raise error
    progress.say(_DONE[action])
    return exit_codes.OK, describe(config)


_EVENTS = {"update": "contacts", "rollover": "rollover", "deactivate": "deactivate"}


def _show(config: Config, progress: Quiet) -> tuple[int, dict[str, Any]]:
    out = describe(config)
    progress.say("CA        %s" % out["ca"])
    progress.say("account   %s" % (out["account"] or "none yet: the first order makes one"))
    if out["thumbprint"]:
        progress.say("key       %s (thumbprint)" % out["thumbprint"])
    if out["addresses"]:
        progress.say(
            "addresses %s: a second account, because your zone names the first" % out["addresses"]["account"]
        )
        if out["addresses"]["thumbprint"]:
            progress.say("key       %s (thumbprint)" % out["addresses"]["thumbprint"])
    progress.say("contacts  %s" % (", ".join(out["contacts"]) or "none"))
    progress.say("terms     %s" % (out["terms"] or "not seen yet"))
    return exit_codes.OK, out


def describe(config: Config) -> dict[str, Any]:
    """What there is to say about the account, from the state alone."""
    state = State(config.state)
    journal = state.journal
    first, second = accounts(journal)
    return {
        "ca": directories.name(config.directory),
        "directory": config.directory,
        "account": first[0] or None,
        "thumbprint": _thumbprint(state, first[1]),
        "addresses": {"account": second[0], "thumbprint": _thumbprint(state, second[1])}
        if second[0]
        else None,
        "contacts": list(config.policy.contacts),
        "terms": journal.terms.text() or None,
        "external": config.policy.eab_kid or None,
        "lineages": [r.identifiers_text.text() for r in active(journal)],
        "last_revocation": utc(journal.revoked_at) if journal.revoked_at else None,
    }


def _thumbprint(state: State, number: int) -> str | None:
    """The RFC 7638 thumbprint of an account's key, or None where its file is missing or sealed."""
    import base64
    import hashlib

    data = state.read("account-%d" % number)
    if data is None or len(data) != 138:
        return None
    x, y = (base64.urlsafe_b64encode(data[k : k + 32]).rstrip(b"=") for k in (74, 106))
    jwk = b'{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' % (x, y)
    return base64.urlsafe_b64encode(hashlib.sha256(jwk).digest()).rstrip(b"=").decode()


def scalar(path: str) -> bytes:
    """The 32 bytes of a P-256 private key in a PEM file, or in certbot's private_key.json. Raises LocalError("usage")."""
    import base64
    import json

    try:
        with open(path, "rb") as file:
            data = file.read(16384)
    except OSError as e:
        raise LocalError("usage", "Cannot read %s: %s." % (path, (e.strerror or str(e)).lower())) from None
    wrong = "%s is no P-256 private key; ipcert's accounts sign with ES256 only." % path
    if data.lstrip()[:1] == b"{":
        try:
            jwk = json.loads(data)
            if jwk["crv"] == "P-256":
                return base64.urlsafe_b64decode(jwk["d"] + "=").rjust(32, b"\0")[-32:]
        except (KeyError, TypeError, ValueError):
            pass
        raise LocalError("usage", wrong)
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = serialization.load_pem_private_key(data, None)
    except (TypeError, ValueError):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise LocalError("usage", wrong)
    return key.private_numbers().private_value.to_bytes(32, "big")
