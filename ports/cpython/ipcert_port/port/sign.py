"""ES256 with `cryptography` (OpenSSL). It is imported when the first key is made or loaded: that takes some 80 ms."""

from __future__ import annotations

import hashlib
import importlib.util
from binascii import b2a_base64

from ipcert import limits
from ipcert.errors import LocalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ipcert.port import Bytes

    from .entropy import Entropy

_URL = bytes.maketrans(b"+/", b"-_")
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # n of P-256 (SEC 2 2.4.2)


def _b64url(data: Bytes) -> bytes:
    return b2a_base64(data).translate(_URL, b"=\n")


def _raw(der: bytes) -> bytes:
    # ECDSA-Sig-Value of P-256: both INTEGERs are shorter than 128 bytes, so each length is one byte.
    end = 4 + der[3]
    return der[4:end][-32:].rjust(32, b"\0") + der[end + 2 :][-32:].rjust(32, b"\0")


class Signer:
    """P-256 keys in `limits.SLOTS` slots. OpenSSL draws and hedges its own nonces and makes the keys; `entropy` is only
    asked whether this machine is fit for making keys. Raises LocalError("missing") where there is no `cryptography`: a
    vendored tree brings none, and nothing takes its place."""

    def __init__(self, entropy: Entropy) -> None:
        if importlib.util.find_spec("cryptography") is None:
            text = "This Python has no cryptography, which signs for ipcert, and nothing takes its place; install it (Debian: python3-cryptography)."
            raise LocalError("missing", text)
        self._entropy = entropy
        self._keys: list[Any] = [None] * limits.SLOTS
        self._ec: Any = None

    @property
    def name(self) -> str:
        """Which library signs, for people."""
        self._load()
        import cryptography
        from cryptography.hazmat.backends.openssl.backend import backend

        return "cryptography %s, %s" % (cryptography.__version__, backend.openssl_version_text())

    def _load(self) -> Any:
        if self._ec is None:
            from cryptography.hazmat.primitives import hashes
            from cryptography.hazmat.primitives.asymmetric import ec, utils

            self._ec = ec
            self._curve = ec.SECP256R1()
            self._es256 = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        return self._ec

    def _key(self, slot: int) -> Any:
        key = self._keys[slot]
        if key is None:
            raise LocalError("key", "There is no key in slot %d; report this." % slot)
        return key

    def generate(self, slot: int) -> None:
        """Make a new key. Raises LocalError("entropy") where the random source is poor."""
        if self._entropy.quality != "good":
            raise LocalError("entropy", "This machine's random source is too poor to make a key.")
        self._keys[slot] = self._load().generate_private_key(self._curve)

    def load(self, slot: int, d: bytes) -> None:
        """Take the 32-byte scalar `d`. Raises LocalError("key") where it is not in 1..n-1."""
        value = int.from_bytes(d, "big")
        if len(d) != 32 or not 1 <= value < _ORDER:  # OpenSSL takes a scalar above n
            raise LocalError("key", "That is not a P-256 private key.")
        self._keys[slot] = self._load().derive_private_key(value, self._curve)

    def export(self, slot: int, buf: bytearray, off: int) -> int:
        """Write the 32-byte scalar; return off + 32."""
        buf[off : off + 32] = self._key(slot).private_numbers().private_value.to_bytes(32, "big")
        return off + 32

    def public(self, slot: int, buf: bytearray, off: int) -> int:
        """Write the public point, 65 bytes uncompressed (SEC 1 2.3.3); return off + 65."""
        numbers = self._key(slot).public_key().public_numbers()
        buf[off : off + 65] = b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
        return off + 65

    def erase(self, slot: int) -> None:
        """Let go of the key: OpenSSL clears a private key's memory when it frees it."""
        self._keys[slot] = None

    def sign(self, slot: int, buf: Bytes, start: int, end: int, out: bytearray, off: int) -> int:
        """Write r||s (RFC 7518 3.4) over SHA-256 of `buf[start:end]`; return off + 64."""
        digest = hashlib.sha256(memoryview(buf)[start:end]).digest()
        out[off : off + 64] = _raw(self._key(slot).sign(digest, self._es256))
        return off + 64

    def jws(self, slot: int, parts: list[Bytes], payload: Bytes, n: int, out: bytearray, off: int) -> int:
        """Write the flattened JWS (RFC 7515 7.2.2) whose protected header is `b"".join(parts)` and whose payload is
        `payload[:n]` to `out[off:]`; return the new offset. Raises LocalError("overflow")."""
        head = _b64url(b"".join(parts))
        body = _b64url(payload[:n])
        digest = hashlib.sha256(b"%b.%b" % (head, body)).digest()
        signature = _b64url(_raw(self._key(slot).sign(digest, self._es256)))
        data = b"".join(
            (b'{"protected":"', head, b'","payload":"', body, b'","signature":"', signature, b'"}')
        )
        end = off + len(data)
        if end > len(out):
            raise LocalError(
                "overflow", "A request is longer than its buffer (%d bytes); report this." % len(out)
            )
        out[off:end] = data
        return end

    def sha256(self, buf: Bytes, start: int, end: int, out: bytearray, off: int) -> int:
        """Write SHA-256 of `buf[start:end]`; return off + 32."""
        out[off : off + 32] = hashlib.sha256(memoryview(buf)[start:end]).digest()
        return off + 32
