"""A certification request (PKCS #10, RFC 2986) with an empty subject and a subjectAltName only.

No common name, ever: a CN would put a name into the public record twice, and an IP address in it is refused by
Let's Encrypt. There is no other attribute either: what a request does not say, no CA can publish.

Lengths are computed before writing, so every byte is written once, in order.
"""

from ..errors import LocalError
from . import der, p256, x509
from .buffer import put

_POINT = bytearray(p256.POINT)
_SIGNATURE = bytearray(p256.SIGNATURE)
_EXTENSION_REQUEST = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"  # RFC 2985 5.4.2
_START = b"\x02\x01\x00\x30\x00"  # version 0, and a Name without parts


def _write_info(buffer, offset, identifiers):
    """Write CertificationRequestInfo (RFC 2986 4.1) to `buffer[offset:]`; return the new offset."""
    # attributes [0] > Attribute > SET > Extensions > Extension, sizes from within.
    # The extensions are one: the names.
    extensions = x509.san_size(identifiers)
    values = der.size(extensions)
    attribute = len(_EXTENSION_REQUEST) + der.size(values)
    attributes = der.size(attribute)
    offset = der.head(buffer, offset, der.SEQUENCE, len(_START) + p256.SPKI + der.size(attributes))
    offset = put(buffer, offset, _START)
    offset = p256.write_spki(buffer, offset, _POINT, 0)
    offset = der.head(buffer, offset, der.EXPLICIT_0, attributes)
    offset = der.head(buffer, offset, der.SEQUENCE, attribute)
    offset = put(buffer, offset, _EXTENSION_REQUEST)
    offset = der.head(buffer, offset, der.SET, values)
    offset = der.head(buffer, offset, der.SEQUENCE, extensions)
    return x509.write_san(buffer, offset, identifiers)


def write(buffer, offset, signer, slot, identifiers):
    """Write a signed request for `identifiers` and the key in `slot` to `buffer[offset:]`; return the new offset.

    `identifiers` is a non-empty list of Identifier. Raises LocalError("overflow") where `buffer` is too small (it
    takes about 260 bytes and the names) and LocalError("no-identifiers"). Allocates nothing where the signer does
    not.
    """
    if not identifiers:
        raise LocalError("no-identifiers", "A certificate needs at least one name or address.")
    signer.public(slot, _POINT, 0)
    # The signature's length decides the outer header's, and comes last: sign at the likely place, then, for
    # a very short request, write the same bytes again one lower.
    start = offset + 4
    end = _write_info(buffer, start, identifiers)
    signer.sign(slot, buffer, start, end, _SIGNATURE, 0)
    offset = der.head(buffer, offset, der.SEQUENCE, end - start + p256.signed_size(_SIGNATURE))
    if offset != start:
        end = _write_info(buffer, offset, identifiers)
    return p256.write_signed(buffer, end, _SIGNATURE)
