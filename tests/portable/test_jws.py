"""JWK, thumbprint, headers and bindings against `jwcrypto`'s vectors."""

import hashlib
import json
import unittest

from portable_support import FixedSigner, code_of, decoded, locked, unhex, vectors

from ipcert import limits
from ipcert.acme import external_account, key_change
from ipcert.encoding import jws, p256
from ipcert.errors import LocalError, RemoteError

VECTORS = vectors("jws")
KID = b"https://ca.example.org/acme/acct/7"
URL = b"https://ca.example.org/acme/new-order"
NONCE = b"oFvnlFP1wIhRlYS2jTaXbA-_"


class Hashing(FixedSigner):
    """The fixed signer with a real SHA-256 (hashlib allocates, so not for the locked tests)."""

    def sha256(self, buf, start, end, out, off):
        for b in hashlib.sha256(bytes(buf[start:end])).digest():
            out[off] = b
            off += 1
        return off


class FixedHash(FixedSigner):
    """Answers every hash with 32 bytes of 7."""

    def sha256(self, buf, start, end, out, off):
        for i in range(32):
            out[off + i] = 7
        return off + 32


def hmac_of(secret):
    """HMAC-SHA256 (RFC 2104) of `hashlib` in the shape that the core asks for."""
    key = secret + bytes(64 - len(secret))
    inner = bytes([b ^ 0x36 for b in key])
    outer = bytes([b ^ 0x5C for b in key])

    def mac(buf, start, end, out, off):
        digest = hashlib.sha256(inner + bytes(buf[start:end])).digest()
        for b in hashlib.sha256(outer + digest).digest():
            out[off] = b
            off += 1
        return off

    return mac


class Keys(unittest.TestCase):
    def test_jwk(self):
        buf = bytearray(200)
        for v in VECTORS["jwk"]:
            p = b"." + unhex(v["point"])
            end = locked(lambda p=p: p256.write_jwk(buf, 3, p, 1))
            self.assertEqual(bytes(buf[3:end]).decode(), v["jwk"])
            self.assertEqual(end - 3, p256.JWK)

    def test_thumbprint(self):
        buf = bytearray(50)
        scratch = bytearray(p256.JWK + 32)
        for v in VECTORS["jwk"]:
            p = unhex(v["point"])
            end = jws.thumbprint(buf, 2, Hashing(p), p, 0, scratch)
            self.assertEqual(bytes(buf[2:end]).decode(), v["thumbprint"])
            self.assertEqual(end - 2, jws.THUMBPRINT_SIZE)

    def test_thumbprint_allocates_nothing(self):
        p = unhex(VECTORS["jwk"][0]["point"])
        buf = bytearray(43)
        scratch = bytearray(p256.JWK + 32)
        signer = FixedHash(p)
        self.assertEqual(locked(lambda: jws.thumbprint(buf, 0, signer, p, 0, scratch)), 43)


