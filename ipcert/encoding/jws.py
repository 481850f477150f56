"""What ACME signs (RFC 8555 6.2, RFC 7515) by template: thumbprint, protected header, and what a template takes.

Each request is a flattened JWS: the base64url of a protected header, of a payload, and of the signature over both. The
header has the same members every time, so it is a list of pieces in which three are replaced: who signs, the nonce,
the URL. The port's signer gets the pieces and does the rest (`signer.jws`): there lies the hot path, in C on firmware.

What holds:

- A template needs every value to stand in JSON as it is, so values from outside are checked and not escaped. A value
  with a quote in it could add members to what we sign.
- Members stand in one fixed order without white space. The CA does not care; the thumbprint does (RFC 7638 3.2), and
  it decides which account a challenge is for.
- A request names its account ("kid") or carries the key ("jwk"), never both (6.2). Only newAccount and a revocation by
  a certificate's own key carry one.
- Nothing is allocated while a request is written, so that a device whose heap is full can still renew.
"""

from .. import limits
from ..errors import RemoteError
from . import p256
from .base64url import is_url, write_url

THUMBPRINT_SIZE = 43  # SHA-256 in base64url
_NONCE = 3  # which piece of a header is the nonce,
_URL = 5  # and which the URL;
_INNER_URL = 3  # the inner header of a key change has no nonce (7.3.5)


def _bytes(data):
    """A str as bytes, b"" where it has none (JSON can carry half a surrogate pair); bytes as they are."""
    # An empty result is refused by whoever checks it next.
    if isinstance(data, str):
        try:
            return data.encode()
        except UnicodeError:
            return b""
    return data


def plain(data, limit, member):
    """`data` (str or bytes-like) if it can stand in JSON as it is. Raises RemoteError; only a str allocates."""
    data = _bytes(data)
    good = 0 < len(data) <= limit
    for character in data:
        # No control characters, no space, nothing beyond ASCII, no quote, no backslash.
        if character < 0x21 or character > 0x7E or character == 0x22 or character == 0x5C:
            good = False
    if not good:
        raise RemoteError("url", "The CA sent a %s that is empty, too long or not plain ASCII." % member)
    return data


def is_nonce(nonce):
    """True for what may be used as a Replay-Nonce: base64url, not empty, bounded (RFC 8555 6.5.1)."""
    return is_url(nonce, 1, limits.NONCE)


def thumbprint(buffer, offset, signer, point, start, scratch):
    """Write the JWK thumbprint (RFC 7638, 43 characters) of a point to `buffer[offset:]`; return the new offset.

    `scratch` is a bytearray of p256.JWK + 32 bytes or more.
    """
    # The JWK and its hash stand one after the other in the scratch buffer; only the hash's text leaves it.
    size = p256.write_jwk(scratch, 0, point, start)
    end = signer.sha256(scratch, 0, size, scratch, size)
    return write_url(buffer, offset, scratch, size, end)


class Jws:
    """The protected headers of one ACME account, made once; the signer fills in the rest.

    Start with `set_jwk` (newAccount, or revocation by a certificate's key) or `set_kid` (everything else).
    """

    def __init__(self):
        self.jwk = bytearray(p256.JWK)
        start = p256.JWS_ALGORITHM
        self.with_kid = [start + b'"kid":"', b"", b'","nonce":"', b"", b'","url":"', b"", b'"}']
        self.with_jwk = [start + b'"jwk":', self.jwk, b',"nonce":"', b"", b'","url":"', b"", b'"}']
        self.parts = self.with_jwk  # whichever of the two is in use

    def set_kid(self, url):
        """Name the account by its URL (str or bytes; RFC 8555 6.2) from now on. Raises RemoteError("url")."""
        self.with_kid[1] = plain(url, limits.URL, "account URL")
        self.parts = self.with_kid

    def set_jwk(self, point, start=0):
        """Carry the public key `point[start:]` itself from now on."""
        p256.write_jwk(self.jwk, 0, point, start)
        self.parts = self.with_jwk

    def write(self, out, offset, signer, slot, url, nonce, payload, size):
        """Write the finished request body for `url` to `out[offset:]`; return the new offset.

        `payload[:size]` is the payload; size 0 makes a POST-as-GET (RFC 8555 6.3). `url` and `nonce` are bytes,
        or str at the cost of an allocation. Raises RemoteError("url"), RemoteError("nonce") and what the signer
        raises.
        """
        checked = _bytes(nonce)
        if not is_nonce(checked):
            raise RemoteError("nonce", "The CA sent a nonce that is not base64url of a sane length.")
        # The pieces are changed in place: the next request overwrites them.
        parts = self.parts
        parts[_NONCE] = checked
        parts[_URL] = plain(url, limits.URL, "URL")
        return signer.jws(slot, parts, payload, size, out, offset)
