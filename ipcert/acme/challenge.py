"""What to publish for a challenge (RFC 8555 8.3, 8.4; RFC 8737; draft-ietf-acme-dns-persist)."""

from .. import limits
from ..encoding import alpn_certificate, base64url
from ..encoding.seal import write as _write_key
from ..errors import LocalError, RemoteError

HTTP = "http-01"
DNS = "dns-01"
PERSIST = "dns-persist-01"
ALPN = "tls-alpn-01"
FOR_NAMES = (HTTP, DNS, PERSIST, ALPN)
FOR_ADDRESSES = (HTTP, ALPN)  # RFC 8738 7 and 8: no DNS challenge for addresses


def identifier_of(identifiers, auth):
    """The Identifier that an authorization is about. Raises RemoteError where it is none of the order's."""
    for i in identifiers:
        value = i.value
        if i.family == 0 and value[:2] == "*.":
            if auth.wildcard and value[2:] == auth.value:
                return i
        elif value == auth.value and not auth.wildcard:
            return i
    raise RemoteError("authorization", "The CA wants to authorize something that was not ordered.")


def publish(dev, it, kind, identifier, auth):
    """Fill the action with what answers the challenge `kind` of the Authorization."""
    base = auth.value
    if kind == PERSIST:
        account = dev.journal.account.text()
        text = "%s; accounturi=%s" % (auth.issuer, account)
        if identifier.value[:2] == "*.":
            text += "; policy=wildcard"
        return it.publish(kind, identifier.value, "_validation-persist." + base, "", text.encode())
    text = auth.token.encode() + b"." + dev.accounts.thumbprint
    if kind == HTTP:
        return it.publish(kind, identifier.value, "", auth.token, text)
    digest = bytearray(32)
    dev.port.sha256(text, 0, len(text), digest, 0)
    if kind == DNS:
        value = bytearray(43)
        base64url.write_url(value, 0, digest, 0, 32)
        return it.publish(kind, identifier.value, "_acme-challenge." + base, auth.token, bytes(value))
    signer = dev.port.signer
    signer.generate(limits.SPARE)
    out = bytearray(alpn_certificate.SIZE)
    n = alpn_certificate.write(out, 0, signer, limits.SPARE, identifier, digest)
    key = bytearray(200)
    size = _write_key(dev.port, limits.SPARE, key, False)
    it.publish(kind, identifier.value, alpn_certificate.server_name(identifier), auth.token, text)
    it.key = bytes(key[:size])
    it.chain = bytes(out[:n])
    signer.erase(limits.SPARE)
    return None


def check(kind, identifiers):
    """Raise LocalError("challenge") where a challenge cannot prove one of the identifiers."""
    for i in identifiers:
        if kind not in (FOR_ADDRESSES if i.family else FOR_NAMES):
            raise LocalError("challenge", "%s cannot be proved by %s." % (i.value, kind))
        if i.value[:2] == "*." and kind in (HTTP, ALPN):
            raise LocalError(
                "challenge", "The wildcard %s needs dns-01 or dns-persist-01 (challenge_name)." % i.value
            )
