"""The journal as it stands on the disk, read without a device, a lock or a change."""

from __future__ import annotations

import os

from ipcert import limits
from ipcert.errors import LocalError
from ipcert.journal import Journal, Slots
from ipcert.keys import Ring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipcert.journal import Record
    from ipcert.port import Bytes

# Python's own, as its module random takes it: hashlib's comes with all of OpenSSL, 4 MB that the waiting service needs for
# nothing but the journal's digest.
try:
    from _sha2 import sha256 as _sha256  # type: ignore[import-not-found]  # since 3.12; in no stub
except ImportError:
    try:
        from _sha256 import sha256 as _sha256  # type: ignore[import-not-found]  # until 3.11; in no stub
    except ImportError:
        from hashlib import sha256 as _sha256  # a Python that was built without


def sha256(buf: Bytes, start: int, end: int, out: bytearray, off: int) -> int:
    """SHA-256 of `buf[start:end]` into `out[off:]`; returns off + 32."""
    out[off : off + 32] = _sha256(memoryview(buf)[start:end]).digest()
    return off + 32


class State:
    """`journal` (`ipcert.journal.Journal`); found: False when there is none yet. Raises LocalError for what is damaged."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.journal = Journal(Ring(), sha256)
        self.found = Slots(self.journal).load(self.read)

    def read(self, name: str) -> bytes | None:
        """The bytes of one file, or None. Raises LocalError("store")."""
        try:
            with open(os.path.join(self._folder, name), "rb") as file:
                return file.read(limits.FILE)
        except FileNotFoundError:
            return None
        except NotADirectoryError:
            text = "Cannot use %s: it is not a folder; choose another state folder."
            raise LocalError("store", text % self._folder) from None
        except OSError as e:
            text = "Cannot read %s in %s: %s; run as the folder's owner."
            raise LocalError("store", text % (name, self._folder, (e.strerror or str(e)).lower())) from None

    def chain(self, record: Record) -> bytes | None:
        """The PEM chain of a record's live certificate, or None."""
        return self.read("chain-%d" % record.file_id) if record.file_id else None

    def records(self) -> list[Record]:
        """The records in service."""
        return active(self.journal)

    def upcoming(self) -> int:
        """The next second at which anything happens, limits.NEVER when nothing is planned."""
        return upcoming(self.journal)


def active(journal: Journal) -> list[Record]:
    """The records in service."""
    return journal.records()


def upcoming(journal: Journal) -> int:
    """The next second at which anything happens, limits.NEVER when nothing is planned."""
    soonest = limits.NEVER
    for r in active(journal):
        soonest = min(soonest, r.planned_at, r.ask_window_at or limits.NEVER)
    return soonest


def accounts(journal: Journal) -> list[tuple[str, int]]:
    """[(URL, number of its key file)] of the account for everything and of the one for addresses; "" and 0: none."""
    found = [
        (journal.account_url.text(), journal.account_file_id),
        (journal.other_account_url.text(), journal.other_account_file_id),
    ]
    return found[::-1] if journal.account_role else found
