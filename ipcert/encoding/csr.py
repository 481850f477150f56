"""A certification request (PKCS #10, RFC 2986) with an empty subject and a subjectAltName only.

No common name, ever: a CN would put a name into the public record twice, and an IP address in it is refused
by Let's Encrypt. Lengths are computed before writing, so every byte is written once, in order.
"""

from ..errors import LocalError
from . import der, p256
from .buffer import put

_POINT = bytearray(p256.POINT)
_SIGNATURE = bytearray(p256.SIGNATURE)
_EXTENSION_REQUEST = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"  # RFC 2985 5.4.2
_SUBJECT_ALT_NAME = b"\x06\x03\x55\x1d\x11"  # RFC 5280 4.2.1.6


def _info(buf, off, names):
    """Write CertificationRequestInfo (RFC 2986 4.1) to `buf[off:]`; return the new offset."""
    # attributes [0] > Attribute > SET > Extensions > Extension > OCTET STRING > GeneralNames, sizes from
    # within.
    sans = 0
    for i in names:
        sans += der.size(len(i.raw))
    octets = der.size(sans)
    extension = 5 + der.size(octets)
    extensions = der.size(extension)
    values = der.size(extensions)
    attribute = 11 + der.size(values)
    attributes = der.size(attribute)
    off = der.head(buf, off, 0x30, 5 + p256.SPKI + der.size(attributes))
    off = put(buf, off, b"\x02\x01\x00\x30\x00")  # version 0, empty Name
    off = p256.write_spki(buf, off, _POINT, 0)
    off = der.head(buf, off, 0xA0, attributes)
    off = der.head(buf, off, 0x30, attribute)
    off = put(buf, off, _EXTENSION_REQUEST)
    off = der.head(buf, off, 0x31, values)
    off = der.head(buf, off, 0x30, extensions)
    off = der.head(buf, off, 0x30, extension)
    off = put(buf, off, _SUBJECT_ALT_NAME)
    off = der.head(buf, off, 0x04, octets)
    off = der.head(buf, off, 0x30, sans)
    for i in names:
        # GeneralName: dNSName [2] IA5String, iPAddress [7] OCTET STRING (4 or 16 bytes, RFC 8738 3).
        off = der.head(buf, off, 0x87 if i.family else 0x82, len(i.raw))
        off = put(buf, off, i.raw)
    return off


def write(buf, off, signer, slot, identifiers):
    """Write a signed request for `identifiers` and the key in `slot` to `buf[off:]`; return the new offset.

    `identifiers` is a non-empty list of Identifier. Raises LocalError("overflow") where `buf` is too small (it
    takes about 260 bytes and the names) and LocalError("no-identifiers"). Allocates nothing where the signer does
    not.
    """
    if not identifiers:
        raise LocalError("no-identifiers", "A certificate needs at least one name or address.")
    signer.public(slot, _POINT, 0)
    # The signature's length decides the outer header's, and comes last: sign at the likely place, then, for
    # a very short request, write the same bytes again one lower.
    at = off + 4
    end = _info(buf, at, identifiers)
    signer.sign(slot, buf, at, end, _SIGNATURE, 0)
    off = der.head(buf, off, 0x30, end - at + p256.signed_size(_SIGNATURE))
    if off != at:
        end = _info(buf, off, identifiers)
    return p256.write_signed(buf, end, _SIGNATURE)
