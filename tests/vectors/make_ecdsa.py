"""Makes ecdsa.json: P-256 signatures with RFC 6979 nonces, with and without additional data, and edge cases after
Wycheproof's: extreme keys and digests, leading zeros in r and s, keys out of range. `python make_ecdsa.py [--check]`.

The signatures come from the `ecdsa` package (pure Python); `cryptography` (OpenSSL) verifies each, and agrees on every
deterministic one and every public key. The library under test is neither of the two.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from ecdsa import NIST256p, SigningKey
from ecdsa.util import sigencode_string

OUT = Path(__file__).with_name("ecdsa.json")
N = NIST256p.order
P = NIST256p.curve.p()
SHA256 = utils.Prehashed(hashes.SHA256())

# RFC 6979 A.2.5 gives these four values for SHA-256; they are compared, not computed.
RFC_KEY = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
RFC = {
    "sample": "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    "test": "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
    "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
}


def octets(value):
    return value.to_bytes(32, "big")


def drawn(label):
    """32 bytes that are the same every time."""
    return hashlib.sha256(b"ipcert " + label.encode()).digest()


def openssl(d):
    return ec.derive_private_key(d, ec.SECP256R1())


def sign(d, digest, extra=b""):
    """r || s, checked by OpenSSL."""
    key = SigningKey.from_secret_exponent(d, NIST256p, hashlib.sha256)
    rs = key.sign_digest_deterministic(digest, hashlib.sha256, sigencode_string, extra)
    r, s = int.from_bytes(rs[:32], "big"), int.from_bytes(rs[32:], "big")
    openssl(d).public_key().verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(SHA256))
    if not extra and deterministic(d, digest) != (r, s):
        raise SystemExit("OpenSSL's RFC 6979 differs for %x" % d)
    return rs


def deterministic(d, digest):
    der = openssl(d).sign(digest, ec.ECDSA(SHA256, deterministic_signing=True))
    return utils.decode_dss_signature(der)


def search(what, good):
    """The first digest of a numbered series whose deterministic (r, s) by the RFC's key is `good`."""
    number = 0
    while True:
        digest = drawn("%s %d" % (what, number))
        if good(*deterministic(RFC_KEY, digest)):
            return digest
        number += 1


