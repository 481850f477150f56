"""Certificates (RFC 5280 4.1): reading what ipcert needs of them, reading and writing PEM (RFC 8555 9.1, RFC 7468), and
writing subjectAltName, which requests and challenge certificates carry too.

What comes from the CA is read as if it came from anybody: every length is checked, and garbage raises RemoteError.
Nothing is verified against a key here: the CA's answer came over verified TLS, and the peer that matters verifies.
What is checked is that the certificate is the one that was asked for (`acme.certificate`), and that it is well-formed
enough that a web server can be given it.

Reading allocates nothing. `Fields` holds offsets into the buffer, not copies, so it is good only as long as the
buffer is. Of the extensions four are read: who it is for, whose key made it and which key it has (for ARI, and to put a chain
in order), and whether it is a CA's. Others are passed over, critical or not: whether to trust them is the client's decision.
"""

from .. import limits
from ..errors import RemoteError
from . import base64url, calendar, der
from .buffer import put, same

ARI_SIZE = 115  # bytes that `ari_id` writes at most: 64 of a key identifier (SHA-512's), 21 of a serial
_SUBJECT_ALT_NAME = b"\x06\x03\x55\x1d\x11"  # RFC 5280 4.2.1.6
_VERSION_3 = b"\x02\x01\x02"
# The last byte of an extension's object identifier, 2.5.29.x (RFC 5280 4.2.1).
_SAN = 0x11
_BASIC_CONSTRAINTS = 0x13
_SUBJECT_KEY = 0x0E
_AUTHORITY_KEY = 0x23
_ANY = b"-----BEGIN "
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"


def _bad(why):
    raise RemoteError("x509", "The CA's certificate cannot be used: %s." % why)


def _name_tag(identifier):
    """GeneralName: dNSName [2] IA5String, or iPAddress [7] OCTET STRING of 4 or 16 bytes (RFC 8738 3)."""
    return der.IMPLICIT_7 if identifier.family else der.IMPLICIT_2


def _names_size(identifiers):
    total = 0
    for identifier in identifiers:
        total += der.size(len(identifier.raw))
    return total


def san_size(identifiers):
    """Bytes that `write_san` writes."""
    return der.size(len(_SUBJECT_ALT_NAME) + der.size(der.size(_names_size(identifiers))))


def write_san(buffer, offset, identifiers):
    """Write the Extension subjectAltName for these Identifiers; return the new offset. Allocates nothing."""
    names = _names_size(identifiers)
    octets = der.size(names)
    offset = der.head(buffer, offset, der.SEQUENCE, len(_SUBJECT_ALT_NAME) + der.size(octets))
    offset = put(buffer, offset, _SUBJECT_ALT_NAME)
    offset = der.head(buffer, offset, der.OCTET_STRING, octets)
    offset = der.head(buffer, offset, der.SEQUENCE, names)
    for identifier in identifiers:
        offset = der.head(buffer, offset, _name_tag(identifier), len(identifier.raw))
        offset = put(buffer, offset, identifier.raw)
    return offset


class Fields:
    """What `read` found; made once, filled again and again. Offsets are into the buffer that was read.

    not_before, not_after       core seconds, clamped to 0..limits.NEVER (2020 to 2054)
    serial_start, serial_end    content bytes of serialNumber
    issuer_start/_end, subject_start/_end, spki_start/_end      whole elements, tag and length included
    aki_start, aki_end          issuer's keyIdentifier, -1 where there is none
    ski_start, ski_end          its own key's, -1 where there is none
    san_start, san_end          content of GeneralNames, -1 where there is none
    is_ca                       bool
    """

    def __init__(self):
        self.outer = der.Reader()
        self.middle = der.Reader()
        self.inner = der.Reader()
        self.clear()

    def clear(self):
        """Forget the certificate read before."""
        self.serial_start = self.serial_end = self.not_before = self.not_after = -1
        self.issuer_start = self.issuer_end = self.subject_start = self.subject_end = -1
        self.spki_start = self.spki_end = self.aki_start = self.aki_end = -1
        self.san_start = self.san_end = self.ski_start = self.ski_end = -1
        self.is_ca = False


