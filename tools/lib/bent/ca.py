"""The CA of the core's bench: that of the faults, but slow, with alternate chains, and with refusals in full."""

import datetime
import json

from cryptography.hazmat.primitives.asymmetric import ec

from tools.lib.ca import certificates
from tools.lib.faults import ca as _ca

WAIT = 2  # Retry-After of what is not decided


def _above(key, subject, issuer, signer):
    start = datetime.datetime(2020, 1, 1)
    end = start + datetime.timedelta(days=20000)
    subject, issuer = certificates.name(subject), certificates.name(issuer)
    return certificates.pem(certificates.sign(subject, key.public_key(), issuer, signer, start, end, ca=True))


_OTHER = ec.generate_private_key(ec.SECP256R1())
# The intermediate once more under another root, and a root that nobody needs.
CROSSED = _above(_ca._KEY, "Virtual intermediate", "Other root", _OTHER)
ROOT = _above(_ca._KEY, "Virtual root", "Virtual root", _ca._KEY)


class SlowCA(_ca.CA):
    """Decides at the second poll. `invalid`: it validates nothing; refusals: [(status, problem, headers)] that the next newOrders get.

    profiles, terms, eab   what the directory's meta says
    """

    def __init__(self, published):
        super().__init__(published)
        self.invalid = False
        self.refusals = []
        self.meta = {}

    def exchange(self, now, method, url, headers, body):
        """(status, headers, body) as from the CA of the faults, with the headers and members of a real one."""
        name = url[len(_ca.BASE) :].split("/")[0]
        if name == "newOrder" and self.refusals:
            status, problem, more = self.refusals.pop(0)
            _, found, _ = super().exchange(now, "HEAD", _ca.BASE + "newNonce", headers, b"")
            found.update(more)
            found["content-type"] = "application/problem+json"
            return status, found, json.dumps(problem).encode()
        if name == "cert" and url.count("/") == 5:
            status, found, chain = super().exchange(now, method, url.rsplit("/", 1)[0], headers, body)
            return status, found, chain.replace(_ca.INTERMEDIATE, CROSSED)
        try:
            status, found, data = super().exchange(now, method, url, headers, body)
        except KeyError:  # a URL or a profile that this CA never had: the bend made it up
            _, found, _ = super().exchange(now, "HEAD", _ca.BASE + "newNonce", headers, b"")
            found["content-type"] = "application/problem+json"
            status, data = 404, b'{"type":"urn:ietf:params:acme:error:malformed","detail":"no such thing"}'
        if b'"processing"' in data or name == "challenge":
            found["retry-after"] = str(WAIT)
        if name == "cert" and status == 200:
            found["link"] = '<%sdirectory>;rel="index", <%s/1>;rel="alternate"' % (_ca.BASE, url)
        return status, found, data

    def _get(self, now, url):
        obj = json.loads(super()._get(now, url))
        if "meta" in obj:
            obj["meta"].update(self.meta)
        if "suggestedWindow" in obj:
            obj["explanationURL"] = "https://ca.example/why"
        return json.dumps(obj).encode()

    def _post(self, now, url, body, out):
        kid = json.loads(_ca.decode(json.loads(bytes(body))["protected"])).get("kid")
        if kid is not None and kid not in self.accounts:
            raise _ca.Refusal("malformed")  # as Boulder and Pebble say it of a URL that they never gave
        if url.startswith(_ca.BASE + "cert/"):
            protected = json.loads(_ca.decode(json.loads(bytes(body))["protected"]))
            # An alternate is asked for by a URL of its own, which the faults' CA does not know.
            if protected["url"] == url + "/1":
                protected["url"] = url
                self.nonces.pop(protected["nonce"], None)
                return 200, self.orders[url.replace("cert", "order")]["chain"]
        return super()._post(now, url, body, out)

    def _authz(self, url):
        obj = super()._authz(url)
        one = self.authorizations[url]
        if one["status"] != "pending" and one.setdefault("polls", 2) > 0:
            one["polls"] -= 1
            obj["status"] = "pending"
            obj["challenges"][0]["status"] = "processing"
        elif one["status"] == "invalid":
            error = {
                "type": "urn:ietf:params:acme:error:connection",
                "detail": "nothing answers",
                "status": 400,
            }
            obj["challenges"][0]["error"] = error
        obj["challenges"].insert(
            0, {"type": "dns-01", "url": url + "/dns", "token": one["token"], "status": "pending"}
        )
        return obj

    def _challenge(self, now, url, payload, point):
        if self.invalid:
            self.published.clear()
        super()._challenge(now, url, payload, point)
        return 200, self._authz(url)["challenges"][1]

    def _order_text(self, order):
        obj = super()._order_text(order)
        if any(self.authorizations[url]["status"] == "invalid" for url in order["authorizations"]):
            obj["status"] = "invalid"
            obj["error"] = {
                "type": "urn:ietf:params:acme:error:unauthorized",
                "detail": "not yours",
                "status": 403,
            }
        if order["status"] == "valid" and order.setdefault("polls", 2) > 0:
            order["polls"] -= 1
            obj["status"] = "processing"
            del obj["certificate"]
        return obj
