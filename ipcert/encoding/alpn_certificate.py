"""The tls-alpn-01 challenge certificate (RFC 8737 3, RFC 8738 6): self-signed, for one identifier, with its digest.

It proves something only by its extension acmeIdentifier, and only in a handshake that offered "acme-tls/1": a CA
looks for exactly this, and nothing else ever sees it. It must not tell a scanner who does what here, so all of it but
the identifier, the key and the digest is the same on every device: serial number 1, one common name, and dates far
apart, which no validator looks at.
"""

from . import der, p256, x509
from .buffer import copy, put

SIZE = 620  # bytes for the longest name
_POINT = bytearray(p256.POINT)
_SIGNATURE = bytearray(p256.SIGNATURE)
_DIGEST = 32
# version 3, serial number 1
_START = b"\xa0\x03\x02\x01\x02\x02\x01\x01" + p256.ECDSA_SHA256
# CN=acme; 2020-01-01 to 2049-12-31: a true date would say when this device made it
_NAME = b"\x30\x0f\x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04acme"
_MIDDLE = _NAME + b"\x30\x1e\x17\x0d200101000000Z\x17\x0d491231235959Z" + _NAME
# id-pe-acmeIdentifier, critical (RFC 8737 3), OCTET STRING of an OCTET STRING of _DIGEST bytes
_ACME = b"\x30\x31\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x1f\x01\x01\xff\x04\x22\x04\x20"


def _write_body(buffer, offset, identifiers, digest):
    """Write TBSCertificate (RFC 5280 4.1); return the new offset."""
    extensions = x509.san_size(identifiers) + len(_ACME) + _DIGEST
    outer = der.size(extensions)
    content = len(_START) + len(_MIDDLE) + p256.SPKI + der.size(outer)
    offset = der.head(buffer, offset, der.SEQUENCE, content)
    offset = put(buffer, put(buffer, offset, _START), _MIDDLE)
    offset = p256.write_spki(buffer, offset, _POINT, 0)
    offset = der.head(buffer, offset, der.EXPLICIT_3, outer)
    offset = der.head(buffer, offset, der.SEQUENCE, extensions)
    offset = x509.write_san(buffer, offset, identifiers)
    return copy(buffer, put(buffer, offset, _ACME), digest, 0, _DIGEST)


def write(buffer, offset, signer, slot, identifier, digest):
    """Write the certificate for one Identifier, signed by the slot's key, to `buffer[offset:]`; return the new offset.

    `digest` is SHA-256 of the key authorization (RFC 8737 3). Takes SIZE bytes at most; raises LocalError("overflow").
    """
    signer.public(slot, _POINT, 0)
    start = offset + 4
    end = _write_body(buffer, start, (identifier,), digest)
    signer.sign(slot, buffer, start, end, _SIGNATURE, 0)
    # The body is longer than 255 bytes, so the outer header always takes four.
    der.head(buffer, offset, der.SEQUENCE, end - start + p256.signed_size(_SIGNATURE))
    return p256.write_signed(buffer, end, _SIGNATURE)


def server_name(identifier):
    """The SNI that the CA sends: the name, or the address's reverse name (RFC 8738 6)."""
    if identifier.family == 4:
        return ".".join([str(byte) for byte in reversed(identifier.raw)]) + ".in-addr.arpa"
    if identifier.family == 6:
        digits = identifier.raw.hex()
        return ".".join([digits[31 - index] for index in range(32)]) + ".ip6.arpa"
    return identifier.value
