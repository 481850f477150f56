"""The key change of an account (RFC 8555 7.3.5): a JWS by the new key, which is the payload of one by the old key."""

from .. import limits
from ..encoding import p256
from ..encoding.buffer import put
from ..encoding.jws import plain


def write_payload(buffer, offset, account, point, start):
    """Write the inner payload: the account's URL and the old key's JWK; return the new offset."""
    offset = put(buffer, offset, b'{"account":"')
    offset = put(buffer, offset, plain(account, limits.URL, "account URL"))
    offset = put(buffer, offset, b'","oldKey":')
    offset = p256.write_jwk(buffer, offset, point, start)
    return put(buffer, offset, b"}")


def write(out, offset, signer, slot, point, url, payload, size):
    """Write the inner JWS: the new key in `slot` signs, without a nonce; return the new offset.

    `point` is the new key's, `url` that of the outer request. Raises RemoteError("url").
    """
    jwk = bytearray(p256.JWK)
    p256.write_jwk(jwk, 0, point, 0)
    parts = [p256.JWS_ALGORITHM + b'"jwk":', jwk, b',"url":"', plain(url, limits.URL, "URL"), b'"}']
    return signer.jws(slot, parts, payload, size, out, offset)