class Headers(unittest.TestCase):
    def setUp(self):
        self.point = unhex(VECTORS["jwk"][0]["point"])
        self.signer = FixedSigner(self.point)
        self.out = bytearray(1000)
        self.jws = jws.Jws()

    def header(self, end):
        """The protected header and the payload that were written."""
        head, payload = bytes(self.out[:end]).split(b".")
        return json.loads(decoded(head).decode()), decoded(payload)

    def test_kid(self):
        self.jws.set_kid(KID)
        payload = b"{} and more"
        end = locked(lambda: self.jws.write(self.out, 0, self.signer, 0, URL, NONCE, payload, 2))
        want = {"alg": "ES256", "kid": KID.decode(), "nonce": NONCE.decode(), "url": URL.decode()}
        self.assertEqual(self.header(end), (want, b"{}"))

    def test_jwk(self):
        self.jws.set_jwk(b"." + self.point, 1)
        end = locked(lambda: self.jws.write(self.out, 0, self.signer, 0, URL, NONCE, b"", 0))
        key = json.loads(VECTORS["jwk"][0]["jwk"])
        want = {"alg": "ES256", "jwk": key, "nonce": NONCE.decode(), "url": URL.decode()}
        self.assertEqual(self.header(end), (want, b""))

    def test_str_is_taken_too(self):
        self.jws.set_kid(KID.decode())
        end = self.jws.write(self.out, 0, self.signer, 0, URL.decode(), NONCE.decode(), b"", 0)
        self.assertEqual(self.header(end)[0]["url"], URL.decode())

    def test_from_jwk_to_kid(self):
        self.jws.set_jwk(self.point)
        self.jws.set_kid(KID)
        end = self.jws.write(self.out, 0, self.signer, 0, URL, NONCE, b"", 0)
        self.assertEqual(self.header(end)[0].get("kid"), KID.decode())

    def test_key_change(self):
        """RFC 8555 7.3.5: the inner header has jwk and url and no nonce; the payload names the old key."""
        old = unhex(VECTORS["jwk"][1]["point"])
        payload = bytearray(400)
        n = locked(lambda: key_change.write_payload(payload, 0, KID, old, 0))
        end = key_change.write(self.out, 0, self.signer, 2, self.point, URL, payload, n)
        head, body = self.header(end)
        self.assertEqual(
            head, {"alg": "ES256", "jwk": json.loads(VECTORS["jwk"][0]["jwk"]), "url": URL.decode()}
        )
        want = {"account": KID.decode(), "oldKey": json.loads(VECTORS["jwk"][1]["jwk"])}
        self.assertEqual(json.loads(body.decode()), want)

    def test_bad_urls(self):
        self.jws.set_jwk(self.point)
        for url in ("", "https://a/" + "b" * limits.URL, 'https://a/"', "https://a/\\", "https://a/ b", "https://a/\n",
                    "https://a/\xe4", "https://a/\x7f"):  # fmt: skip
            raw = url.encode()
            for u in (url, raw):
                write = lambda u=u: self.jws.write(self.out, 0, self.signer, 0, u, NONCE, b"", 0)  # noqa: E731
                self.assertEqual((u, code_of(RemoteError, write)), (u, "url"))
            self.assertEqual(code_of(RemoteError, lambda u=url: self.jws.set_kid(u)), "url")

    def test_bad_nonces(self):
        self.jws.set_jwk(self.point)
        for nonce in ("", "a+b", "a b", "a=", 'a"', "a" * (limits.NONCE + 1), "\xe4"):
            self.assertFalse(jws.is_nonce(nonce))
            self.assertFalse(jws.is_nonce(nonce.encode()))
            write = lambda n=nonce: self.jws.write(self.out, 0, self.signer, 0, URL, n, b"", 0)  # noqa: E731
            self.assertEqual((nonce, code_of(RemoteError, write)), (nonce, "nonce"))
        self.assertTrue(jws.is_nonce(NONCE))
        self.assertTrue(jws.is_nonce("a" * limits.NONCE))


class Bindings(unittest.TestCase):
    def test_vectors(self):
        out = bytearray(900)
        scratch = bytearray(40 + 2 * limits.URL)
        for v in VECTORS["binding"]:
            mac = hmac_of(unhex(v["secret"]))
            end = external_account.write(out, 3, mac, v["kid"], v["url"], unhex(v["point"]), 0, scratch)
            made = json.loads(bytes(out[3:end]).decode())
            self.assertEqual(sorted(made), ["payload", "protected", "signature"])
            for field in made:
                self.assertEqual(made[field], v[field])

    def test_allocates_nothing(self):
        v = VECTORS["binding"][0]
        point = unhex(v["point"])
        out = bytearray(900)
        scratch = bytearray(40 + 2 * limits.URL)

        def mac(buf, start, end, to, off):
            for i in range(32):
                to[off + i] = 7
            return off + 32

        end = locked(lambda: external_account.write(out, 0, mac, KID, URL, point, 0, scratch))
        self.assertEqual(json.loads(bytes(out[:end]).decode())["payload"], v["payload"])

    def test_largest(self):
        scratch = bytearray(40 + 2 * limits.URL)
        point = unhex(VECTORS["binding"][0]["point"])
        out = bytearray(1300)
        url = b"u" * limits.URL
        end = external_account.write(out, 0, hmac_of(b"k"), url, url, point, 0, scratch)
        head = json.loads(decoded(json.loads(bytes(out[:end]).decode())["protected"].encode()).decode())
        self.assertEqual(head["kid"], url.decode())

    def test_refusals(self):
        scratch = bytearray(40 + 2 * limits.URL)
        point = unhex(VECTORS["binding"][0]["point"])
        out = bytearray(900)
        for kid in ('"', "", "a b"):
            write = lambda k=kid: external_account.write(out, 0, hmac_of(b"k"), k, URL, point, 0, scratch)  # noqa: E731
            self.assertEqual(code_of(RemoteError, write), "url")
        write = lambda: external_account.write(bytearray(90), 0, hmac_of(b"k"), b"k", URL, point, 0, scratch)  # noqa: E731
        self.assertEqual(code_of(LocalError, write), "overflow")
