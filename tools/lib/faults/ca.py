"""A CA without a network or a clock of its own: it answers requests that are handed to it, and never forgets a key.

It checks every signature, nonce and URL, validates http-01 against what the device publishes, and issues real X.509
under Let's Encrypt's two profiles. What breaks a promise of ours is written to `broken`.
"""

import base64
import copy
import datetime
import hashlib
import json
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ipcert import limits
from tools.lib.ca import certificates

BASE = "https://ca.example/"
DIRECTORY = BASE + "dir"
LIFETIMES = {"shortlived": 160 * 3600, "classic": 90 * 86400}
_EPOCH = datetime.datetime(2020, 1, 1)
_URN = "urn:ietf:params:acme:error:"


_KEY = ec.generate_private_key(ec.SECP256R1())
_ISSUER = certificates.name("Virtual intermediate")
INTERMEDIATE = certificates.pem(
    certificates.sign(
        _ISSUER,
        _KEY.public_key(),
        certificates.name("Virtual root"),
        ec.generate_private_key(ec.SECP256R1()),
        _EPOCH,
        _EPOCH + datetime.timedelta(days=20000),
        ca=True,
        depth=0,
    )
)
_AKI = x509.AuthorityKeyIdentifier.from_issuer_public_key(_KEY.public_key())


class Refusal(Exception):
    """type word, HTTP status."""

    def __init__(self, kind, status=400):
        super().__init__(kind)
        self.kind = kind
        self.status = status


def issue(public, names, start, end):
    """A leaf under INTERMEDIATE (PEM) for general names."""
    return certificates.sign(certificates.name(""), public, _ISSUER, _KEY, start, end, names)


