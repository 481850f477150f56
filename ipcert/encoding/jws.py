"""What ACME signs (RFC 8555 6.2, RFC 7515) by template: thumbprint, protected header, payloads that carry a key.

A template needs every value to stand in JSON as it is, so values from outside are checked, not escaped.
"""

from .. import limits
from ..errors import RemoteError
from . import p256
from .base64url import is_url, write_url
from .buffer import put

THUMBPRINT_SIZE = 43  # SHA-256 in base64url
_MAC = bytearray(32)


def _bytes(data):
    """A str as bytes, b"" where it has none (JSON can carry half a surrogate pair); bytes as they are."""
    if isinstance(data, str):
        try:
            return data.encode()
        except UnicodeError:
            return b""
    return data


def _plain(data, limit, what):
    """`data` (str or bytes-like) if it can stand in JSON as it is. Raises RemoteError; only a str allocates."""
    data = _bytes(data)
    good = 0 < len(data) <= limit
    for c in data:
        if c < 0x21 or c > 0x7E or c == 0x22 or c == 0x5C:
            good = False
    if not good:
        raise RemoteError("url", "The CA sent a %s that is empty, too long or not plain ASCII." % what)
    return data


def is_nonce(nonce):
    """True for what may be used as a Replay-Nonce: base64url, not empty, bounded (RFC 8555 6.5.1)."""
    return is_url(nonce, 1, limits.NONCE)


def thumbprint(buf, off, signer, point, poff, scratch):
    """Write the JWK thumbprint (RFC 7638, 43 characters) of a point to `buf[off:]`; return the new offset.

    `scratch` is a bytearray of p256.JWK + 32 bytes or more.
    """
    n = p256.write_jwk(scratch, 0, point, poff)
    end = signer.sha256(scratch, 0, n, scratch, n)
    return write_url(buf, off, scratch, n, end)


class Jws:
    """The protected headers of one ACME account, made once; the signer fills in the rest.

    Start with `set_jwk` (newAccount, or revocation by a certificate's key) or `set_kid` (everything else).
    """

    def __init__(self):
        self.jwk = bytearray(p256.JWK)
        self.with_kid = [p256.JWS_ALGORITHM + b'"kid":"', b"", b'","nonce":"', b"", b'","url":"', b"", b'"}']
        self.with_jwk = [
            p256.JWS_ALGORITHM + b'"jwk":',
            self.jwk,
            b',"nonce":"',
            b"",
            b'","url":"',
            b"",
            b'"}',
        ]
        self.inner = [p256.JWS_ALGORITHM + b'"jwk":', self.jwk, b',"url":"', b"", b'"}']
        self.parts = self.with_jwk

    def set_kid(self, url):
        """Name the account by its URL (str or bytes; RFC 8555 6.2) from now on. Raises RemoteError("url")."""
        self.with_kid[1] = _plain(url, limits.URL, "account URL")
        self.parts = self.with_kid

    def set_jwk(self, point, poff=0):
        """Carry the public key `point[poff:]]` itself from now on."""
        p256.write_jwk(self.jwk, 0, point, poff)
        self.parts = self.with_jwk

    def write(self, out, off, signer, slot, url, nonce, payload, n):
        """Write the finished request body for `url` to `out[off:]`; return the new offset.

        `payload[:n]` is the payload; n = 0 makes a POST-as-GET (RFC 8555 6.3). `url` and `nonce` are bytes,
        or str at the cost of an allocation. Raises RemoteError("url"), RemoteError("nonce") and what the signer
        raises.
        """
        nonce = _bytes(nonce)
        if not is_nonce(nonce):
            raise RemoteError("nonce", "The CA sent a nonce that is not base64url of a sane length.")
        parts = self.parts
        parts[3] = nonce
        parts[5] = _plain(url, limits.URL, "URL")
        return signer.jws(slot, parts, payload, n, out, off)

    def write_inner(self, out, off, signer, slot, url, payload, n):
        """Write the inner JWS of a key change (RFC 8555 7.3.5): the new key in `slot` signs, without a nonce.

        `set_jwk` must have been called with the new key's point; `url` is that of the outer request.
        """
        self.inner[3] = _plain(url, limits.URL, "URL")
        return signer.jws(slot, self.inner, payload, n, out, off)


def write_key_change(buf, off, account, point, poff):
    """Write the payload of a key change: the account's URL and the old key's JWK (RFC 8555 7.3.5)."""
    off = put(buf, off, b'{"account":"')
    off = put(buf, off, _plain(account, limits.URL, "account URL"))
    off = put(buf, off, b'","oldKey":')
    off = p256.write_jwk(buf, off, point, poff)
    return put(buf, off, b"}")


def write_binding(out, off, hmac, kid, url, point, poff, scratch):
    """Write an external account binding (RFC 8555 7.3.4), an HS256 JWS of the account's JWK, to `out[off:]`.

    `hmac(buf, start, end, mac, off)` writes the 32-byte HMAC-SHA256 of `buf[start:end]` by the key that the
    CA gave; `kid` is the CA's name for that key, `url` the newAccount URL, `scratch` a bytearray of 40 +
    2 * limits.URL bytes or more. Returns the new offset. Raises RemoteError("url") and LocalError("overflow").
    """
    n = put(scratch, 0, b'{"alg":"HS256","kid":"')
    n = put(scratch, n, _plain(kid, limits.URL, "key identifier"))
    n = put(scratch, n, b'","url":"')
    n = put(scratch, n, _plain(url, limits.URL, "URL"))
    n = put(scratch, n, b'"}')
    start = put(out, off, b'{"protected":"')
    middle = write_url(out, start, scratch, 0, n)
    n = p256.write_jwk(scratch, 0, point, poff)
    # The MAC is over "protected.payload"; then the payload is written again, where JSON has it.
    end = put(out, middle, b".")
    hmac(out, start, write_url(out, end, scratch, 0, n), _MAC, 0)
    off = put(out, middle, b'","payload":"')
    off = write_url(out, off, scratch, 0, n)
    off = put(out, off, b'","signature":"')
    off = write_url(out, off, _MAC, 0, 32)
    return put(out, off, b'"}')
