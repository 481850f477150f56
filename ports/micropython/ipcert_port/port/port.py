"""The object through which the core reaches this board: files, digests, random bytes, keys."""

import sys


def _serial():
    try:
        import machine

        return machine.unique_id()
    except (ImportError, AttributeError):
        return None


class Port:
    """What `ipcert.device.Device` needs, from a `store.Store`, a `sign.Signer` and an `entropy.Entropy`.

    `secret` (16 to 64 bytes that only this board knows, from fuses or a secure element): keys are sealed with it at
    rest. None: they lie in the store as they are. Sealing needs a firmware whose cryptolib has CTR.
    Raises LocalError("no-ctr") where a secret is given and the firmware has none.
    """

    aes = None

    def __init__(self, store, signer, entropy, secret=None):
        self.store = store
        self.read = store.read
        self.names = store.names
        self.signer = signer
        self.entropy = entropy
        self.sha256 = signer.sha256
        self.secret = secret
        if secret is not None:
            self.aes = _ctr()

    def device_id(self):
        """Eight bytes of a digest over the chip's serial number, or None where it has none to tell."""
        serial = _serial()
        if serial is None:
            return None
        data = b"ipcert device " + sys.platform.encode() + bytes(serial)
        out = bytearray(32)
        self.sha256(data, 0, len(data), out, 0)
        return bytes(out[:8])


def _ctr():
    from cryptolib import aes

    try:
        aes(bytes(16), 6, bytes(16))
    except ValueError:
        from ipcert.errors import LocalError

        raise LocalError(
            "no-ctr",
            "This firmware's cryptolib has no CTR: build it with MICROPY_PY_CRYPTOLIB_CTR, or give no secret.",
        )
    return aes
