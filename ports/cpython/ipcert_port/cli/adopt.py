"""`ipcert adopt`: certificates that another ACME client left. They stay in service; only their renewal is ours.

Each must be for exactly what one certificate of the configuration is for. Its renewal is planned like any other, and its
key is remembered, so that ipcert never uses it. The files are only read.
"""

from __future__ import annotations

import os

from ipcert import identifiers as _identifiers
from ipcert import limits
from ipcert.adoption import Adoption
from ipcert.encoding import x509
from ipcert.errors import LocalError, RemoteError

from .. import exit_codes
from ..formatting import local, planned, span, spki
from ..port import regular
from ..session import Session
from . import operations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..config.reader import Config
    from .progress import Quiet

LAYOUTS = (  # relative to a folder: certbot's live/NAME, acme.sh's NAME and NAME_ecc, lego's and others'
    "fullchain.pem",
    "fullchain.cer",
    "cert.pem",
)


class Found:
    """A certificate: path, identifiers (canonical texts), fields (`x509.Fields`), key_hash (`limits.HASH` bytes)."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            pem = regular.read(path, limits.CHAIN + 1)
        except OSError as e:
            raise LocalError(
                "adopt", "Cannot read %s: %s." % (path, (e.strerror or str(e)).lower())
            ) from None
        try:
            der = bytearray(len(pem) * 3 // 4 + 3)
            ends = x509.pem_to_der(pem, len(pem), der)
            self.fields = x509.Fields()
            x509.read(der, 0, ends[1], self.fields)
            self.key_hash = bytes.fromhex(spki(pem))[: limits.HASH]
        except RemoteError:
            raise LocalError("adopt", "%s holds no certificate that ipcert can read." % path) from None
        self.identifiers = _san(bytes(der[: ends[1]]), path)


def find(path: str) -> list[Found]:
    """The certificates at `path`: a file, a folder of one, or a folder of folders. A list of `Found`."""
    if os.path.isfile(path):
        return [Found(path)]
    try:
        inside = sorted(os.listdir(path))
    except OSError as e:
        raise LocalError("adopt", "Cannot read %s: %s." % (path, (e.strerror or str(e)).lower())) from None
    one = [os.path.join(path, name) for name in LAYOUTS if name in inside]
    if one:
        return [Found(one[0])]
    out = []
    for name in inside:
        folder = os.path.join(path, name)
        if os.path.isdir(folder) and not name.startswith("."):
            files = [os.path.join(folder, f) for f in LAYOUTS if os.path.isfile(os.path.join(folder, f))]
            if files:
                out.append(Found(files[0]))
    if not out:
        raise LocalError("adopt", "%s holds none of %s." % (path, ", ".join(LAYOUTS)))
    return out


def _san(der: bytes, path: str) -> list[str]:
    from cryptography import x509 as crypto

    try:
        leaf = crypto.load_der_x509_certificate(der)
        value = leaf.extensions.get_extension_for_class(crypto.SubjectAlternativeName).value
    except (ValueError, crypto.ExtensionNotFound):
        raise LocalError("adopt", "%s holds a certificate without names." % path) from None
    texts = value.get_values_for_type(crypto.DNSName) + [
        str(a) for a in value.get_values_for_type(crypto.IPAddress)
    ]
    return [_identifiers.parse(text).value for text in texts]


def run(config: Config, progress: Quiet, paths: Sequence[str]) -> tuple[int, dict[str, Any]]:
    """Adopt what is found at `paths`; returns (exit code, the JSON object). Raises Error where nothing could be."""
    found = [f for path in paths for f in find(path)]
    wanted = {frozenset(g.split(",")): g for g in config.groups()}
    out, refused = [], []
    with Session(config, progress, patient=True, orders=False) as session:
        operations.begin(session)
        now = session.clock.now()
        for f in found:
            ids = wanted.get(frozenset(f.identifiers))
            if ids is None:
                refused.append(_why(f, config))
                continue
            if f.fields.not_after <= now:
                refused.append("%s has expired; 'ipcert issue' gets a new one." % f.path)
                continue
            session.device.event("adopt", Adoption(ids, f.fields.not_before, f.fields.not_after, f.key_hash))
            record = [r for r in session.device.journal.records() if r.identifiers_text.text() == ids][0]
            out.append({"path": f.path, **planned(record)})
            progress.say(
                "%s: renewed on %s, in %s. Until then %s stays in service."
                % (ids, local(record.planned_at), span(record.planned_at - now), f.path)
            )
        operations.settle(session)
    for sentence in refused:
        progress.warn(sentence)
    if not out:
        raise LocalError("adopt", "Nothing was adopted. " + refused[0])
    progress.say(
        "Switch the other client's renewal off now, and let ipcert's files take over when they come."
    )
    return exit_codes.OK, {"adopted": out, "refused": refused}


def _why(f: Found, config: Config) -> str:
    texts = ", ".join(f.identifiers)
    families = {_identifiers.parse(t).family for t in f.identifiers}
    if 0 in families and len(families) > 1 and not config.policy.combined:
        text = "%s names and addresses share one certificate in %s: it is not adopted but replaced by separate ones."
        return text % (texts, f.path)
    return "%s is for %s, which is not exactly what one certificate of the configuration is for." % (
        f.path,
        texts,
    )
