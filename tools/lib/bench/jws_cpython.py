"""Run by CPython, in an environment that has the peers, from tools/bench jws: prints one JSON object."""

import base64
import json
import subprocess
import sys
import tempfile
import time

import jws_work as work
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from ipcert.encoding import jws
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.sign import Signer

KEY = ec.derive_private_key(int(work.KEY, 16), ec.SECP256R1())
HEADER = {"alg": "ES256", "kid": work.KID, "nonce": work.NONCE, "url": work.URL}
MESSAGE = b"m" * 32


def ours():
    """(signer's name, the JWS alone, a whole request with its checks)."""
    signer = Signer(Entropy())
    signer.load(0, bytes.fromhex(work.KEY))
    writer = jws.Jws()
    writer.set_kid(work.KID)
    out = bytearray(2048)
    url, nonce, n = work.URL.encode(), work.NONCE.encode(), len(work.PAYLOAD)

    def request():
        return bytes(out[: writer.write(out, 0, signer, 0, url, nonce, work.PAYLOAD, n)])

    request()
    return signer.name, lambda: signer.jws(0, writer.parts, work.PAYLOAD, n, out, 0), request


def handwritten():
    """What one writes for one's own client: a preformatted header, base64, r||s by hand."""

    def b64(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = '{"alg":"ES256","kid":"%s","nonce":"%s","url":"%s"}'

    def run():
        protected = b64((head % (work.KID, work.NONCE, work.URL)).encode())
        payload = b64(work.PAYLOAD)
        der = KEY.sign(("%s.%s" % (protected, payload)).encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        return (
            '{"protected":"%s","payload":"%s","signature":"%s"}' % (protected, payload, signature)
        ).encode()

    return run


def pyjwt():
    """PyJWT makes a compact JWS; it is not turned into JSON here, which is in its favour."""
    import jwt

    return lambda: jwt.PyJWS().encode(work.PAYLOAD, KEY, algorithm="ES256", headers=HEADER).encode()


def josepy():
    """josepy alone knows no nonce and url; that is in its favour."""
    import josepy as library

    key, protect = library.JWKEC(key=KEY), frozenset(["alg"])

    def run():
        made = library.JWS.sign(payload=work.PAYLOAD, key=key, alg=library.ES256, protect=protect)
        return made.json_dumps().encode()

    return run


def acme():
    import josepy as library
    from acme import jws as acme_jws

    key = library.JWKEC(key=KEY)
    nonce = library.b64decode(work.NONCE)

    def run():
        made = acme_jws.JWS.sign(
            work.PAYLOAD, key=key, alg=library.ES256, nonce=nonce, url=work.URL, kid=work.KID
        )
        return made.json_dumps().encode()

    return run


def jwcrypto():
    from jwcrypto import jwk
    from jwcrypto import jws as library

    pem = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = jwk.JWK.from_pem(pem)
    registry = {n: library.JWSEHeaderParameter(n, True, True, None) for n in ("nonce", "url")}

    def run():
        token = library.JWS(work.PAYLOAD, header_registry=registry)
        token.add_signature(key, None, json.dumps(HEADER))
        return token.serialize().encode()

    return run


def openssl():
    """The `openssl` program, once for each signature, as shell clients do; base64 and r||s are not counted."""
    directory = tempfile.mkdtemp(prefix="ipcert-bench-")
    path = directory + "/key.pem"
    with open(path, "wb") as file:
        file.write(
            KEY.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    command = ["openssl", "dgst", "-sha256", "-sign", path]
    return lambda: subprocess.run(command, input=b"x" * 400, stdout=subprocess.PIPE, check=True).stdout


def check(name, made):
    """Verify one result, so that nothing is timed which is not a signature."""

    def unb64(text):
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    public = KEY.public_key()
    if name == "openssl":
        return public.verify(made, b"x" * 400, ec.ECDSA(hashes.SHA256()))
    if made[:1] == b"{":
        parts = json.loads(made)
        parts = parts["signatures"][0] | parts if "signatures" in parts else parts
        protected, payload, signature = parts["protected"], parts["payload"], parts["signature"]
    else:
        protected, payload, signature = made.decode().split(".")
    raw = unb64(signature)
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    return public.verify(der, ("%s.%s" % (protected, payload)).encode(), ec.ECDSA(hashes.SHA256()))


def main():
    name, hot, request = ours()
    check("ipcert", request())
    digest = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    contenders = [("raw", lambda: KEY.sign(MESSAGE, digest)), ("jws", hot), ("request", request)]
    for make in (handwritten, pyjwt, josepy, acme, jwcrypto, openssl):
        run = make()
        check(make.__name__, run())
        contenders.append((make.__name__, run))
    least = work.best(contenders, time.perf_counter, lambda n: 1 if n == "openssl" else 20)
    raw = least.pop("raw")
    ours_jws, whole = least.pop("jws"), least.pop("request")
    row = {"signer": name, "jws_us": ours_jws * 1e6, "raw_us": raw * 1e6, "ratio": ours_jws / raw}
    row["request_us"] = whole * 1e6
    peers = {n: {"jws_us": t * 1e6, "ratio": t / raw} for n, t in least.items()}
    print(json.dumps({"cpython": row, "peers": peers, "python": sys.version.split()[0]}))


if __name__ == "__main__":
    main()