def _two_digits(buffer, position):
    tens = buffer[position] - 48
    ones = buffer[position + 1] - 48
    if not (0 <= tens <= 9 and 0 <= ones <= 9):
        _bad("a date in it is malformed")
    return tens * 10 + ones


def _time(reader):
    """Core seconds of the next element, a UTCTime or GeneralizedTime (RFC 5280 4.1.2.5), clamped."""
    reader.next()
    buffer = reader.buffer
    position = reader.start
    four_digits = reader.tag == der.GENERALIZED_TIME
    # YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, and no other form that ASN.1 would allow.
    if reader.length() != (15 if four_digits else 13) or buffer[reader.end - 1] != 90:
        _bad("a date in it is malformed")
    if not four_digits and reader.tag != der.UTC_TIME:
        _bad("a date in it is malformed")
    year = _two_digits(buffer, position)
    position += 2
    if four_digits:
        year = year * 100 + _two_digits(buffer, position)
        position += 2
    else:
        year += 2000 if year < 50 else 1900  # RFC 5280 4.1.2.5.1
    month = _two_digits(buffer, position)
    day = _two_digits(buffer, position + 2)
    hour = _two_digits(buffer, position + 4)
    minute = _two_digits(buffer, position + 6)
    second = _two_digits(buffer, position + 8)
    moment = calendar.seconds(year, month, day, hour, minute, second)
    if moment < 0 or second > 59:  # RFC 5280 4.1.2.5 has no leap seconds
        _bad("a date in it is malformed")
    return moment


def _extension(fields, buffer):
    """Take one Extension, the current element of `fields.middle`, into the fields."""
    reader = fields.inner
    reader.load(buffer, fields.middle.start, fields.middle.end)
    reader.expect(der.OBJECT_IDENTIFIER)
    at = reader.start
    known = reader.length() == 3 and buffer[at] == 0x55 and buffer[at + 1] == 0x1D  # 2.5.29
    kind = buffer[at + 2] if known else 0
    if reader.next() and reader.tag == der.BOOLEAN:  # critical
        reader.next()
    if reader.tag != der.OCTET_STRING:
        _bad("one of its extensions is malformed")
    reader.finish()
    reader.load(buffer, reader.start, reader.end)
    if kind == _SAN:
        # Two of them could say different things to different readers.
        if fields.san_start >= 0:
            _bad("an extension stands in it twice")
        reader.only(der.SEQUENCE)
        fields.san_start = reader.position
        fields.san_end = reader.limit
        while reader.next():  # each must be well-formed, so that `match_san` cannot fail half way
            pass
    elif kind == _AUTHORITY_KEY:
        if fields.aki_start >= 0:
            _bad("an extension stands in it twice")
        reader.only(der.SEQUENCE)
        if reader.next() and reader.tag == der.IMPLICIT_0:
            fields.aki_start = reader.start
            fields.aki_end = reader.end
    elif kind == _SUBJECT_KEY:
        reader.only(der.OCTET_STRING)
        fields.ski_start = reader.position
        fields.ski_end = reader.limit
    elif kind == _BASIC_CONSTRAINTS:
        reader.only(der.SEQUENCE)
        has_flag = reader.next() and reader.tag == der.BOOLEAN and reader.length() == 1
        fields.is_ca = has_flag and buffer[reader.start] == 0xFF


