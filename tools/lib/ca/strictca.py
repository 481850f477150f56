"""A strict CA for tests: a proxy before Pebble that makes the refusals Let's Encrypt makes and Pebble does not.

It ends TLS and speaks HTTP with Pebble behind it. Requests and answers pass as they are, byte for byte: the URLs
inside a JWS are the proxy's own, because Pebble makes its URLs from the Host header. What is refused never reaches
Pebble, so Pebble's state is as if it had not been asked. `tools/strict-ca` runs one from the command line.
"""

import base64
import datetime
import http.client
import ipaddress
import json
import os
import re
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tools.lib import loopback
from tools.lib.ca.certificates import spki

PROFILES = {
    "classic": {"description": "Names, for 90 days", "validityPeriod": 90 * 86400},
    "tlsserver": {"description": "Names, for 45 days", "validityPeriod": 45 * 86400},
    "shortlived": {"description": "Names and addresses, for 160 hours", "validityPeriod": 160 * 3600},
}
"""Let's Encrypt's own, for `Pebble(profiles=strictca.PROFILES)`."""

DEFAULT_PROFILE = "classic"
NAMES = {"classic": 100, "tlsserver": 25, "shortlived": 25}
REUSE = 3600  # seconds that a pending order is handed out again: the life of a pending authorization
_URN = "urn:ietf:params:acme:error:"
_LIMITS = "see https://letsencrypt.org/docs/rate-limits/"
_POLL = 6 * 3600  # Retry-After of renewal information
_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length", "host")


class Rules:
    """What is refused. All of it can be changed while the CA runs.

    private          private and reserved addresses are allowed: a test on loopback needs that
    orders_per_set   new orders for one exact set of identifiers in `window` seconds; one that replaces is exempt
    accounts         new accounts in three hours, from all who ask
    window           seconds over which orders are counted; after them one more is allowed
    retry_after      seconds of the Retry-After header of a rateLimited answer; None: until the window has room
    paused           identifiers that the CA has paused: answered with a link to the portal
    revoked          True: renewal windows lie in the past, as they do before a mass revocation
    """

    def __init__(self, private=True, orders_per_set=5, accounts=10, window=7 * 86400, retry_after=None):
        self.private = private
        self.orders_per_set = orders_per_set
        self.accounts = accounts
        self.window = window
        self.retry_after = retry_after
        self.paused = set()
        self.revoked = False


class Refusal(Exception):
    """A problem document (RFC 7807) in the making."""

    def __init__(self, kind, detail, status=400, retry_after=None, link=None):
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.status = status
        self.retry_after = retry_after
        self.link = link


