"""What answers tls-alpn-01 (RFC 8737, RFC 8738 6). Only a device that answers this type has it in memory, or in flash."""

from .. import limits
from ..encoding import alpn_certificate, p256
from ..encoding.key_file import write as _write_key


def answer(row, publisher, action, identifier, authorization):
    """A self-signed certificate that carries the digest (RFC 8737 3), with a key that lives as long as the challenge."""
    text = publisher.key_authorization(authorization)
    digest = publisher.digest(text)
    signer = publisher.port.signer
    signer.generate(limits.SPARE)
    certificate = bytearray(alpn_certificate.SIZE)
    end = alpn_certificate.write(certificate, 0, signer, limits.SPARE, identifier, digest)
    key = bytearray(p256.PKCS8)
    size = _write_key(publisher.port, limits.SPARE, key, False)
    name = alpn_certificate.server_name(identifier)
    action.publish(row.name, identifier.value, name, authorization.token, text)
    action.key = bytes(key[:size])
    action.chain = bytes(certificate[:end])
    signer.erase(limits.SPARE)
