"""The external account binding (RFC 8555 7.3.4): a CA that sells accounts wants to know whose a new one is."""

from .. import limits
from ..encoding import p256
from ..encoding.base64url import write_url
from ..encoding.buffer import put
from ..encoding.hmac import hmac
from ..encoding.jws import plain

_MAC = bytearray(32)


def binding(account, policy):
    """What writes the binding of the key that is in the account's slot: bind(buffer, offset) returns the new offset."""

    def authenticate(data, start, end, out, at):
        return hmac(account.storage.sha256, policy.eab_key, data, start, end, out, at)

    def bind(buffer, offset):
        scratch = bytearray(40 + 2 * limits.URL)
        url = account.exchange.directory.new_account
        return write(buffer, offset, authenticate, policy.eab_kid, url, account.point, 0, scratch)

    return bind


def write(out, offset, hmac_of, kid, url, point, point_start, scratch):
    """Write an external account binding (RFC 8555 7.3.4), an HS256 JWS of the account's JWK, to `out[offset:]`.

    `hmac_of(buffer, start, end, mac, offset)` writes the 32-byte HMAC-SHA256 of `buffer[start:end]` by the key that the
    CA gave; `kid` is the CA's name for that key, `url` the newAccount URL, `scratch` a bytearray of 40 +
    2 * limits.URL bytes or more. Returns the new offset. Raises RemoteError("url") and LocalError("overflow").
    """
    size = put(scratch, 0, b'{"alg":"HS256","kid":"')
    size = put(scratch, size, plain(kid, limits.URL, "key identifier"))
    size = put(scratch, size, b'","url":"')
    size = put(scratch, size, plain(url, limits.URL, "URL"))
    size = put(scratch, size, b'"}')
    start = put(out, offset, b'{"protected":"')
    middle = write_url(out, start, scratch, 0, size)
    size = p256.write_jwk(scratch, 0, point, point_start)
    # The MAC is over "protected.payload"; then the payload is written again, where JSON has it.
    end = put(out, middle, b".")
    hmac_of(out, start, write_url(out, end, scratch, 0, size), _MAC, 0)
    offset = put(out, middle, b'","payload":"')
    offset = write_url(out, offset, scratch, 0, size)
    offset = put(out, offset, b'","signature":"')
    offset = write_url(out, offset, _MAC, 0, len(_MAC))
    return put(out, offset, b'"}')
