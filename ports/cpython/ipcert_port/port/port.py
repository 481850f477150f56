"""The object through which the core reaches this machine: files, digests, random bytes, keys."""

from __future__ import annotations

import hashlib

from .state import sha256
from .store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .entropy import Entropy
    from .sign import Signer

_ID = "/etc/machine-id"


class Port:
    """What `ipcert.device.Device` needs. `signer` and `entropy` may be None where nothing is signed or drawn.

    Raises LocalError("store" | ...) when the state folder cannot be used.
    """

    sha256 = staticmethod(sha256)
    aes = None
    secret = None  # Linux keeps keys by file mode; there is no device secret to seal them with

    def __init__(self, folder: str, signer: Signer | None = None, entropy: Entropy | None = None) -> None:
        self.store = Store(folder)
        self.read = self.store.read
        self.names = self.store.names
        self.signer = signer
        self.entropy = entropy

    def device_id(self) -> bytes | None:
        """See the function of that name."""
        return device_id()


def device_id() -> bytes | None:
    """Eight bytes that belong to this installation and tell nothing about it, or None where it has no number.

    machine-id(5) is confidential, so a digest of our own stands for it, as that page asks.
    """
    try:
        with open(_ID, "rb") as file:
            number = file.read(64).strip()
    except OSError:
        return None
    return hashlib.sha256(b"ipcert device " + number).digest()[:8] if len(number) == 32 else None
