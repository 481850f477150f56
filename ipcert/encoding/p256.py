"""P-256 (secp256r1, RFC 5480): every size, object identifier and template that depends on the curve, and nowhere else.

ipcert has one curve, for the account's key and for every certificate's: it is the most common choice, so it marks
nobody (DESIGN, "Keys"), and every CA and browser takes it. No arithmetic happens here. A port's signer holds the keys
and makes the signatures; this file knows how long they are and what is written around them.

A key crosses these lines in three shapes:

    scalar     SCALAR bytes, big-endian: the secret half (SEC 1 2.3.7)
    point      POINT bytes: 0x04, then x and y (SEC 1 2.3.3, uncompressed; RFC 5480 2.2)
    signature  SIGNATURE bytes: r and s, as JWS wants them (RFC 7518 3.4); certificates want DER around them

Because the sizes are fixed, SubjectPublicKeyInfo, PKCS #8 and the JWK are a constant beginning and the key's bytes:
nothing is computed, and a key file is read by comparing it with what this file would have written.

Another curve is another file like this one. What would have to change besides: `limits`, the sizes of the buffers
that ports make for a point or a signature, and the signers themselves.
"""

from . import der
from .base64url import write_url
from .buffer import copy, put, same

SCALAR = 32
POINT = 65
SIGNATURE = 64
PAIR = SCALAR + POINT  # both halves of a key, the scalar first
SPKI = 91  # what `write_spki` writes
PKCS8 = 138  # what `write_pkcs8` writes
_PKCS8_SCALAR = 36  # where the scalar stands in it
_PKCS8_POINT = 73
JWK = 126  # what `write_jwk` writes
JWS_ALGORITHM = b'{"alg":"ES256",'  # how each protected header begins (RFC 7518 3.1)

# AlgorithmIdentifier ecdsa-with-SHA256 (RFC 5758 3.2).
ECDSA_SHA256 = b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
# SubjectPublicKeyInfo up to its point: id-ecPublicKey with secp256r1 (RFC 5480 2.1.1), and a BIT STRING's head.
_SPKI = (
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    b"\x03\x42\x00"
)
# PKCS #8 up to the scalar of the ECPrivateKey in it (RFC 5958 2, RFC 5915 3), and what stands before its point.
_PKCS8 = (
    b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d"
    b"\x03\x01\x07\x04\x6d\x30\x6b\x02\x01\x01\x04\x20"
)
_PKCS8_BEFORE_POINT = b"\xa1\x44\x03\x42\x00"


def write_spki(buffer, offset, point, start):
    """Write SubjectPublicKeyInfo (RFC 5480 2; SPKI bytes) of `point[start:]`; return the new offset."""
    return copy(buffer, put(buffer, offset, _SPKI), point, start, start + POINT)


def write_pkcs8(buffer, offset, pair):
    """Write a private key as PKCS #8 (RFC 5958 2, RFC 5915 3; PKCS8 bytes); return the new offset.

    `pair` is its scalar and its point. The bytes are a secret: the caller wipes them.
    """
    offset = copy(buffer, put(buffer, offset, _PKCS8), pair, 0, SCALAR)
    return copy(buffer, put(buffer, offset, _PKCS8_BEFORE_POINT), pair, SCALAR, PAIR)


def read_pkcs8(data, pair):
    """Fill `pair` from PKCS #8 as `write_pkcs8` writes it, byte for byte; False where it is anything else."""
    if len(data) != PKCS8:
        return False
    copy(pair, 0, data, _PKCS8_SCALAR, _PKCS8_SCALAR + SCALAR)
    copy(pair, SCALAR, data, _PKCS8_POINT, _PKCS8_POINT + POINT)
    before_point = _PKCS8_POINT - len(_PKCS8_BEFORE_POINT)
    return same(data, 0, _PKCS8, 0, _PKCS8_SCALAR) and same(
        data, before_point, _PKCS8_BEFORE_POINT, 0, len(_PKCS8_BEFORE_POINT)
    )


def write_jwk(buffer, offset, point, start):
    """Write the public key `point[start:]` as a JWK (RFC 7517, RFC 7518 6.2; JWK bytes); return the new offset.

    Members stand in lexicographic order without white space, as the thumbprint wants them (RFC 7638 3.2).
    """
    offset = put(buffer, offset, b'{"crv":"P-256","kty":"EC","x":"')
    # The point's first byte says "uncompressed"; x and y follow.
    offset = write_url(buffer, offset, point, start + 1, start + 33)
    offset = put(buffer, offset, b'","y":"')
    offset = write_url(buffer, offset, point, start + 33, start + POINT)
    return put(buffer, offset, b'"}')


def _first(signature, start):
    """The offset of the first byte that a minimal INTEGER of the half signature at `start` keeps."""
    last = start + SCALAR - 1
    while start < last and signature[start] == 0:
        start += 1
    return start


def _write_integer(buffer, offset, source, start, end):
    """Write the unsigned big-endian `source[start:end]` as an INTEGER; return the new offset."""
    sign = source[start] >> 7  # a leading 1 bit would make it negative: a zero byte goes before it
    offset = der.head(buffer, offset, der.INTEGER, end - start + sign)
    if sign:
        offset = put(buffer, offset, b"\0")
    return copy(buffer, offset, source, start, end)


def signature_size(signature, start):
    """Bytes that `write_signature` will write: 8 to 72."""
    r_start = _first(signature, start)
    s_start = _first(signature, start + SCALAR)
    # Three heads of two bytes, what is left of r and s, and a sign byte for each whose first bit is set.
    lengths = start + SCALAR - r_start + start + SIGNATURE - s_start
    return 6 + lengths + (signature[r_start] >> 7) + (signature[s_start] >> 7)


def write_signature(buffer, offset, signature, start):
    """Write `signature[start:]` as ECDSA-Sig-Value (RFC 3279 2.2.3); return the new offset."""
    middle = start + SCALAR
    offset = der.head(buffer, offset, der.SEQUENCE, signature_size(signature, start) - 2)
    offset = _write_integer(buffer, offset, signature, _first(signature, start), middle)
    return _write_integer(buffer, offset, signature, _first(signature, middle), start + SIGNATURE)


def signed_size(signature):
    """Bytes that `write_signed` will write."""
    return len(ECDSA_SHA256) + der.size(1 + signature_size(signature, 0))


def write_signed(buffer, offset, signature):
    """Write what follows a signed body in a certificate or request: algorithm and signature (RFC 5280 4.1.1.2)."""
    offset = put(buffer, offset, ECDSA_SHA256)
    offset = der.head(buffer, offset, der.BIT_STRING, 1 + signature_size(signature, 0))
    offset = put(buffer, offset, b"\0")  # a BIT STRING without unused bits
    return write_signature(buffer, offset, signature, 0)
