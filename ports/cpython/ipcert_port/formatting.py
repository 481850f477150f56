"""Times, identifiers and state as people and programs read them."""

from __future__ import annotations

import hashlib
import time

from ipcert import explanations, limits, plan
from ipcert.encoding import x509
from ipcert.errors import RemoteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ipcert.errors import Error
    from ipcert.journal import Record


def utc(second: int) -> str:
    """A core second as "2026-12-01T14:03:22Z"."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second + limits.EPOCH_UNIX))


def local(second: int) -> str:
    """A core second in this machine's own time, with its zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(second + limits.EPOCH_UNIX)).rstrip()


def span(seconds: float) -> str:
    """Seconds as "3 d 4 h", "12 min", "40 s": the two largest units."""
    seconds = max(int(seconds), 0)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            parts.append("%d %s" % (seconds // size, unit))
            seconds %= size
    return " ".join(parts[:2]) or "0 s"


def waits(record: Record) -> bool:
    """True where a certificate waits after a long absence, for privacy: the end of its window is the latest it comes."""
    return record.reason == plan.LATER and record.planned_at < limits.NEVER


def planned(record: Record) -> dict[str, Any]:
    """One record's plan as a dict for --json. `at` is None where nothing is planned."""
    never = record.planned_at >= limits.NEVER
    return {
        "identifiers": record.identifiers_text.text().split(","),
        "at": None if never else utc(record.planned_at),
        "at_unix": None if never else record.planned_at + limits.EPOCH_UNIX,
        "from": None if never else utc(record.window_start),
        "to": None if never else utc(record.window_end),
        "waits_until": utc(record.window_end) if waits(record) else None,
        "why": explanations.reason_text(0 if never else record.reason),
    }


def certificate(record: Record, chain: bytes, path: str) -> dict[str, Any]:
    """One live certificate as a dict for --json, from its journal record and PEM chain (bytes)."""
    return {
        "identifiers": record.identifiers_text.text().split(","),
        "not_before": utc(record.not_before),
        "not_after": utc(record.not_after),
        "spki_sha256": spki(chain),
        "path": path,
        "profile": record.profile.text() or None,
    }


def spki(chain: bytes) -> str:
    """SHA-256 over the leaf's SubjectPublicKeyInfo, in hex. Raises RemoteError for what is no certificate."""
    der = bytearray(len(chain) * 3 // 4 + 3)
    ends = x509.pem_to_der(chain, len(chain), der)
    leaf = x509.Fields()
    x509.read(der, 0, ends[1], leaf)
    return hashlib.sha256(der[leaf.spki_start : leaf.spki_end]).hexdigest()


_ADVICE = {
    "not-valid": "check that the CA reaches this device under that name or address, and that its DNS records are right",
    "rejectedIdentifier": "this CA does not certify it, so ask for another one",
    "rateLimited": "the next try is planned for when the CA allows it",
    "serverInternal": "the CA has trouble of its own, and the next try is planned",
}


def sentence(error: Error) -> str:
    """An `ipcert.errors.Error` as one sentence. What a CA says does not end like one, and does not say what to do."""
    text = str(error)
    if isinstance(error, RemoteError) and text[-1] not in ".?":
        return "%s; %s." % (
            text,
            _ADVICE.get(error.code, "the next try is planned ('ipcert plan' shows when)"),
        )
    return text if text[-1] in ".?" else text + "."