def decode(text):
    """Base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode(data):
    """Base64url without padding, as text."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class CA:
    """All that the CA knows, copied by `snapshot`.

    orders      URL -> dict; accounts: URL -> public point (64 bytes); ended: URLs of those that were deactivated
    version     goes up with every change
    seen        truncated digest of a SubjectPublicKeyInfo -> what it was first used for
    broken      sentences about promises that were broken
    published   token -> key authorization: what a validation would find. Shared with the device's side.
    """

    elsewhere: list[str] = []  # names and addresses at which the device is not found, whatever it publishes

    def __init__(self, published):
        self.published = published
        self.version = 0
        self.counter = 0
        self.nonces = {}
        self.accounts = {}
        self.ended = []
        self.orders = {}
        self.authorizations = {}
        self.certificates = {}
        self.revoked = []
        self.seen = {}
        self.broken = []

    def snapshot(self, published):
        """A CA that goes its own way from here."""
        other = copy.copy(self)
        other.published = published
        for name in ("nonces", "accounts", "certificates", "seen"):
            setattr(other, name, dict(getattr(self, name)))
        other.orders = {url: dict(order) for url, order in self.orders.items()}
        other.authorizations = {url: dict(one) for url, one in self.authorizations.items()}
        other.revoked = list(self.revoked)
        other.ended = list(self.ended)
        other.broken = list(self.broken)
        return other

    def _new(self, kind):
        self.counter += 1
        return BASE + "%s/%d" % (kind, self.counter)

    def exchange(self, now, method, url, headers, body):
        """(status, headers, body) for a request at core second `now`."""
        self.counter += 1
        nonce = encode(hashlib.sha256(b"%d" % self.counter).digest()[:16])
        self.nonces[nonce] = True
        while len(self.nonces) > 50:
            del self.nonces[next(iter(self.nonces))]
        out = {"replay-nonce": nonce, "content-type": "application/json"}
        try:
            if method == "GET":
                return 200, out, self._get(now, url)
            if method == "HEAD":
                return 200, out, b""
            status, obj = self._post(now, url, body, out)
            if isinstance(obj, bytes):
                out["content-type"] = "application/pem-certificate-chain"
                return status, out, obj
            return status, out, json.dumps(obj).encode()
        except Refusal as e:
            out["content-type"] = "application/problem+json"
            return (
                e.status,
                out,
                json.dumps({"type": _URN + e.kind, "detail": "refused", "status": e.status}).encode(),
            )

    def _get(self, now, url):
        if url == DIRECTORY:
            words = ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange", "renewalInfo")
            obj: dict[str, Any] = {word: BASE + word for word in words}
            obj["meta"] = {"profiles": {"classic": "names", "shortlived": "six days"}}
            return json.dumps(obj).encode()
        if url.startswith(BASE + "renewalInfo/"):
            one = self.certificates.get(url.rsplit("/", 1)[1])
            if one is None:
                raise Refusal("malformed", 404)
            begin, end = one
            life = end - begin
            ideal = end - life // (2 if life < 10 * limits.DAY else 3)
            window = {"start": _text(ideal - life // 100), "end": _text(ideal + life // 100)}
            return json.dumps({"suggestedWindow": window}).encode()
        raise Refusal("malformed", 404)

    def _verify(self, outer, protected, point):
        raw = decode(outer["signature"])
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        try:
            signed = (outer["protected"] + "." + outer["payload"]).encode()
            key.verify(der, signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            self.broken.append("a signature does not verify")
            raise Refusal("malformed") from None

    def _post(self, now, url, body, out):
        outer = json.loads(bytes(body))
        protected = json.loads(decode(outer["protected"]))
        if protected["url"] != url:
            raise Refusal("unauthorized", 403)
        if self.nonces.pop(protected["nonce"], None) is None:
            raise Refusal("badNonce")
        payload = json.loads(decode(outer["payload"])) if outer["payload"] else None
        if "jwk" in protected:
            point = decode(protected["jwk"]["x"]) + decode(protected["jwk"]["y"])
            account = None
        else:
            account = protected["kid"]
            if account not in self.accounts:
                raise Refusal("accountDoesNotExist")
            point = self.accounts[account]
            if account in self.ended:
                raise Refusal("unauthorized", 401)
        self._verify(outer, protected, point)
        path = url[len(BASE) :].split("/")[0]
        if path == "newAccount":
            return self._account(point, payload, out)
        if path == "revokeCert":
            return self._revoke(payload)
        if account is None:
            raise Refusal("malformed")
        if path == "keyChange":
            return self._roll_over(account, payload, url)
        if path == "newOrder":
            return self._order(now, account, payload, out)
        if path == "account":
            if payload and payload.get("status") == "deactivated":
                self.version += 1
                self.ended.append(account)
            return 200, {"status": "valid"}
        if path == "authz":
            return 200, self._authz(url)
        if path == "challenge":
            return self._challenge(now, url.replace("challenge", "authz"), payload, point)
        if path == "order":
            return 200, self._order_text(self.orders[url])
        if path == "finalize":
            return self._finalize(now, self.orders[url.replace("finalize", "order")], payload)
        if path == "cert":
            return 200, self.orders[url.replace("cert", "order")]["chain"]
        raise Refusal("malformed", 404)

    def _use(self, point, what):
        known = self.seen.setdefault(bytes(point), what)
        if known != what:
            self.broken.append("one key is used for %s and for %s" % (known, what))

    def _account(self, point, payload, out):
        for url, known in self.accounts.items():
            if known == point:
                if url in self.ended:
                    raise Refusal("unauthorized", 403)
                out["location"] = url
                return 200, {"status": "valid"}
        if payload.get("onlyReturnExisting"):
            raise Refusal("accountDoesNotExist")
        self.version += 1
        url = out["location"] = self._new("account")
        self._use(point, "account " + url)
        self.accounts[url] = point
        return 201, {"status": "valid"}

    def _roll_over(self, account, payload, url):
        inner = json.loads(decode(payload["protected"]))
        point = decode(inner["jwk"]["x"]) + decode(inner["jwk"]["y"])
        self._verify(payload, inner, point)
        claim = json.loads(decode(payload["payload"]))
        old = decode(claim["oldKey"]["x"]) + decode(claim["oldKey"]["y"])
        if claim["account"] != account or old != self.accounts[account] or inner["url"] != url:
            raise Refusal("malformed")
        if point in self.accounts.values():
            raise Refusal("malformed", 409)
        self.version += 1
        self._use(point, "account " + account)
        self.accounts[account] = point
        return 200, {"status": "valid"}

    def _order(self, now, account, payload, out):
        self.version += 1
        url = out["location"] = self._new("order")
        authorizations = []
        for one in payload["identifiers"]:
            where = self._new("authz")
            self.authorizations[where] = {
                "identifier": one,
                "status": "pending",
                "token": encode(where.encode() * 2)[:43],
            }
            authorizations.append(where)
        self.orders[url] = {
            "url": url,
            "status": "pending",
            "identifiers": payload["identifiers"],
            "authorizations": authorizations,
            "profile": payload.get("profile", "classic"),
            "at": now,
        }
        return 201, self._order_text(self.orders[url])

    def _order_text(self, order):
        if order["status"] == "pending":
            if all(self.authorizations[a]["status"] == "valid" for a in order["authorizations"]):
                order["status"] = "ready"
        out = {k: order[k] for k in ("status", "identifiers", "authorizations")}
        out["finalize"] = order["url"].replace("order", "finalize")
        if order["status"] == "valid":
            out["certificate"] = order["url"].replace("order", "cert")
        return out

    def _authz(self, url):
        one = self.authorizations[url]
        challenge = {"type": "http-01", "url": url.replace("authz", "challenge"), "token": one["token"]}
        challenge["status"] = one["status"]
        if one["status"] == "invalid":
            challenge["error"] = {"type": "urn:ietf:params:acme:error:connection", "detail": "nobody answers"}
        return {"identifier": one["identifier"], "status": one["status"], "challenges": [challenge]}

    def _challenge(self, now, url, payload, point):
        one = self.authorizations[url]
        jwk = '{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' % (encode(point[:32]), encode(point[32:]))
        want = one["token"] + "." + encode(hashlib.sha256(jwk.encode()).digest())
        found = self.published.get(one["token"])
        if one["identifier"]["value"] in self.elsewhere:
            found = None
        if one["status"] == "pending":
            self.version += 1
            one["status"] = "valid" if found is not None and bytes(found) == want.encode() else "invalid"
        return 200, self._authz(url)["challenges"][0]

    def _finalize(self, now, order, payload):
        self._order_text(order)
        if order["status"] != "ready":
            raise Refusal("orderNotReady", 403)
        csr = x509.load_der_x509_csr(decode(payload["csr"]))
        if not csr.is_signature_valid:
            raise Refusal("badCSR")
        san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found = sorted(
            san.get_values_for_type(x509.DNSName) + [str(a) for a in san.get_values_for_type(x509.IPAddress)]
        )
        if found != sorted(i["value"] for i in order["identifiers"]):
            raise Refusal("badCSR")
        point = csr.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        self._use(point[1:], "order " + order["url"])
        start = _EPOCH + datetime.timedelta(seconds=now - 3600)
        end = start + datetime.timedelta(seconds=LIFETIMES[order["profile"]] - 1)
        leaf = issue(csr.public_key(), list(san), start, end)
        serial = leaf.serial_number
        ari = encode(_AKI.key_identifier) + "." + encode(serial.to_bytes(serial.bit_length() // 8 + 1, "big"))
        self.certificates[ari] = (now - 3600, now - 3600 + LIFETIMES[order["profile"]])
        order["chain"] = certificates.pem(leaf) + INTERMEDIATE
        order["status"] = "valid"
        self.version += 1
        return 200, self._order_text(order)

    def _revoke(self, payload):
        if payload["certificate"] in self.revoked:
            raise Refusal("alreadyRevoked")
        self.version += 1
        self.revoked.append(payload["certificate"])
        return 200, {}

    def forget_past(self, now):
        """Drop finished orders older than a day: the harness, not the device, would grow over a year."""
        old = [url for url, order in self.orders.items() if order["at"] < now - limits.DAY]
        for url in old:
            for a in self.orders.pop(url)["authorizations"]:
                del self.authorizations[a]


def _text(second):
    return (_EPOCH + datetime.timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%SZ")
