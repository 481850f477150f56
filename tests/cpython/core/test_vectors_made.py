"""The committed vectors are what their generator makes, and what we write verifies in `jwcrypto`."""

import json
import pathlib
import subprocess
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jwcrypto import jwk
from jwcrypto import jws as jose
from jwcrypto.common import JWSEHeaderParameter

from ipcert import limits
from ipcert.encoding import base64url, jws
from ipcert.errors import RemoteError

MAKE = pathlib.Path(__file__).parents[2] / "vectors" / "make.py"
KEY = ec.derive_private_key(11, ec.SECP256R1())
POINT = KEY.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
HEADER = JWSEHeaderParameter("of RFC 8555 6.2", mustprotect=True, supported=True, check_fn=None)
URL = b"https://ca.example.org/acme/new-order"


class Signer:
    """One key of `cryptography`, writing the flattened JWS (RFC 7515 7.2.2) as a port's signer does."""

    def jws(self, slot, parts, payload, n, out, off):
        head = text(b"".join(bytes(p) for p in parts))
        body = text(bytes(payload[:n]))
        r, s = decode_dss_signature(KEY.sign(head + b"." + body, ec.ECDSA(hashes.SHA256())))
        signature = text(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        done = b'{"protected":"%s","payload":"%s","signature":"%s"}' % (head, body, signature)
        out[off : off + len(done)] = done
        return off + len(done)


def text(data):
    """base64url as bytes."""
    buf = bytearray(len(data) * 4 // 3 + 4)
    return bytes(buf[: base64url.write_url(buf, 0, data, 0, len(data))])


def test_vectors_are_what_the_generator_makes():
    done = subprocess.run([sys.executable, str(MAKE), "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=500), st.text("abcXYZ019-_", min_size=1, max_size=limits.NONCE), st.booleans())
def test_requests_verify_elsewhere(payload, nonce, with_kid):
    writer = jws.Jws()
    writer.set_jwk(POINT)
    if with_kid:
        writer.set_kid("https://ca.example.org/acct/1")
    out = bytearray(3000)
    end = writer.write(out, 0, Signer(), 0, URL, nonce, payload, len(payload))
    token = jose.JWS(header_registry={name: HEADER for name in ("nonce", "url")})
    token.deserialize(bytes(out[:end]).decode(), jwk.JWK.from_json(bytes(writer.jwk).decode()))
    assert token.payload == payload
    header = json.loads(token.objects["protected"])
    assert (header["url"], header["nonce"], header["alg"]) == (URL.decode(), nonce, "ES256")
    assert ("kid" in header) == with_kid and ("jwk" in header) != with_kid


@given(st.text(max_size=60) | st.binary(max_size=60))
@example("\ud800" * 22)
def test_values_from_outside_are_theirs_or_plain_json(value):
    writer = jws.Jws()
    try:
        writer.set_kid(value)
    except RemoteError as e:
        assert e.code == "url"
    else:
        kid = value if isinstance(value, str) else value.decode()
        assert json.loads(b'"' + bytes(writer.with_kid[1]) + b'"') == kid
    assert not jws.is_nonce(value) or len(value) <= limits.NONCE
