"""An ACME server in memory, under a virtual clock: RFC 8555, 8738, 9773 and profiles, and stricter than any real one.

It answers bytes with bytes and knows nothing of ipcert. What a client must never do (a nonce twice, a wrong `url`, a
signature that does not verify, a common name in a CSR) raises AssertionError at once; what a CA refuses is refused with
a problem document. Signatures and CSRs are checked by `verifier`, an object over an independent library, where there is
one; without it their form is still read. Runs on CPython and on MicroPython.
"""

import binascii
import hashlib
import json

HOST = "https://ca.example/"
DIRECTORY = HOST + "dir"
DAY = 86400
PROFILES = {"classic": 90 * DAY, "tlsserver": 45 * DAY, "shortlived": 160 * 3600}
_URN = "urn:ietf:params:acme:error:"
_SPKI = binascii.unhexlify("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_EC = binascii.unhexlify("300a06082a8648ce3d040302")


def must(condition, why):
    """Raise AssertionError where the client did what no client may do."""
    if not condition:
        raise AssertionError("the client: " + why)


def b64url(data):
    """base64url without padding, as str."""
    return binascii.b2a_base64(data).decode().strip().replace("+", "-").replace("/", "_").rstrip("=")


def un64(text):
    """Bytes from base64url without padding, which must be canonical."""
    must("=" not in text and "+" not in text and "/" not in text, "base64url has padding or plain base64")
    data = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
    must(b64url(data) == text, "base64url is not canonical")
    return data


def civil(t):
    """(year, month, day, hour, minute, second) of core seconds."""
    days, rest = t // DAY, t % DAY
    year = 2020
    while True:
        n = 366 if year % 4 == 0 else 365
        if days < n:
            break
        days -= n
        year += 1
    month = 0
    for n in (31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31):
        if days < n:
            break
        days -= n
        month += 1
    return year, month + 1, days + 1, rest // 3600, rest // 60 % 60, rest % 60


def rfc3339(t):
    """Core seconds as RFC 3339 writes them."""
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % civil(t)


def tlv(tag, *parts):
    """One DER element around the parts."""
    data = b"".join(parts)
    n = len(data)
    if n < 128:
        return bytes((tag, n)) + data
    if n < 256:
        return bytes((tag, 129, n)) + data
    return bytes((tag, 130, n >> 8, n & 255)) + data


def elements(data):
    """[(tag, content)] of the DER elements that stand one after another in `data`."""
    found = []
    at = 0
    while at < len(data):
        tag, n = data[at], data[at + 1]
        at += 2
        if n > 127:
            k = n - 128
            n = int.from_bytes(data[at : at + k], "big")
            at += k
        must(at + n <= len(data), "DER is cut short")
        found.append((tag, data[at : at + n]))
        at += n
    return found


def _date(t):
    return tlv(0x18, ("%04d%02d%02d%02d%02d%02dZ" % civil(t)).encode())


def _name(text):
    return tlv(0x30, tlv(0x31, tlv(0x30, b"\x06\x03\x55\x04\x03", tlv(0x0C, text.encode()))))


def _extension(oid, value, critical=False):
    return tlv(0x30, tlv(0x06, oid), b"\x01\x01\xff" if critical else b"", tlv(0x04, value))


def packed(value):
    """The 4 or 16 bytes of an address's text, or None for a name."""
    if ":" in value:
        head, _, tail = value.partition("::")
        left = [int(g, 16) for g in head.split(":") if g]
        right = [int(g, 16) for g in tail.split(":") if g]
        groups = left + [0] * (8 - len(left) - len(right)) + right
        return b"".join([bytes((g >> 8, g & 255)) for g in groups])
    parts = value.split(".")
    if len(parts) == 4 and parts[-1].isdigit():
        return bytes([int(p) for p in parts])
    return None


def certificate(serial, issuer, subject, spki, start, end, names=(), aki=b"", ca=False, extra=b""):
    """One certificate in DER. `names`: texts for the SAN; the signature is a constant, which nobody checks here."""
    extensions = b""
    if names:
        general = [tlv(0x87, packed(n)) if packed(n) else tlv(0x82, n.encode()) for n in names]
        extensions += _extension(b"\x55\x1d\x11", tlv(0x30, *general), not subject)
    if aki:
        extensions += _extension(b"\x55\x1d\x23", tlv(0x30, tlv(0x80, aki)))
    if ca:
        extensions += _extension(b"\x55\x1d\x13", tlv(0x30, b"\x01\x01\xff"), True)
    tbs = tlv(
        0x30,
        b"\xa0\x03\x02\x01\x02",
        tlv(0x02, serial),
        _EC,
        issuer,
        tlv(0x30, _date(start), _date(end)),
        subject or b"\x30\x00",
        spki,
        tlv(0xA3, tlv(0x30, extensions + extra)),
    )
    return tlv(0x30, tbs, _EC, tlv(0x03, b"\0", b"\x30\x06\x02\x01\x01\x02\x01\x01"))


def pem(der):
    """One CERTIFICATE block."""
    text = binascii.b2a_base64(der).decode().strip()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "-----BEGIN CERTIFICATE-----\n" + "\n".join(lines) + "\n-----END CERTIFICATE-----\n"


class Refusal(Exception):
    """A problem document in the making."""

    def __init__(self, kind, status=400, detail="refused by the test", retry_after=None, subproblems=None):
        super().__init__(kind)
        self.kind = kind
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.subproblems = subproblems


class Clock:
    """The world's time, core seconds."""

    def __init__(self, now):
        self.now = now


class Issued:
    """One certificate as the public record has it, and who asked: at, names, spki, profile, account, serial, ari,
    replaces, end, revoked."""


class VirtualCA:
    """One CA. `look(challenge, value, token)` returns what the home publishes, bytes, or None.

    Knobs, all to be changed at any time: profiles (name -> lifetime), decide (seconds until a challenge is decided),
    issue (seconds until a certificate is ready), retry_after (header of unfinished answers), pending_again (a repeated
    newOrder returns the same pending order), authz_reuse, terms, account_required (EAB), alternates (number of other
    chains), kinds (challenge types offered), public_only.
    hook(kind, url) is called before each request is worked on: None, or (status, headers, body) instead, or it raises;
    Refusal makes a problem document. Kinds are the words that `count` takes.
    bad_nonces: so many of the next signed requests are refused with badNonce.
    """

    def __init__(self, clock, look=None, verifier=None):
        self.clock = clock
        self.look = look
        self.verifier = verifier
        self.profiles = dict(PROFILES)
        self.decide = 1
        self.issue = 0
        self.retry_after = None
        self.pending_again = True
        self.authz_reuse = False
        self.terms = None
        self.account_required = False
        self.alternates = 0
        self.kinds = (
            "dns-persist-01",
            "tls-alpn-01",
            "dns-01",
            "dns-account-01",
            "http-01",
            "dns-account-99",
        )
        self.hook = None
        self.bad_nonces = 0
        self._requests = {}
        self.issued = []
        self.accounts = {}  # URL -> {"point", "status", "contact"}
        self.windows = {}  # ARI identifier -> (start, end, explanation URL)
        self.ari = True
        self._nonces = set()
        self._count = 0
        self._orders = {}
        self._authorizations = {}
        self._challenges = {}
        self._certificates = {}
        self.authority = hashlib.sha256(b"authority").digest()[:20]
        self._middle = _name("Virtual E1")
        self._intermediate = self._above("Virtual Root")

    # What comes in.

    def request(self, method, url, body):
        """(status, headers, body) for one HTTP request."""
        kind = self._kind(method, url)
        self._requests[kind] = self._requests.get(kind, 0) + 1
        try:
            answer = self.hook(kind, url) if self.hook else None
            if answer is None:
                answer = self._answer(kind, method, url, body)
        except Refusal as e:
            answer = self._problem(e)
        status, headers, body = answer
        if kind != "directory" and "replay-nonce" not in headers:
            headers["replay-nonce"] = self.nonce()
        return status, headers, body

    def count(self, kind=None):
        """Requests so far, of one kind or of all."""
        return sum(self._requests.values()) if kind is None else self._requests.get(kind, 0)

    def nonce(self):
        """A fresh nonce."""
        nonce = b64url(hashlib.sha256(b"nonce%d" % self._next()).digest())[:27]
        self._nonces.add(nonce)
        return nonce

    def _next(self):
        self._count += 1
        return self._count

    def _kind(self, method, url):
        must(url.startswith(HOST), "it asks another host: " + url)
        word = url[len(HOST) :].split("/")[0]
        kinds = {
            "dir": "directory", "nonce": "new-nonce", "acct": "account", "acct-new": "new-account",
            "order": "order", "order-new": "new-order", "authz": "authorization", "chall": "challenge",
            "final": "finalize", "cert": "certificate", "ari": "renewal-info", "revoke": "revoke",
            "key-change": "key-change",
        }  # fmt: skip
        must(word in kinds, "it asks for what was never offered: " + url)
        kind = kinds[word]
        wants = {"directory": "GET", "renewal-info": "GET", "new-nonce": "HEAD"}.get(kind, "POST")
        must(method == wants, "%s for %s" % (method, kind))
        return kind

    def _answer(self, kind, method, url, body):
        if kind == "directory":
            return self._json(200, self._directory())
        if kind == "new-nonce":
            return 200, {}, b""
        if kind == "renewal-info":
            return self._renewal_info(url)
        header, payload = self._verify(kind, url, body)
        return getattr(self, "_" + kind.replace("-", "_"))(url, header, payload)

    def _directory(self):
        obj = {
            "newNonce": HOST + "nonce", "newAccount": HOST + "acct-new", "newOrder": HOST + "order-new",
            "revokeCert": HOST + "revoke", "keyChange": HOST + "key-change", "meta": {},
        }  # fmt: skip
        if self.ari:
            obj["renewalInfo"] = HOST + "ari"
        if self.profiles:
            obj["meta"]["profiles"] = {name: "described somewhere" for name in self.profiles}
        if self.terms:
            obj["meta"]["termsOfService"] = self.terms
        if self.account_required:
            obj["meta"]["externalAccountRequired"] = True
        return obj

    def _json(self, status, obj, headers=None):
        headers = headers or {}
        headers["content-type"] = "application/json"
        return status, headers, json.dumps(obj).encode()

    def _problem(self, e):
        obj = {"type": _URN + e.kind, "detail": e.detail, "status": e.status}
        if e.subproblems:
            obj["subproblems"] = e.subproblems
        headers = {"content-type": "application/problem+json"}
        if e.retry_after is not None:
            headers["retry-after"] = str(e.retry_after)
        return e.status, headers, json.dumps(obj).encode()

    # Signed requests (RFC 8555 6.2).

    def _verify(self, kind, url, body):
        outer = json.loads(bytes(body))
        must(sorted(outer) == ["payload", "protected", "signature"], "not a flattened JWS")
        header = json.loads(un64(outer["protected"]))
        must(header.get("alg") == "ES256" and header.get("url") == url, "alg or url of the protected header")
        must(
            sorted(header) == ["alg", "jwk" if "jwk" in header else "kid", "nonce", "url"],
            "protected header members",
        )
        nonce = header["nonce"]
        must(nonce in self._nonces, "a nonce that is not ours or was used before")
        self._nonces.remove(nonce)
        if self.bad_nonces:
            self.bad_nonces -= 1
            raise Refusal("badNonce")
        account = None
        if "jwk" in header:
            must(kind in ("new-account", "revoke"), "jwk where kid belongs")
            point = self._point(header["jwk"])
        else:
            must(kind != "new-account", "kid where jwk belongs")
            account = self.accounts.get(header["kid"])
            if account is None:
                raise Refusal("accountDoesNotExist")
            if account["status"] != "valid":
                raise Refusal("unauthorized", 403)
            point = account["point"]
        self._signed(point, outer)
        header["point"] = point
        header["account"] = account
        data = un64(outer["payload"])
        return header, json.loads(data) if data else None

    def _signed(self, point, outer):
        signature = un64(outer["signature"])
        must(len(signature) == 64, "the signature is not r||s")
        if self.verifier:
            data = (outer["protected"] + "." + outer["payload"]).encode()
            must(self.verifier.signature(point, data, signature), "the signature does not verify")

    def _point(self, jwk):
        must(sorted(jwk) == ["crv", "kty", "x", "y"] and jwk["crv"] == "P-256" and jwk["kty"] == "EC", "JWK")
        point = b"\x04" + un64(jwk["x"]) + un64(jwk["y"])
        must(len(point) == 65, "JWK coordinates")
        return point

    def _thumbprint(self, point):
        text = '{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' % (b64url(point[1:33]), b64url(point[33:]))
        return b64url(hashlib.sha256(text.encode()).digest())

    # Resources.

    def _new_account(self, url, header, payload):
        for where in self.accounts:
            if self.accounts[where]["point"] == header["point"]:
                if self.accounts[where]["status"] != "valid":
                    raise Refusal("unauthorized", 403)
                return self._json(200, self._account_object(where), {"location": where})
        if payload.get("onlyReturnExisting"):
            raise Refusal("accountDoesNotExist")
        if self.terms and not payload.get("termsOfServiceAgreed"):
            raise Refusal("userActionRequired", 403)
        if self.account_required:
            binding = payload.get("externalAccountBinding")
            if not binding:
                raise Refusal("externalAccountRequired", 403)
            inner = json.loads(un64(binding["protected"]))
            must(inner["alg"] == "HS256" and inner["url"] == url, "external account binding")
            must(self._point(json.loads(un64(binding["payload"]))) == header["point"], "another key is bound")
        for issued in self.issued:
            if issued.spki[26:] == header["point"]:
                raise Refusal("badPublicKey")
        where = HOST + "acct/%d" % self._next()
        self.accounts[where] = {
            "point": header["point"],
            "status": "valid",
            "contact": payload.get("contact", []),
        }
        return self._json(201, self._account_object(where), {"location": where})

    def _account_object(self, where):
        account = self.accounts[where]
        return {"status": account["status"], "contact": account["contact"], "orders": where + "/orders"}

    def _account(self, url, header, payload):
        must(header["kid"] == url, "it asks for another account")
        if payload:
            self.accounts[url].update(payload)
        return self._json(200, self._account_object(url))

    def _key_change(self, url, header, payload):
        inner = json.loads(un64(payload["protected"]))
        must(sorted(inner) == ["alg", "jwk", "url"] and inner["url"] == url, "the inner JWS of a key change")
        point = self._point(inner["jwk"])
        self._signed(point, payload)
        change = json.loads(un64(payload["payload"]))
        must(
            change["account"] == header["kid"] and self._point(change["oldKey"]) == header["point"],
            "key change",
        )
        for where in self.accounts:
            if self.accounts[where]["point"] == point:
                raise Refusal("conflict", 409)
        header["account"]["point"] = point
        return self._json(200, self._account_object(header["kid"]))

    def _new_order(self, url, header, payload):
        names = [(i["type"], i["value"]) for i in payload["identifiers"]]
        must(names and len(names) == len(set(names)), "identifiers are missing or stand there twice")
        profile = payload.get("profile")
        ip = False
        for kind, value in names:
            must(kind == ("ip" if packed(value) else "dns"), "the type of identifier " + value)
            ip = ip or kind == "ip"
        if self.profiles:
            must(profile, "no profile is asked for, though the directory lists some")
            if profile not in self.profiles:
                raise Refusal("invalidProfile")
            if ip and profile != "shortlived":
                raise Refusal("rejectedIdentifier")
        else:
            must(profile is None, "a profile is asked for, though the directory lists none")
        if "replaces" in payload:
            self._replaces(payload["replaces"], header["kid"], names)
        self._forget_old()
        if self.pending_again:
            for where in self._orders:
                o = self._orders[where]
                if o["names"] == names and o["account"] == header["kid"] and o["profile"] == profile:
                    if self._status(o) in ("pending", "ready") and o["replaces"] == payload.get("replaces"):
                        return self._json(201, self._order_object(where), {"location": where})
        where = HOST + "order/%d" % self._next()
        self._orders[where] = {
            "names": names, "account": header["kid"], "profile": profile, "replaces": payload.get("replaces"),
            "authorizations": [self._authorize(name, header["kid"]) for name in names],
            "ready_at": None, "spki": None, "certificate": None, "error": None, "made": self.clock.now,
        }  # fmt: skip
        return self._json(201, self._order_object(where), {"location": where})

    def _forget_old(self):
        """An order lives for eight hours."""
        for where in [w for w in self._orders if self.clock.now - self._orders[w]["made"] > 28800]:
            for a in self._orders.pop(where)["authorizations"]:
                for c in self._authorizations.pop(a, {"challenges": ()})["challenges"]:
                    del self._challenges[c["url"]]

    def _replaces(self, ari, account, names):
        for i in self.issued:
            if i.ari == ari:
                if i.account != account:
                    raise Refusal("unauthorized", 403)
                if not [1 for kind, value in names if value in i.names]:
                    raise Refusal("malformed")
                for other in self.issued:
                    if other.replaces == ari:
                        raise Refusal("alreadyReplaced", 409)
                return
        raise Refusal("malformed", 404)

    def _authorize(self, name, account):
        if self.authz_reuse:
            for where in self._authorizations:
                a = self._authorizations[where]
                if a["name"] == name and a["account"] == account and self._decided(a) == "valid":
                    return where
        number = self._next()
        where = HOST + "authz/%d" % number
        self._authorizations[where] = {
            "name": name, "account": account, "status": "pending", "at": None, "error": None, "challenges": [],
        }  # fmt: skip
        for kind in self.kinds:
            if name[1][:2] == "*." and kind in ("http-01", "tls-alpn-01"):
                continue
            if name[0] == "ip" and kind[:3] == "dns":
                continue
            url = HOST + "chall/%d/%s" % (number, kind)
            c = {"type": kind, "url": url, "status": "pending"}
            if kind == "dns-persist-01":
                c["issuer-domain-names"] = ["ca.example"]
            else:
                c["token"] = b64url(hashlib.sha256(b"token%d" % number).digest())[:43]
            self._authorizations[where]["challenges"].append(c)
            self._challenges[url] = (where, c)
        return where

    def _decided(self, a):
        if a["status"] == "pending" and a["at"] is not None and self.clock.now >= a["at"]:
            a["status"] = "invalid" if a["error"] else "valid"
        return a["status"]

    def _status(self, o):
        if o["error"]:
            return "invalid"
        if o["certificate"]:
            return "valid"
        if o["spki"]:
            if self.clock.now < o["ready_at"]:
                return "processing"
            self._issue(o)
            return "valid"
        states = [self._decided(self._authorizations[a]) for a in o["authorizations"]]
        if "invalid" in states or "deactivated" in states:
            return "invalid"
        return "pending" if "pending" in states else "ready"

    def _order_object(self, where):
        o = self._orders[where]
        obj = {
            "status": self._status(o),
            "identifiers": [{"type": kind, "value": value} for kind, value in o["names"]],
            "authorizations": o["authorizations"],
            "finalize": where.replace("/order/", "/final/"),
        }
        if o["certificate"]:
            obj["certificate"] = o["certificate"]
        if o["profile"]:
            obj["profile"] = o["profile"]
        if o["error"]:
            obj["error"] = o["error"]
        return obj

    def _unfinished(self, obj):
        headers = {}
        if obj["status"] in ("pending", "processing") and self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        return headers

    def _order(self, url, header, payload):
        must(payload is None, "an order is read by POST-as-GET")
        if url not in self._orders or self._orders[url]["account"] != header["kid"]:
            raise Refusal("malformed", 404)
        obj = self._order_object(url)
        return self._json(200, obj, self._unfinished(obj))

    def proved(self):
        """Values of the identifiers whose authorizations are pending or valid now."""
        live = [
            a["name"][1] for a in self._authorizations.values() if self._decided(a) in ("pending", "valid")
        ]
        return sorted(set(live))

    def forget_orders(self):
        """Every order is gone."""
        self._orders.clear()

    def _authorization(self, url, header, payload):
        must(
            payload in (None, {"status": "deactivated"}),
            "an authorization is read by POST-as-GET, or deactivated",
        )
        a = self._authorizations.get(url)
        if a is None:
            raise Refusal("malformed", 404)
        must(a["account"] == header["kid"], "another account's authorization")
        if payload:
            if self._decided(a) not in ("pending", "valid"):
                raise Refusal("malformed", 403)
            a["status"] = "deactivated"
        kind, value = a["name"]
        wildcard = value[:2] == "*."
        obj = {
            "status": self._decided(a),
            "identifier": {"type": kind, "value": value[2:] if wildcard else value},
        }
        if wildcard:
            obj["wildcard"] = True
        obj["challenges"] = []
        for c in a["challenges"]:
            c = dict(c)
            if a["error"] and obj["status"] == "invalid" and c["type"] == a["answered"]:
                c["status"] = "invalid"
                c["error"] = a["error"]
            obj["challenges"].append(c)
        return self._json(200, obj, self._unfinished(obj))

    def _challenge(self, url, header, payload):
        must(payload == {}, "a challenge is answered with {}")
        if url not in self._challenges:
            raise Refusal("malformed", 404)
        where, c = self._challenges[url]
        a = self._authorizations[where]
        must(a["account"] == header["kid"], "another account's challenge")
        if a["at"] is None:
            a["at"] = self.clock.now + self.decide
            a["answered"] = c["type"]
            value = a["name"][1]
            text = self.look(c["type"], value, c.get("token")) if self.look else None
            want = (c.get("token", "") + "." + self._thumbprint(header["point"])).encode()
            if c["type"] in ("dns-01", "dns-account-01"):
                want = b64url(hashlib.sha256(want).digest()).encode()
            elif c["type"] == "dns-persist-01":
                want = ("ca.example; accounturi=" + header["kid"]).encode()
                want += b"; policy=wildcard" if value[:2] == "*." else b""
            if text != want:
                a["error"] = {
                    "type": _URN + "connection",
                    "detail": "nothing there that answers",
                    "status": 400,
                }
        return self._json(200, c, {"link": '<%s>;rel="up"' % where})

    def _finalize(self, url, header, payload):
        where = url.replace("/final/", "/order/")
        o = self._orders.get(where)
        if o is None:
            raise Refusal("malformed", 404)
        must(o["account"] == header["kid"], "another account's order")
        if self._status(o) != "ready":
            raise Refusal("orderNotReady", 403)
        der = un64(payload["csr"])
        spki, names = self._csr(der)
        if sorted(names) != sorted([value for kind, value in o["names"]]):
            raise Refusal("badCSR")
        for where_account in self.accounts:
            if self.accounts[where_account]["point"] == spki[26:]:
                raise Refusal("badCSR")
        o["spki"] = spki
        o["ready_at"] = self.clock.now + self.issue
        obj = self._order_object(where)
        return self._json(200, obj, dict(self._unfinished(obj), location=where))

    def _csr(self, der):
        """(SubjectPublicKeyInfo, names) of a CSR: empty subject, one attribute, one extension, no common name."""
        outer = elements(der)
        must(len(outer) == 1 and outer[0][0] == 0x30, "the CSR")
        info = elements(elements(outer[0][1])[0][1])
        must(
            info[0] == (2, b"\0") and info[1] == (0x30, b""),
            "the CSR's version, or a subject that is not empty",
        )
        spki = tlv(0x30, info[2][1])
        must(spki[:26] == _SPKI and len(spki) == 91, "the CSR's key is not P-256")
        must(b"\x06\x03\x55\x04\x03" not in der, "a common name in the CSR")
        attributes = elements(info[3][1])
        must(len(attributes) == 1, "the CSR's attributes")
        extensions = elements(elements(elements(attributes[0][1])[1][1])[0][1])
        must(len(extensions) == 1, "the CSR's extensions")
        oid, value = elements(extensions[0][1])
        must(oid[1] == b"\x55\x1d\x11", "the CSR's extension is no SAN")
        names = []
        for tag, content in elements(elements(value[1])[0][1]):
            must(tag in (0x82, 0x87), "the kind of a SAN")
            names.append(content.decode() if tag == 0x82 else content)
        names = [self._text(n) for n in names]
        if self.verifier:
            must(self.verifier.csr(der) == (spki, sorted(names)), "an independent reader finds another CSR")
        return spki, names

    def _text(self, name):
        if isinstance(name, str):
            return name
        for o in self._orders.values():
            for kind, value in o["names"]:
                if kind == "ip" and packed(value) == name:
                    return value
        return binascii.hexlify(name).decode()

    def _issue(self, o):
        number = self._next()
        i = Issued()
        i.at = self.clock.now
        i.names = tuple([value for kind, value in o["names"]])
        i.spki = o["spki"]
        i.profile = o["profile"]
        i.account = o["account"]
        i.serial = b"\x03" + hashlib.sha256(b"serial%d" % number).digest()[:17]
        i.ari = b64url(self.authority) + "." + b64url(i.serial)
        i.replaces = o["replaces"]
        i.start = self.clock.now - 3600
        i.end = i.start + self.profiles.get(o["profile"], 90 * DAY)
        i.revoked = None
        i.der = certificate(i.serial, self._middle, b"", i.spki, i.start, i.end, i.names, self.authority)
        self.issued.append(i)
        url = HOST + "cert/%d" % number
        self._certificates[url] = i
        o["certificate"] = url

    def _certificate(self, url, header, payload):
        must(payload is None, "a certificate is read by POST-as-GET")
        headers = {"content-type": "application/pem-certificate-chain"}
        links = ['<%s/%d>;rel="alternate"' % (url, k + 1) for k in range(self.alternates)]
        if links and url.count("/") == 4:
            headers["link"] = ", ".join(['<%sdir>;rel="index"' % HOST] + links)
        which = int(url.split("/")[5]) if url.count("/") == 5 else 0
        return 200, headers, self.chain(self._certificates["/".join(url.split("/")[:5])], which).encode()

    def chain(self, issued, which=0):
        """The PEM chain of a certificate: the default one, or one of the alternates, whose root has another name."""
        above = self._intermediate
        if which:
            above = self._above("Virtual Root %d" % (which + 1))
        return pem(issued.der) + pem(above)

    def _above(self, root):
        spki = _SPKI + b"\x04" + bytes(64)
        return certificate(b"\x02", _name(root), self._middle, spki, 0, 30 * 365 * DAY, ca=True)

    def _renewal_info(self, url):
        ari = url.rsplit("/", 1)[1]
        for i in self.issued:
            if i.ari == ari:
                life = i.end - i.start
                middle = i.start + (life // 2 if life < 10 * DAY else life * 2 // 3)
                start, end, why = self.windows.get(ari, (middle - life // 100, middle + life // 100, None))
                obj = {"suggestedWindow": {"start": rfc3339(start), "end": rfc3339(end)}}
                if why:
                    obj["explanationURL"] = why
                return self._json(200, obj, {"retry-after": "21600"})
        raise Refusal("malformed", 404)

    def _revoke(self, url, header, payload):
        der = un64(payload["certificate"])
        for i in self.issued:
            if i.der == der:
                own = header.get("kid") == i.account or header["point"] == i.spki[26:]
                if not own:
                    raise Refusal("unauthorized", 403)
                if i.revoked is not None:
                    raise Refusal("alreadyRevoked")
                i.revoked = (self.clock.now, payload.get("reason"))
                return 200, {}, b""
        raise Refusal("malformed", 404)