class StrictCA:
    """A proxy before a running `pebble.Pebble`, while a `with` block lasts.

    directory_url   what a client is given; the TLS root is Pebble's `tls_root`
    rules           `Rules`; refused: list of (word of the error type, detail), in order
    """

    def __init__(self, pebble, rules=None, port=None):
        self.pebble = pebble
        self.rules = rules or Rules()
        self.refused = []
        self.port = port
        self._lock = threading.Lock()
        self._keys = {}  # account URL -> public key as SubjectPublicKeyInfo
        self._orders = {}  # order URL -> Order
        self._finalize = {}  # finalize URL -> order URL
        self._certificates = {}  # certificate URL -> order URL
        self._issued = {}  # ARI identifier -> (account, set of identifiers, not before, not after)
        self._times = {}  # (account, set of identifiers) -> times of orders
        self._accounts = []

    def __enter__(self):
        self.port = self.port or loopback.free_ports(1)[0]
        directory = self.pebble.directory
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(directory, "tls.pem"), os.path.join(directory, "tls-key.pem"))
        self._tls = ssl.create_default_context(cafile=self.pebble.tls_root)
        self._server = _Server(("127.0.0.1", self.port), _Handler, self, context)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.directory_url = f"https://localhost:{self.port}/dir"
        return self

    def __exit__(self, *exception):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # One exchange

    def exchange(self, method, path, headers, body):
        """(status, list of headers, body) of the CA's answer."""
        url = f"https://{headers.get('Host', '')}{path}"
        request = Request(url, body) if method == "POST" else None
        try:
            if request is not None and request.whole:
                answer = self._before(request)
                if answer is not None:
                    return self._with_nonce(*answer)
        except Refusal as refusal:
            self.refused.append((refusal.kind, refusal.detail))
            return self._with_nonce(*_problem(refusal))
        status, out, content = self._pass(method, path, headers, body)
        if request is not None and request.whole:
            with self._lock:
                self._after(request, status, dict((k.lower(), v) for k, v in out), content)
        if method == "GET" and "/renewalInfo/" in path and status == 200:
            content, out = self._window(path.rsplit("/", 1)[1], content, out)
        return status, out, content

    def _pass(self, method, path, headers, body):
        connection = http.client.HTTPSConnection(
            "localhost", self.pebble._listen, timeout=30, context=self._tls
        )
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if name.lower() not in _HOP:
                    connection.putheader(name, value)
            connection.putheader("Host", headers.get("Host", ""))
            if method == "POST":
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body if method == "POST" else None)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, [(k, v) for k, v in answer.getheaders() if k.lower() not in _HOP], content
        finally:
            connection.close()

    def _with_nonce(self, status, headers, body):
        """An answer of our own carries a fresh nonce of Pebble's."""
        _, out, _ = self._pass(
            "HEAD", "/nonce-plz", {"Host": f"localhost:{self.port}", "User-Agent": "strict-ca"}, b""
        )
        nonce = [(k, v) for k, v in out if k.lower() == "replay-nonce"]
        return status, headers + nonce, body

    # Before Pebble sees it

    def _before(self, request):
        name = request.url.split("/")[3].split("?")[0]
        with self._lock:
            if name == "sign-me-up" and request.payload.get("onlyReturnExisting") is not True:
                self._new_account(request)
            elif name == "order-plz":
                return self._new_order(request)
            elif name == "finalize-order":
                self._check_csr(request)
        return None

    def _new_account(self, request):
        if request.spki in self._keys.values():
            return
        recent = [t for t in self._accounts if time.time() - t < 3 * 3600]
        if len(recent) >= self.rules.accounts:
            raise self._limited(
                f"too many new registrations ({self.rules.accounts}) from this IP address in the last 3h0m0s",
                "new-registrations-per-ip-address", recent[0] + 3 * 3600,
            )  # fmt: skip

    def _new_order(self, request):
        rules = self.rules
        payload = request.payload
        identifiers = _identifiers(payload)
        profile = payload.get("profile") or DEFAULT_PROFILE
        values = ", ".join(sorted(value for _, value in identifiers))
        for kind, value in sorted(identifiers):
            if value in rules.paused:
                raise Refusal(
                    "rateLimited",
                    f"Your account is temporarily prevented from requesting certificates for {value} and possibly others. "
                    "Please visit: https://portal.letsencrypt.org/sfe/v1/unpause?jwt=eyJhbGciOiJIUzI1NiJ9.e30.x",
                    429,
                )
            if kind == "ip":
                if profile != "shortlived":
                    raise Refusal(
                        "rejectedIdentifier", f'Profile "{profile}" does not permit ip type identifiers'
                    )
                reason = _reserved(value)
                if reason and not rules.private:
                    raise Refusal(
                        "rejectedIdentifier",
                        f"Cannot issue for {value!r}: IP address is in a reserved address block: {reason}",
                    )
        if len(identifiers) > NAMES.get(profile, 100):
            raise Refusal(
                "malformed", f"Order cannot contain more than {NAMES.get(profile, 100)} identifiers"
            )
        replaced = self._issued.get(payload.get("replaces"))
        if replaced is not None:
            if replaced[0] != request.account:
                raise Refusal(
                    "unauthorized", "Requester account did not request the certificate being replaced", 403
                )
            if not replaced[1] & identifiers:
                raise Refusal(
                    "malformed", "Certificate replaced by this order does not include matching identifiers"
                )
        for url, order in self._orders.items():
            if order.same(request.account, identifiers, profile):
                headers = [("Location", url), ("Content-Type", "application/json; charset=utf-8")]
                return 201, headers, order.body
        times = self._times.setdefault((request.account, identifiers), [])
        times[:] = [t for t in times if time.time() - t < rules.window]
        if replaced is None and len(times) >= rules.orders_per_set:
            raise self._limited(
                f"too many certificates ({rules.orders_per_set}) already issued for this exact set of identifiers in the "
                f"last {rules.window // 3600}h0m0s ({values})",
                "new-certificates-per-exact-set-of-identifiers", (times[0] if times else time.time()) + rules.window,
            )  # fmt: skip
        request.identifiers, request.profile, request.exempt = identifiers, profile, replaced is not None
        return None

    def _limited(self, text, anchor, until):
        wait = self.rules.retry_after
        if wait is None:
            wait = max(int(until - time.time()) + 1, 1)
        when = datetime.datetime.fromtimestamp(time.time() + wait, datetime.timezone.utc)
        detail = f"{text}, retry after {when:%Y-%m-%d %H:%M:%S} UTC: {_LIMITS}#{anchor}"
        return Refusal(
            "rateLimited", detail, 429, wait, '<https://letsencrypt.org/docs/rate-limits>;rel="help"'
        )

    def _check_csr(self, request):
        order = self._orders.get(self._finalize.get(request.url))
        try:
            csr = x509.load_der_x509_csr(_decode(request.payload["csr"]))
        except (KeyError, TypeError, ValueError):
            raise Refusal("malformed", "Error parsing certificate request") from None
        if not isinstance(csr.signature_hash_algorithm, (hashes.SHA256, hashes.SHA384, hashes.SHA512)):
            raise Refusal("badCSR", "signature algorithm not supported")
        if not csr.is_signature_valid:
            raise Refusal("badCSR", "invalid signature on CSR")
        if spki(csr.public_key()) in self._keys.values():
            raise Refusal("malformed", "certificate public key must be different than account key")
        for attribute in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
            if _is_address(attribute.value):
                raise Refusal("badCSR", "CSR contains IP address in Common Name")
            if (
                order is not None
                and order.profile != "classic"
                and ("dns", attribute.value) not in order.identifiers
            ):
                raise Refusal("badCSR", "CSR's Common Name is not in the order")
        for extension in csr.extensions:
            if isinstance(extension.value, x509.TLSFeature):
                raise Refusal("unauthorized", "OCSP must-staple extension is no longer available", 403)
        try:
            san = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            raise Refusal("badCSR", "at least one identifier is required") from None
        found = [("dns", n.lower()) for n in san.get_values_for_type(x509.DNSName)]
        found += [("ip", str(a)) for a in san.get_values_for_type(x509.IPAddress)]
        if len(found) != len(san):
            raise Refusal("badCSR", "CSR contains one or more unsupported Subject Alternative Names")
        if len(set(found)) != len(found):
            raise Refusal("badCSR", "CSR names one identifier twice")
        if order is not None and set(found) != order.identifiers:
            raise Refusal("unauthorized", "Order includes different identifiers than CSR specifies", 403)

    # After Pebble has answered

    def _after(self, request, status, headers, content):
        if not 200 <= status < 300:
            return
        name = request.url.split("/")[3].split("?")[0]
        obj = _json(content)
        if name == "sign-me-up":
            if status == 201:
                self._accounts.append(time.time())
            self._keys[headers["location"]] = request.spki
        elif name == "rollover-account-key":
            inner = Request("", json.dumps(request.payload).encode())
            self._keys[request.account] = inner.spki
        elif name == "order-plz":
            order = Order(request.account, request.identifiers, request.profile, content, obj)
            self._orders[headers["location"]] = order
            self._finalize[obj["finalize"]] = headers["location"]
            if not request.exempt:
                self._times[request.account, request.identifiers].append(time.time())
        elif name in ("my-order", "finalize-order"):
            url = request.url if name == "my-order" else self._finalize.get(request.url)
            if url in self._orders:
                self._orders[url].update(content, obj)
                if "certificate" in obj:
                    self._certificates[obj["certificate"]] = url
        elif name in ("authZ", "chalZ"):
            for order in self._orders.values():
                order.learn(request.url, obj)
        elif name == "certZ" and request.url.split("/alternate/")[0] in self._certificates:
            order = self._orders[self._certificates[request.url.split("/alternate/")[0]]]
            leaf = x509.load_pem_x509_certificate(content)
            self._issued[_ari(leaf)] = (order.account, order.identifiers, *validity(leaf))

    def _window(self, certificate, content, headers):
        """Let's Encrypt's own window: 2 % of the lifetime, around two thirds of it, or the middle under ten days."""
        known = self._issued.get(certificate)
        if known is None:
            return content, headers
        second = datetime.timedelta(seconds=1)
        begin, end = known[2], known[3]
        life = end + second - begin
        if self.rules.revoked:
            now = datetime.datetime.now(datetime.timezone.utc)
            begin, end = now - 3600 * second, now - 1800 * second
        else:
            ideal = end - life / (2 if life < datetime.timedelta(days=10) else 3)
            begin, end = ideal - life / 100, ideal + life / 100
        form = "%Y-%m-%dT%H:%M:00Z"
        window: dict[str, Any] = {
            "suggestedWindow": {"start": begin.strftime(form), "end": end.strftime(form)}
        }
        if self.rules.revoked:
            window["explanationURL"] = "https://letsencrypt.org/docs/revocation"
        out = [(k, v) for k, v in headers if k.lower() != "retry-after"] + [("Retry-After", str(_POLL))]
        return json.dumps(window).encode(), out