def read(buffer, start, end, fields):
    """Read the DER certificate `buffer[start:end]` into the Fields `fields`. Allocates nothing.

    Raises RemoteError("der") or RemoteError("x509") for anything but one well-formed version 3 certificate that is
    valid for some time, and, unless it is a CA's, for at most limits.LIFETIME_MAX seconds.
    """
    fields.clear()
    reader = fields.outer
    reader.load(buffer, start, end)
    # Certificate: tbsCertificate, signatureAlgorithm, signatureValue, and nothing after it (RFC 5280 4.1).
    reader.only(der.SEQUENCE)
    # The body is walked last, when the rest is known to be there.
    reader.expect(der.SEQUENCE)
    body = reader.start
    body_end = reader.end
    reader.expect(der.SEQUENCE)
    reader.expect(der.BIT_STRING)
    reader.finish()
    # TBSCertificate, field by field, in the order of 4.1.
    reader.load(buffer, body, body_end)
    reader.next()
    if (
        reader.tag != der.EXPLICIT_0
        or reader.length() != len(_VERSION_3)
        or not same(buffer, reader.start, _VERSION_3, 0, len(_VERSION_3))
    ):
        _bad("it is not of version 3")
    reader.expect(der.INTEGER)
    # RFC 5280 4.1.2.2: positive, at most 20 bytes (and a zero byte for the sign).
    if not 1 <= reader.length() <= 21 or buffer[reader.start] > 127:
        _bad("its serial number is malformed")
    fields.serial_start = reader.start
    fields.serial_end = reader.end
    reader.expect(der.SEQUENCE)  # signature: the algorithm once more
    reader.expect(der.SEQUENCE)
    # Names are compared as bytes (7.1 allows that to fail for equal ones; CAs copy them), so heads are included.
    fields.issuer_start = reader.header
    fields.issuer_end = reader.end
    reader.expect(der.SEQUENCE)
    fields.inner.load(buffer, reader.start, reader.end)
    fields.not_before = _time(fields.inner)
    fields.not_after = _time(fields.inner)
    fields.inner.finish()
    reader.expect(der.SEQUENCE)
    fields.subject_start = reader.header
    fields.subject_end = reader.end
    reader.expect(der.SEQUENCE)
    fields.spki_start = reader.header
    fields.spki_end = reader.end
    while reader.next():
        if reader.tag == der.EXPLICIT_3:
            fields.middle.load(buffer, reader.start, reader.end)
            fields.middle.only(der.SEQUENCE)
            while fields.middle.next():
                _extension(fields, buffer)
        elif reader.tag != der.IMPLICIT_1 and reader.tag != der.IMPLICIT_2:  # unique identifiers, obsolete
            _bad("it has an unknown field")
    lifetime = fields.not_after - fields.not_before
    # No public CA issues for ten years, and a renewal planned for then would mean none.
    if lifetime <= 0 or not fields.is_ca and lifetime > limits.LIFETIME_MAX:
        _bad("it is valid for no time at all, or for more than ten years")


def match_san(buffer, fields, identifiers):
    """True when the certificate is for exactly these Identifiers: no more, no fewer. Allocates nothing."""
    if fields.san_start < 0:
        return False
    reader = fields.inner
    reader.load(buffer, fields.san_start, fields.san_end)
    # Each name of the certificate is wanted ...
    while reader.next():
        found = False
        for identifier in identifiers:
            if _is_for(buffer, reader, identifier):
                found = True
        if not found:
            return False
    # ... and each identifier is there.
    for identifier in identifiers:
        reader.load(buffer, fields.san_start, fields.san_end)
        found = False
        while reader.next():
            if _is_for(buffer, reader, identifier):
                found = True
        if not found:
            return False
    return True


def _is_for(buffer, reader, identifier):
    """True where the reader's current GeneralName is the identifier; names in any case (RFC 5280 7.2)."""
    raw = identifier.raw
    if reader.tag != _name_tag(identifier) or reader.length() != len(raw):
        return False
    position = reader.start
    for byte in raw:
        there = buffer[position]
        if there != byte and (identifier.family or not 65 <= there <= 90 or there + 32 != byte):
            return False
        position += 1
    return True


def is_named(buffer, child, parent):
    """True where the issuer in Fields `child` is the subject of `parent`, bytewise. Allocates nothing."""
    size = child.issuer_end - child.issuer_start
    if size != parent.subject_end - parent.subject_start:
        return False
    return same(buffer, child.issuer_start, buffer, parent.subject_start, size)


def is_issuer(buffer, child, parent):
    """True where Fields `parent` is a CA's that may have issued `child`: by name, and by key where both say which."""
    if not parent.is_ca or not is_named(buffer, child, parent):
        return False
    size = child.aki_end - child.aki_start
    if child.aki_start < 0 or parent.ski_start < 0:
        return True
    return size == parent.ski_end - parent.ski_start and same(
        buffer, child.aki_start, buffer, parent.ski_start, size
    )


