"""ES256 with the native module `_ipcert`: built into the firmware (Mbed TLS) or loaded from a .mpy (p256-m)."""

import _ipcert

from ipcert import limits
from ipcert.errors import LocalError


class Signer:
    """P-256 keys in `limits.SLOTS` slots of RAM. Nonces are RFC 6979's with fresh bytes of `entropy` mixed in.

    name   which module signs; it is never replaced by another one silently
    """

    name = _ipcert.NAME

    def __init__(self, entropy):
        self._entropy = entropy
        self._keys = [bytearray(_ipcert.KEY_SIZE) for _ in range(limits.SLOTS)]
        self._full = bytearray(limits.SLOTS)
        self._extra = bytearray(32)
        self._seed = bytearray(64)

    def _key(self, slot):
        if not self._full[slot]:
            raise LocalError("key", "There is no key in slot %d; report this." % slot)
        return self._keys[slot]

    def generate(self, slot):
        """Make a new key. Raises LocalError("entropy") where the random source is poor or repeats itself."""
        for _ in range(4):  # a candidate fails once in 2**32
            self._entropy.fill(self._seed)
            if _ipcert.generate(self._keys[slot], self._seed):
                self._full[slot] = 1
                break
        else:
            raise LocalError("entropy", "The random source gives no usable key.")
        for k in range(len(self._seed)):
            self._seed[k] = 0

    def load(self, slot, d):
        """Take the 32-byte scalar `d`. Raises LocalError("key") where it is not in 1..n-1."""
        key = self._keys[slot]
        self._full[slot] = 0
        try:
            if len(d) != 32:
                raise ValueError
            key[:32] = d
            _ipcert.public(key)
        except ValueError:
            self.erase(slot)
            raise LocalError("key", "That is not a P-256 private key.")
        self._full[slot] = 1

    def export(self, slot, buf, off):
        """Write the 32-byte scalar; return off + 32."""
        buf[off : off + 32] = memoryview(self._key(slot))[:32]
        return off + 32

    def public(self, slot, buf, off):
        """Write the public point, 65 bytes uncompressed (SEC 1 2.3.3); return off + 65. Allocates nothing."""
        key = self._key(slot)
        for k in range(32, 97):
            buf[off] = key[k]
            off += 1
        return off

    def erase(self, slot):
        """Zeroise the slot."""
        key = self._keys[slot]
        for k in range(len(key)):
            key[k] = 0
        self._full[slot] = 0

    def sign(self, slot, buf, start, end, out, off):
        """Write r||s (RFC 7518 3.4) over SHA-256 of `buf[start:end]`; return off + 64."""
        self._entropy.fill(self._extra)
        _ipcert.sign(self._key(slot), self._extra, buf, start, end, out, off)
        return off + 64

    def jws(self, slot, parts, payload, n, out, off):
        """Write the flattened JWS (RFC 7515 7.2.2) whose protected header is the concatenation of `parts` and whose
        payload is `payload[:n]` to `out[off:]`; return the new offset. Raises ValueError where it does not fit."""
        self._entropy.fill(self._extra)
        return _ipcert.jws(self._key(slot), self._extra, parts, payload, n, out, off)

    def sha256(self, buf, start, end, out, off):
        """Write SHA-256 of `buf[start:end]`; return off + 32. Allocates nothing."""
        _ipcert.sha256(buf, start, end, out, off)
        return off + 32