class Order:
    """What is known of an order from the answers that passed by. failed: the CA could not validate it."""

    def __init__(self, account, identifiers, profile, body, obj):
        self.account = account
        self.identifiers = identifiers
        self.profile = profile
        self.made = time.time()
        self._challenges = set()
        self.failed = False
        self.update(body, obj)

    def update(self, body, obj):
        """Another answer about it."""
        self.body = body
        self.open = obj.get("status") in ("pending", "ready")
        self.failed = self.failed or obj.get("status") == "invalid"
        self.authorizations = obj.get("authorizations", [])

    def same(self, account, identifiers, profile):
        """True when a new order of this kind is answered with this one."""
        asked = (account, identifiers, profile) == (self.account, self.identifiers, self.profile)
        return asked and self.open and time.time() - self.made < REUSE

    def learn(self, url, obj):
        """An answer about an authorization or a challenge: where one of its own failed, the order is lost."""
        if url in self.authorizations:
            self._challenges.update(c.get("url") for c in obj.get("challenges", []))
        elif url not in self._challenges:
            return
        if obj.get("status") in ("invalid", "deactivated"):
            self.open = False
            self.failed = True


class Request:
    """A JWS, taken apart for reading only. `whole` is False for what is none: Pebble says so itself.

    url, payload (dict, {} for POST-as-GET), account (URL, "" where a key signs), spki (that key's, b"" else)
    """

    def __init__(self, url, body):
        self.url = url
        self.payload, self.account, self.spki = {}, "", b""
        try:
            outer = json.loads(body)
            protected = json.loads(_decode(outer["protected"]))
            if outer["payload"]:
                self.payload = json.loads(_decode(outer["payload"]))
            self.account = protected.get("kid", "")
            if "jwk" in protected:
                self.spki = _jwk(protected["jwk"])
            self.whole = isinstance(self.payload, dict)
        except (KeyError, TypeError, ValueError):
            self.whole = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address, handler, ca, context):
        super().__init__(address, handler)
        self.ca = ca
        self.context = context

    def finish_request(self, request, client_address):
        # In the connection's own thread: a client that dawdles over its handshake keeps nobody else waiting.
        request.settimeout(30)
        try:
            tls = self.context.wrap_socket(request, server_side=True)
        except (OSError, ValueError):
            return
        with tls:
            super().finish_request(tls, client_address)

    def handle_error(self, request, client_address):
        """A client that went away is no news; a mistake of ours is."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def _any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, content = self.server.ca.exchange(self.command, self.path, self.headers, body)
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_HEAD = do_POST = _any

    def log_message(self, form, *arguments):
        """Nothing: tests read `StrictCA.refused`."""


def _problem(refusal):
    obj = {"type": _URN + refusal.kind, "detail": refusal.detail, "status": refusal.status}
    headers = [("Content-Type", "application/problem+json")]
    if refusal.retry_after is not None:
        headers.append(("Retry-After", str(refusal.retry_after)))
    if refusal.link:
        headers.append(("Link", refusal.link))
    return refusal.status, headers, json.dumps(obj).encode()


def _identifiers(payload):
    found = []
    for one in payload.get("identifiers") or []:
        if not isinstance(one, dict) or not isinstance(one.get("value"), str):
            raise Refusal("malformed", "NewOrder request included a malformed identifier")
        kind, value = one.get("type"), one["value"]
        if kind == "ip":
            if not _is_address(value) or str(ipaddress.ip_address(value)) != value:
                raise Refusal("malformed", f"{value!r} is not an IP address as RFC 5952 writes it")
        elif kind == "dns":
            if _is_address(value.strip("[]")):
                raise Refusal(
                    "rejectedIdentifier", f"Cannot issue for {value!r}: it is an IP address, not a name"
                )
            if not re.fullmatch(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9-]+)+", value):
                raise Refusal(
                    "rejectedIdentifier",
                    f"Cannot issue for {value!r}: Domain name contains an invalid character",
                )
        else:
            raise Refusal(
                "unsupportedIdentifier", f"NewOrder request included unsupported identifier type {kind!r}"
            )
        found.append((kind, value))
    if len(set(found)) != len(found):
        raise Refusal("malformed", "NewOrder request included one identifier twice")
    return frozenset(found)


def _reserved(value):
    address = ipaddress.ip_address(value)
    for word in ("loopback", "private", "link_local", "multicast", "reserved", "unspecified"):
        if getattr(address, "is_" + word):
            return word.replace("_", "-")
    return "" if address.is_global else "not globally reachable"


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _json(content):
    try:
        obj = json.loads(content)
    except ValueError:
        return {}
    return obj if isinstance(obj, dict) else {}


def _jwk(jwk):
    """The SubjectPublicKeyInfo of a P-256 key; another kind stands for itself."""
    if jwk.get("crv") != "P-256":
        return json.dumps(jwk, sort_keys=True).encode()
    x, y = (int.from_bytes(_decode(jwk[k]), "big") for k in "xy")
    return spki(ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())


def validity(leaf):
    """(begin, end) of a certificate, with a time zone whatever the version of cryptography."""
    utc = datetime.timezone.utc
    if hasattr(leaf, "not_valid_before_utc"):
        return leaf.not_valid_before_utc, leaf.not_valid_after_utc
    return leaf.not_valid_before.replace(tzinfo=utc), leaf.not_valid_after.replace(tzinfo=utc)


def _ari(leaf):
    """The certificate's identifier in RFC 9773 4.1."""
    aki = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    serial = leaf.serial_number
    return _encode(aki) + "." + _encode(serial.to_bytes(serial.bit_length() // 8 + 1, "big"))