def ari_id(buffer, offset, source, fields):
    """Write the certificate's ARI identifier (RFC 9773 4.1) to `buffer[offset:]`; return the new offset.

    `source` is the buffer that `fields` was read from; `buffer` needs ARI_SIZE bytes. Raises RemoteError("x509") without an
    authority key identifier, or with one of more than 64 bytes.
    """
    # The bound keeps the text within ARI_SIZE; key identifiers are hashes, SHA-1's in practice.
    if fields.aki_start < 0 or fields.aki_end - fields.aki_start > 64:
        _bad("it has no usable authority key identifier")
    offset = base64url.write_url(buffer, offset, source, fields.aki_start, fields.aki_end)
    offset = put(buffer, offset, b".")
    return base64url.write_url(buffer, offset, source, fields.serial_start, fields.serial_end)


class Pem:
    """A walk over the certificates of a PEM chain, one `next` at a time; made once. `position` is where it stands.

    Text between the blocks is passed over. A block of another kind, such as a private key, raises RemoteError("pem"), as do
    more than limits.CERTIFICATES blocks or one of more than limits.CERTIFICATE bytes.
    """

    def __init__(self):
        self.load(b"", 0, 0)

    def load(self, buffer, start, end):
        """Walk `buffer[start:end]` from its beginning."""
        self.buffer = buffer
        self.position = start
        self.end = end
        self.count = 0

    def _marker(self, position, text):
        size = len(text)
        if position + size > self.end or not same(self.buffer, position, text, 0, size):
            raise RemoteError("pem", "The CA sent no chain of PEM certificates.")
        return position + size

    def next(self, out, offset):
        """Decode the next certificate to `out[offset:]`; return the new offset, or `offset` where none is left."""
        buffer = self.buffer
        position = buffer.find(_ANY, self.position, self.end)
        if position < 0:
            self.position = self.end
            return offset
        position = stop = self._marker(position, _BEGIN)
        while stop < self.end and buffer[stop] != 45:  # a hyphen
            stop += 1
        self.position = self._marker(stop, _END)
        # Before anything is decoded: the base64 of a certificate is a third longer than its bytes.
        self.count += 1
        if self.count > limits.CERTIFICATES or stop - position > limits.CERTIFICATE * 3 // 2:
            raise RemoteError("pem", "The CA sent a chain that is too large.")
        end = base64url.read_pem(out, offset, buffer, position, stop)
        if end == offset:
            raise RemoteError("pem", "The CA sent an empty certificate.")
        return end


def pem_size(size):
    """Bytes that `write_pem` writes for a certificate of `size` bytes."""
    return (size + 2) // 3 * 4 + (size + 47) // 48 + len(_BEGIN) + len(_END) + 2


def write_pem(buffer, offset, source, start, end):
    """Write the certificate `source[start:end]` as a PEM block (RFC 7468 5); return the new offset. Allocates nothing."""
    offset = put(buffer, put(buffer, offset, _BEGIN), b"\n")
    offset = base64url.write_pem(buffer, offset, source, start, end)
    return put(buffer, put(buffer, offset, _END), b"\n")


def pem_to_der(buffer, size, out):
    """Decode the PEM chain `buffer[:size]` to `out`, one certificate after another; return the list of offsets. `out` may be
    `buffer` itself.

    The list has one more entry, the end: certificate i is `out[list[i]:list[i + 1]]`. At the edge: the list
    is allocated. `out` never needs more than `size * 3 // 4` bytes. Raises RemoteError("pem") or RemoteError("base64"),
    also where there is none, and LocalError("overflow").
    """
    walk = Pem()
    walk.load(buffer, 0, size)
    ends = [0]
    while True:
        end = walk.next(out, ends[-1])
        if end == ends[-1]:
            break
        ends.append(end)
    if len(ends) == 1:
        raise RemoteError("pem", "The CA sent no certificate.")
    return ends
