"""The tls-alpn-01 challenge certificate (RFC 8737 3, RFC 8738 6): self-signed, for one identifier, with its digest."""

from . import der, p256
from .buffer import copy, put

SIZE = 620  # bytes for the longest name
_POINT = bytearray(p256.POINT)
_SIGNATURE = bytearray(p256.SIGNATURE)
# version 3, serial number 1
_START = b"\xa0\x03\x02\x01\x02\x02\x01\x01" + p256.ECDSA_SHA256
# CN=acme; 2020-01-01 to 2049-12-31: no validator looks, and a date would say when this device made it
_NAME = b"\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04acme"
_MIDDLE = _NAME + b"\x30\x1e\x17\x0d200101000000Z\x17\x0d491231235959Z" + _NAME
_SAN = b"\x06\x03\x55\x1d\x11"
# id-pe-acmeIdentifier, critical, OCTET STRING of an OCTET STRING of 32 bytes
_ACME = b"\x30\x31\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x1f\x01\x01\xff\x04\x22\x04\x20"


def _body(buf, off, identifier, digest):
    san = der.size(der.size(len(identifier.raw)))
    extension = len(_SAN) + der.size(san)
    extensions = der.size(extension) + len(_ACME) + 32
    outer = der.size(extensions)
    off = der.head(buf, off, 0x30, len(_START) + len(_MIDDLE) + p256.SPKI + der.size(outer))
    off = put(buf, put(buf, off, _START), _MIDDLE)
    off = p256.write_spki(buf, off, _POINT, 0)
    off = der.head(buf, off, 0xA3, outer)
    off = der.head(buf, off, 0x30, extensions)
    off = der.head(buf, off, 0x30, extension)
    off = put(buf, off, _SAN)
    off = der.head(buf, off, 0x04, san)
    off = der.head(buf, off, 0x30, der.size(len(identifier.raw)))
    off = der.head(buf, off, 0x87 if identifier.family else 0x82, len(identifier.raw))
    off = put(buf, off, identifier.raw)
    off = put(buf, off, _ACME)
    return copy(buf, off, digest, 0, 32)


def write(buf, off, signer, slot, identifier, digest):
    """Write the certificate for one Identifier, signed by the slot's key, to `buf[off:]`; return the new offset.

    `digest` is SHA-256 of the key authorization (RFC 8737 3). Takes SIZE bytes at most; raises LocalError("overflow").
    """
    signer.public(slot, _POINT, 0)
    at = off + 4
    end = _body(buf, at, identifier, digest)
    signer.sign(slot, buf, at, end, _SIGNATURE, 0)
    # The body is longer than 255 bytes, so the outer header always takes four.
    der.head(buf, off, 0x30, end - at + p256.signed_size(_SIGNATURE))
    return p256.write_signed(buf, end, _SIGNATURE)


def server_name(identifier):
    """The SNI that the CA sends: the name, or the address's reverse name (RFC 8738 6)."""
    if identifier.family == 4:
        return ".".join([str(b) for b in reversed(identifier.raw)]) + ".in-addr.arpa"
    if identifier.family == 6:
        digits = identifier.raw.hex()
        return ".".join([digits[31 - k] for k in range(32)]) + ".ip6.arpa"
    return identifier.value
