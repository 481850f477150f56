"""Reading what ipcert needs from certificates (RFC 5280 4.1) and PEM chains (RFC 8555 9.1, RFC 7468).

Nothing is verified against a key here: the CA's answer came over verified TLS, and the peer that matters
verifies. What is checked is that the certificate is the one that was asked for, and that garbage is
noticed.
"""

from .. import limits
from ..errors import RemoteError
from . import base64url, calendar, der
from .buffer import put, same

ARI_SIZE = 115  # bytes that `ari_id` writes at most: 64 of a key identifier (SHA-512's), 21 of a serial
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"


def _bad(why):
    raise RemoteError("x509", "The CA's certificate cannot be used: %s." % why)


class Fields:
    """What `read` found; made once, filled again and again. Offsets are into the buffer that was read.

    not_before, not_after       core seconds, clamped to 0..limits.NEVER (2020 to 2054)
    serial_start, serial_end    content bytes of serialNumber
    issuer_start/_end, subject_start/_end, spki_start/_end      whole elements, tag and length included
    aki_start, aki_end          issuer's keyIdentifier, -1 where there is none
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
        self.san_start = self.san_end = -1
        self.is_ca = False


def _two(buf, at):
    a = buf[at] - 48
    b = buf[at + 1] - 48
    if not (0 <= a <= 9 and 0 <= b <= 9):
        _bad("a date in it is malformed")
    return a * 10 + b


def _time(r):
    """Core seconds of the next element, a UTCTime or GeneralizedTime (RFC 5280 4.1.2.5), clamped."""
    r.next()
    at = r.start
    buf = r.buf
    n = r.end - at
    if not (r.tag == 0x17 and n == 13 or r.tag == 0x18 and n == 15) or buf[r.end - 1] != 90:
        _bad("a date in it is malformed")
    year = _two(buf, at)
    at += 2
    if n == 15:
        year = year * 100 + _two(buf, at)
        at += 2
    else:
        year += 2000 if year < 50 else 1900
    month = _two(buf, at)
    day = _two(buf, at + 2)
    hour = _two(buf, at + 4)
    minute = _two(buf, at + 6)
    second = _two(buf, at + 8)
    moment = calendar.seconds(year, month, day, hour, minute, second)
    if moment < 0 or second > 59:  # RFC 5280 4.1.2.5 has no leap seconds
        _bad("a date in it is malformed")
    return moment


def _extension(f, buf):
    """Take one Extension, the current element of `f.middle`, into the fields."""
    r = f.inner
    r.load(buf, f.middle.start, f.middle.end)
    r.expect(0x06)
    known = r.end - r.start == 3 and buf[r.start] == 0x55 and buf[r.start + 1] == 0x1D
    kind = buf[r.start + 2] if known else 0
    if r.next() and r.tag == 0x01:
        r.next()
    if r.tag != 0x04:
        _bad("one of its extensions is malformed")
    r.finish()
    r.enter()
    if kind == 0x11:  # subjectAltName
        if f.san_start >= 0:
            _bad("an extension stands in it twice")
        r.expect(0x30)
        r.finish()
        f.san_start = r.start
        f.san_end = r.end
        r.enter()
        while r.next():
            pass
    elif kind == 0x23:  # authorityKeyIdentifier
        if f.aki_start >= 0:
            _bad("an extension stands in it twice")
        r.expect(0x30)
        r.finish()
        r.enter()
        if r.next() and r.tag == 0x80:
            f.aki_start = r.start
            f.aki_end = r.end
    elif kind == 0x13:  # basicConstraints
        r.expect(0x30)
        r.finish()
        r.enter()
        f.is_ca = r.next() and r.tag == 0x01 and r.end - r.start == 1 and buf[r.start] == 0xFF


def read(buf, start, end, f):
    """Read the DER certificate `buf[start:end]` into the Fields `f`. Allocates nothing.

    Raises RemoteError("der") or RemoteError("x509") for anything but one well-formed version 3 certificate that is
    valid for some time, and, unless it is a CA's, for at most limits.LIFETIME_MAX seconds.
    """
    f.clear()
    r = f.outer
    r.load(buf, start, end)
    r.expect(0x30)
    r.finish()
    r.enter()
    r.expect(0x30)
    tbs = r.start
    tbs_end = r.end
    r.expect(0x30)
    r.expect(0x03)
    r.finish()
    r.load(buf, tbs, tbs_end)
    r.next()
    if r.tag != 0xA0 or r.end - r.start != 3 or not same(buf, r.start, b"\x02\x01\x02", 0, 3):
        _bad("it is not of version 3")
    r.expect(0x02)
    # RFC 5280 4.1.2.2: positive, at most 20 bytes (and a zero byte for the sign).
    if not 1 <= r.end - r.start <= 21 or buf[r.start] > 127:
        _bad("its serial number is malformed")
    f.serial_start = r.start
    f.serial_end = r.end
    r.expect(0x30)
    r.expect(0x30)
    f.issuer_start = r.header
    f.issuer_end = r.end
    r.expect(0x30)
    f.inner.load(buf, r.start, r.end)
    f.not_before = _time(f.inner)
    f.not_after = _time(f.inner)
    f.inner.finish()
    r.expect(0x30)
    f.subject_start = r.header
    f.subject_end = r.end
    r.expect(0x30)
    f.spki_start = r.header
    f.spki_end = r.end
    while r.next():
        if r.tag == 0xA3:
            f.middle.load(buf, r.start, r.end)
            f.middle.expect(0x30)
            f.middle.finish()
            f.middle.enter()
            while f.middle.next():
                _extension(f, buf)
        elif r.tag != 0x81 and r.tag != 0x82:
            _bad("it has an unknown field")
    if f.not_after <= f.not_before or not f.is_ca and f.not_after - f.not_before > limits.LIFETIME_MAX:
        _bad("it is valid for no time at all, or for more than ten years")


def match_san(buf, f, identifiers):
    """True when the certificate is for exactly these Identifiers: no more, no fewer. Allocates nothing."""
    if f.san_start < 0:
        return False
    r = f.inner
    r.load(buf, f.san_start, f.san_end)
    while r.next():
        found = False
        for i in identifiers:
            if _is(buf, r, i):
                found = True
        if not found:
            return False
    for i in identifiers:
        r.load(buf, f.san_start, f.san_end)
        found = False
        while r.next():
            if _is(buf, r, i):
                found = True
        if not found:
            return False
    return True


def _is(buf, r, i):
    n = len(i.raw)
    return r.tag == (0x87 if i.family else 0x82) and r.end - r.start == n and same(buf, r.start, i.raw, 0, n)


def check_chain_order(buf, child, parent):
    """Raise RemoteError("x509") unless the issuer in Fields `child` is the subject of `parent`, bytewise."""
    n = child.issuer_end - child.issuer_start
    if n != parent.subject_end - parent.subject_start:
        _bad("the chain is not in order")
    if not same(buf, child.issuer_start, buf, parent.subject_start, n):
        _bad("the chain is not in order")


def ari_id(buf, off, src, f):
    """Write the certificate's ARI identifier (RFC 9773 4.1) to `buf[off:]`; return the new offset.

    `src` is the buffer that `f` was read from; `buf` needs ARI_SIZE bytes. Raises RemoteError("x509") without an
    authority key identifier, or with one of more than 64 bytes.
    """
    if f.aki_start < 0 or f.aki_end - f.aki_start > 64:
        _bad("it has no usable authority key identifier")
    off = base64url.write_url(buf, off, src, f.aki_start, f.aki_end)
    off = put(buf, off, b".")
    return base64url.write_url(buf, off, src, f.serial_start, f.serial_end)


class Pem:
    """A walk over the certificates of a PEM chain, one `next` at a time; made once. `pos` is where it stands.

    Only CERTIFICATE blocks and white space may stand there (RFC 8555 9.1): a private key, a comment or HTML
    raises RemoteError("pem"), as do more than limits.CERTIFICATES blocks or one of more than limits.CERTIFICATE
    bytes.
    """

    def __init__(self):
        self.load(b"", 0, 0)

    def load(self, buf, start, end):
        """Walk `buf[start:end]` from its beginning."""
        self.buf = buf
        self.pos = start
        self.end = end
        self.count = 0

    def _marker(self, at, text):
        n = len(text)
        if at + n > self.end or not same(self.buf, at, text, 0, n):
            raise RemoteError("pem", "The CA sent no chain of PEM certificates.")
        return at + n

    def next(self, out, off):
        """Decode the next certificate to `out[off:]`; return the new offset, or `off` where none is left."""
        buf = self.buf
        at = self.pos
        while at < self.end and (buf[at] == 10 or buf[at] == 13 or buf[at] == 32 or buf[at] == 9):
            at += 1
        self.pos = at
        if at == self.end:
            return off
        at = stop = self._marker(at, _BEGIN)
        while stop < self.end and buf[stop] != 45:
            stop += 1
        self.pos = self._marker(stop, _END)
        self.count += 1
        if self.count > limits.CERTIFICATES or stop - at > limits.CERTIFICATE * 3 // 2:
            raise RemoteError("pem", "The CA sent a chain that is too large.")
        end = base64url.read_pem(out, off, buf, at, stop)
        if end == off:
            raise RemoteError("pem", "The CA sent an empty certificate.")
        return end


def pem_to_der(buf, n, out):
    """Decode the PEM chain `buf[:n]` to `out`, one certificate after another; return the list of offsets.

    The list has one more entry, the end: certificate i is `out[list[i]:list[i + 1]]`. At the edge: the list
    is allocated. `out` never needs more than `n * 3 // 4` bytes. Raises RemoteError("pem") or RemoteError("base64"),
    also where there is none, and LocalError("overflow").
    """
    walk = Pem()
    walk.load(buf, 0, n)
    ends = [0]
    while True:
        end = walk.next(out, ends[-1])
        if end == ends[-1]:
            break
        ends.append(end)
    if len(ends) == 1:
        raise RemoteError("pem", "The CA sent no certificate.")
    return ends
