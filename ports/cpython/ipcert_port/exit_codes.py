"""Exit codes, so that a script can tell what went wrong without reading the sentence."""

from __future__ import annotations

from ipcert.errors import RemoteError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ipcert.errors import Error

OK = 0  # what was due is there, or nothing was due
BUG = 1  # a mistake of ours: Python's own code for an exception that nobody expected
CONFIG = 2  # the command line or the configuration
ORDER = 3  # the CA refused, or could not validate
CONSENT = 4  # a combined certificate waits for the owner's consent
NETWORK = 5  # the CA cannot be reached, what answers is not the CA, or this home's address is not found
STATE = 6  # the state or deploy folder: permissions, a full disk, damage
CLOCK = 7  # the clock cannot be trusted
HOOK = 8  # the certificate is in place, but the deploy hook failed
BUSY = 9  # another ipcert works on the same state
DOCTOR = 10  # `ipcert doctor` found something that is not ok
OUTPUT = 11  # all is done, but what was printed could not be written
INTERRUPTED = 130  # Ctrl-C, as shells have it

_CODES = {
    "consent": CONSENT,
    "address": NETWORK,
    "clock": CLOCK,
    "dns": ORDER,
    "hook": HOOK,
    "locked": BUSY,
    "busy": BUSY,
}
_NETWORK = ("network", "tls", "slow", "undecided", "too-large", "bad-http", "json", "redirect", "url")
_STATE = (
    "store", "store-open", "disk-full", "journal-corrupt", "journal-newer", "key-file", "cloned", "deploy", "entropy",
    "rolled-back", "key-reuse", "key", "state", "name",
)  # fmt: skip


def code(error: Error | None) -> int:
    """The exit code for an `ipcert.errors.Error`, or for None."""
    if error is None:
        return OK
    if isinstance(error, RemoteError):
        return NETWORK if error.code in _NETWORK else ORDER
    if error.code in _STATE:
        return STATE
    return _CODES.get(error.code, CONFIG)