def signatures():
    found = []

    def add(comment, d, digest, extra=b""):
        found.append(
            {
                "comment": comment,
                "d": octets(d).hex(),
                "digest": digest.hex(),
                "extra": extra.hex(),
                "rs": sign(d, digest, extra).hex(),
            }
        )

    for text, rs in RFC.items():
        add("RFC 6979 A.2.5, " + text, RFC_KEY, hashlib.sha256(text.encode()).digest())
        if found[-1]["rs"] != rs.lower():
            raise SystemExit("RFC 6979 A.2.5 differs")
    keys = [(name, int(d)) for name, d in KEYS]
    digests = (
        ("zero", octets(0)),
        ("one", octets(1)),
        ("n - 1", octets(N - 1)),
        ("n", octets(N)),
        ("n + 1", octets(N + 1)),
        ("2**255", octets(1 << 255)),
        ("all ones", b"\xff" * 32),
        ("p", octets(P)),
        ("zeros in front", b"\0" * 20 + drawn("digest")[20:]),
    )
    for name, d in keys:
        add("digest of a text, d " + name, d, drawn("text"))
    for name, digest in digests:
        add("digest " + name, RFC_KEY, digest)
        add("digest %s, d n - 1" % name, N - 1, digest)
    for name, extra in (("zeros", bytes(32)), ("ones", b"\xff" * 32), ("drawn", drawn("extra"))):
        for d in (RFC_KEY, 1, N - 1):
            add("additional data " + name, d, drawn("hedged"), extra)
            add("additional data %s, digest n" % name, d, octets(N), extra)
    add("r begins with a zero byte", RFC_KEY, search("r1", lambda r, s: r >> 248 == 0))
    add("s begins with a zero byte", RFC_KEY, search("s1", lambda r, s: s >> 248 == 0))
    add("r begins with two zero bytes", RFC_KEY, search("r2", lambda r, s: r >> 240 == 0))
    add("s begins with two zero bytes", RFC_KEY, search("s2", lambda r, s: s >> 240 == 0))
    add("r begins with ones", RFC_KEY, search("rf", lambda r, s: r >> 240 == 0xFFFF))
    add("s is above n / 2", RFC_KEY, search("high", lambda r, s: s > N // 2))
    add("s is below n / 2", RFC_KEY, search("low", lambda r, s: s <= N // 2))
    for number in range(24):
        d = int.from_bytes(drawn("key %d" % number), "big") % (N - 1) + 1
        add("drawn", d, drawn("digest %d" % number), drawn("extra %d" % number) if number % 2 else b"")
    return found


KEYS = [
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("2**32", 1 << 32),
    ("2**32 - 1", (1 << 32) - 1),
    ("2**224 - 1", (1 << 224) - 1),
    ("2**255", 1 << 255),
    ("n - 1", N - 1),
    ("n - 2", N - 2),
    ("(n - 1) / 2", (N - 1) // 2),
    ("(n + 1) / 2", (N + 1) // 2),
    ("alternating", int("55" * 32, 16)),
    ("sparse", 1 << 248 | 1 << 128 | 1),
    ("zeros in front", int.from_bytes(b"\0" * 24 + b"\x9b" * 8, "big")),
]


def public_keys():
    found = []
    for name, d in KEYS + [("RFC 6979 A.2.5", RFC_KEY)]:
        point = SigningKey.from_secret_exponent(d, NIST256p).verifying_key.to_string("uncompressed")
        numbers = openssl(d).public_key().public_numbers()
        if point != b"\4" + octets(numbers.x) + octets(numbers.y):
            raise SystemExit("OpenSSL's public key differs for %x" % d)
        found.append({"comment": name, "d": octets(d).hex(), "point": point.hex()})
    return found


def bad_keys():
    values = (("zero", 0), ("n", N), ("n + 1", N + 1), ("p", P), ("all ones", (1 << 256) - 1))
    return [{"comment": name, "d": octets(d).hex()} for name, d in values]


def hashes_of():
    data = hashlib.sha512(b"ipcert").digest() * 40
    sizes = (0, 1, 3, 31, 32, 55, 56, 57, 63, 64, 65, 111, 119, 120, 127, 128, 129, 1000, 2500)
    return {"data": data.hex(), "cases": [[n, hashlib.sha256(data[:n]).hexdigest()] for n in sizes]}


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def jws():
    """Flattened JWS, each from its parts: header cut in several places, payloads of every length modulo 3."""
    found = []
    header = b'{"alg":"ES256","kid":"https://ca.example/acct/1","nonce":"oFvnlFP1wIhRlYS2jTaXbA","url":"https://x/"}'
    cuts = ((), (1,), (2, 3), (0, 7, 7, 20), tuple(range(5, 80, 5)))
    payloads = (b"", b"{", b"{}", b'{"a":1}', bytes(range(256)), b"\xfb\xff\xbe" * 50)
    for number, cut in enumerate(cuts):
        for payload in payloads:
            edges = (0, *cut, len(header))
            parts = [header[a:b] for a, b in zip(edges, edges[1:])]
            extra = drawn("jws") if number % 2 else b""
            head, body = url64(header), url64(payload)
            rs = sign(RFC_KEY, hashlib.sha256(head + b"." + body).digest(), extra)
            text = b'{"protected":"%b","payload":"%b","signature":"%b"}' % (head, body, url64(rs))
            found.append(
                {
                    "parts": [p.hex() for p in parts],
                    "payload": payload.hex(),
                    "extra": extra.hex(),
                    "jws": text.decode(),
                }
            )
    return {"d": octets(RFC_KEY).hex(), "cases": found}


def make():
    vectors = {
        "signatures": signatures(),
        "public": public_keys(),
        "bad": bad_keys(),
        "sha256": hashes_of(),
        "jws": jws(),
    }
    return json.dumps(vectors, indent=0) + "\n"


if __name__ == "__main__":
    text = make()
    if sys.argv[1:] == ["--check"]:
        if OUT.read_text() != text:
            sys.exit("ecdsa.json is not what make_ecdsa.py makes: run it")
    else:
        OUT.write_text(text)
