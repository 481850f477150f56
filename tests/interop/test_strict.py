"""The strict CA: each refusal that Let's Encrypt makes and Pebble does not, and ipcert before it."""

import base64
import datetime
import ipaddress
import json
import subprocess
import sys
import urllib.request

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

from tests.interop.home import home
from tools.lib import cache
from tools.lib.ca import strictca
from tools.lib.ca.strictca import Rules, StrictCA


@pytest.fixture(scope="module")
def behind():
    """A Pebble with Let's Encrypt's profiles, behind strict CAs."""
    from tools.lib.ca.pebble import Pebble

    with Pebble(profiles=strictca.PROFILES) as running:
        yield running


@pytest.fixture
def strict(behind):
    """A strict CA of the test's own."""
    with StrictCA(behind) as ca:
        yield ca


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Client:
    """A client without manners: says whatever a test wants said."""

    def __init__(self, ca):
        self.ca = ca
        self.key = ec.generate_private_key(ec.SECP256R1())
        handler = urllib.request.HTTPSHandler(context=ca._tls)
        self.open = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
        self.open.addheaders = [("User-Agent", "test")]
        self.directory = self.get(ca.directory_url)
        self.kid = None
        self.headers = None
        self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True})
        self.kid = self.headers["Location"]

    def get(self, url):
        with self.open.open(url, timeout=20) as answer:
            return json.load(answer)

    def post(self, url, payload):
        """The answer's object, or the problem document."""
        with self.open.open(urllib.request.Request(self.directory["newNonce"], method="HEAD")) as answer:
            nonce = answer.headers["Replay-Nonce"]
        numbers = self.key.public_key().public_numbers()
        protected = {"alg": "ES256", "nonce": nonce, "url": url}
        if self.kid:
            protected["kid"] = self.kid
        else:
            x, y = (b64(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
            protected["jwk"] = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        head = b64(json.dumps(protected).encode())
        body = "" if payload is None else b64(json.dumps(payload).encode())
        r, s = utils.decode_dss_signature(self.key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256())))
        signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        data = json.dumps({"protected": head, "payload": body, "signature": signature}).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/jose+json"})
        try:
            answer = self.open.open(request, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            self.status, self.headers = answer.status, answer.headers
            return json.load(answer)

    def order(self, *identifiers, **more):
        found = [
            {"type": "ip" if set(i) <= set("0123456789abcdef.:") else "dns", "value": i} for i in identifiers
        ]
        return self.post(self.directory["newOrder"], {"identifiers": found, **more})

    def refused(self, obj, kind, words):
        assert self.status >= 400 and obj["type"] == "urn:ietf:params:acme:error:" + kind, obj
        assert words in obj["detail"], obj
        assert self.headers["Replay-Nonce"]

    def csr(self, *identifiers, key=None, cn=None, digest=None):
        names = [
            x509.IPAddress(ipaddress.ip_address(i)) if i[0].isdigit() else x509.DNSName(i)
            for i in identifiers
        ]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)] if cn else [])
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        signed = builder.sign(key or ec.generate_private_key(ec.SECP256R1()), digest or hashes.SHA256())
        return {"csr": b64(signed.public_bytes(serialization.Encoding.DER))}


def test_addresses_only_under_shortlived(strict):
    client = Client(strict)
    words = "does not permit ip type identifiers"
    client.refused(client.order("127.0.0.1"), "rejectedIdentifier", words)
    client.refused(client.order("127.0.0.1", profile="classic"), "rejectedIdentifier", words)
    assert client.order("127.0.0.1", profile="shortlived")["status"] == "pending"


def test_private_and_reserved_addresses_where_switched_on(strict):
    client = Client(strict)
    assert client.order("192.168.1.7", profile="shortlived")["status"] == "pending"
    strict.rules.private = False
    for address in (
        "127.0.0.1",
        "192.168.1.7",
        "100.64.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "2001:db8::1",
        "224.0.0.1",
    ):
        client.refused(
            client.order(address, profile="shortlived"), "rejectedIdentifier", "reserved address block"
        )
    assert client.order("8.8.8.8", profile="shortlived")["status"] == "pending"


def test_too_many_names_for_the_profile(strict):
    client = Client(strict)
    names = [f"n{k}.janet.example" for k in range(26)]
    client.refused(client.order(*names, profile="shortlived"), "malformed", "more than 25")
    assert client.order(*names, profile="classic")["status"] == "pending"


def test_the_same_pending_order_on_a_repeat(strict):
    client = Client(strict)
    first = client.order("a.janet.example", "b.janet.example", profile="classic")
    where = client.headers["Location"]
    assert client.order("b.janet.example", "a.janet.example", profile="classic") == first
    assert client.status == 201 and client.headers["Location"] == where
    client.order("b.janet.example", profile="classic")
    assert client.headers["Location"] != where
    # Another account has its own.
    other = Client(strict)
    other.order("a.janet.example", "b.janet.example", profile="classic")
    assert other.headers["Location"] != where


def test_an_order_that_failed_is_not_given_again(strict):
    client = Client(strict)
    order = client.order("nobody.janet.example", profile="classic")
    where = client.headers["Location"]
    auth = client.post(order["authorizations"][0], None)
    client.post(order["authorizations"][0], {"status": "deactivated"})
    assert auth["status"] == "pending"
    client.order("nobody.janet.example", profile="classic")
    assert client.headers["Location"] != where


def test_rate_limited_after_so_many_orders(strict):
    strict.rules.orders_per_set = 2
    client = Client(strict)
    for _ in range(2):
        order = client.order("often.janet.example", profile="classic")
        assert "authorizations" in order
        client.post(order["authorizations"][0], {"status": "deactivated"})
    problem = client.order("often.janet.example", profile="classic")
    client.refused(problem, "rateLimited", "too many certificates (2) already issued for this exact set")
    assert client.status == 429 and 600000 < int(client.headers["Retry-After"]) <= 604801
    assert client.order("seldom.janet.example", profile="classic")["status"] == "pending"


def test_new_accounts_are_limited(strict):
    strict.rules.accounts = 1
    Client(strict)
    late = Client(strict)
    assert late.status == 429 and late.kid is None
    assert strict.refused[-1][0] == "rateLimited" and "too many new registrations" in strict.refused[-1][1]


@pytest.mark.parametrize(
    "change, kind, words",
    [
        ({"cn": "127.0.0.1"}, "badCSR", "IP address in Common Name"),
        ({"key": "account"}, "malformed", "must be different than account key"),
        ({"digest": "sha1"}, "badCSR", "signature algorithm not supported"),
        ({"identifiers": ["127.0.0.2"]}, "unauthorized", "different identifiers"),
        ({"identifiers": ["127.0.0.1", "127.0.0.1"]}, "badCSR", "twice"),
    ],
)
def test_csrs_are_checked(strict, change, kind, words):
    client = Client(strict)
    order = client.order("127.0.0.1", profile="shortlived")
    options = dict(change)
    if options.get("key"):
        options["key"] = client.key
    if options.get("digest"):
        options.pop("digest")
        csr = _sha1_csr()
    else:
        csr = client.csr(*options.pop("identifiers", ["127.0.0.1"]), **options)
    client.refused(client.post(order["finalize"], csr), kind, words)


def _sha1_csr():
    """A request that OpenSSL signs with SHA-1; cryptography will not."""
    command = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-sha1",
    ]
    command += [
        "-subj",
        "/",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-outform",
        "DER",
        "-keyout",
        "/dev/null",
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    return {"csr": b64(done.stdout)}


def test_what_is_refused_never_reaches_pebble(strict, behind):
    client = Client(strict)
    behind.reset()
    client.order("127.0.0.1")
    assert ("POST", "/order-plz") not in behind.requests()


def hours(leaf):
    begin, end = strictca.validity(leaf)
    return (end - begin) / datetime.timedelta(hours=1)


def test_an_ordinary_client_passes(strict, tmp_path):
    device = home(strict.pebble, tmp_path, ["nas.janet.example", "127.0.0.1", "::1"], strict.directory_url)
    assert device.everything() is None
    assert strict.refused == []
    leaves = [x509.load_pem_x509_certificate(device.chain(r)) for r in device.records]
    assert [round(hours(c)) for c in leaves] == [2160, 160, 160]


def test_windows_are_lets_encrypts(strict, tmp_path):
    device = home(strict.pebble, tmp_path, ["127.0.0.1"], strict.directory_url)
    assert device.run() is None
    record = device.record
    assert device.until(record.ask_window_at) is None
    leaf = x509.load_pem_x509_certificate(device.chain())
    middle = record.not_before + 80 * 3600
    assert abs(record.ari_window_end - (middle + 5760)) <= 60
    answer = Client(strict).get(
        f"https://localhost:{strict.port}/draft-ietf-acme-ari-03/renewalInfo/{strictca._ari(leaf)}"
    )
    begin, end = (
        datetime.datetime.fromisoformat(answer["suggestedWindow"][k][:-1]) for k in ("start", "end")
    )
    assert (end - begin) in (datetime.timedelta(minutes=m) for m in (191, 192, 193))


def test_a_replacing_order_is_exempt_from_the_limit_and_a_wrong_one_is_not_taken(strict, tmp_path):
    strict.rules.orders_per_set = 1
    device = home(strict.pebble, tmp_path, ["127.0.0.1"], strict.directory_url)
    assert device.run() is None
    first = device.record.ari_id.text()
    assert device.until(device.record.planned_at) is None
    assert device.device.issued == 2 and strict.refused == []
    other = Client(strict)
    problem = other.order("127.0.0.1", profile="shortlived", replaces=first)
    other.refused(problem, "unauthorized", "did not request the certificate being replaced")


def test_rate_limited_is_waited_out_and_survives_a_restart(strict, tmp_path):
    strict.rules.orders_per_set = 0
    strict.rules.retry_after = 7200
    device = home(strict.pebble, tmp_path, ["127.0.0.1"], strict.directory_url)
    started = device.clock.now()
    error = device.run()
    assert error.code == "rateLimited" and device.told()[-1] == "limited"
    again = home(strict.pebble, tmp_path, ["127.0.0.1"], strict.directory_url)
    again.clock.ahead = device.clock.ahead
    assert again.run() is None and len(strict.refused) == 1, "the pause did not survive the restart"
    assert again.record.planned_at >= started + 7200
    strict.rules.orders_per_set = 5
    assert again.until(again.record.planned_at) is None and again.record.file_id


def test_a_pause_is_told_with_its_link(strict, tmp_path):
    strict.rules.paused.add("127.0.0.1")
    device = home(strict.pebble, tmp_path, ["127.0.0.1"], strict.directory_url)
    assert device.run().code == "rateLimited"
    code, _, text = device.progress.notices[-1]
    assert code == "limited" and "https://portal.letsencrypt.org/sfe/v1/unpause?jwt=" in text


def test_a_mass_revocation_is_an_emergency(strict, tmp_path):
    device = home(strict.pebble, tmp_path, ["127.0.0.1"], strict.directory_url)
    assert device.run() is None
    strict.rules.revoked = True
    assert device.until(device.record.ask_window_at + 1) is None
    assert device.device.issued == 2
    assert [
        text for code, _, text in device.progress.notices if code == "emergency" and "docs/revocation" in text
    ]


def test_the_command(tmp_path):
    command = [sys.executable, "tools/strict-ca", "--refuse-private", "--pause", "nas.janet.example"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=cache.ROOT) as child:
        try:
            text = ""
            while not text.endswith("}\n"):
                text += child.stdout.readline()
            ready = json.loads(text)
            ca = type("CA", (), {})()
            ca.http_port, ca.tls_port, ca.tls_root = ready["http_port"], ready["tls_port"], ready["roots"]
            ca.directory_url = ready["directory"]
            device = home(ca, tmp_path, ["127.0.0.1"])
            assert "reserved address block" in str(device.run())
        finally:
            child.terminate()


def test_rules_have_lets_encrypts_numbers():
    rules = Rules()
    assert (rules.orders_per_set, rules.window, rules.accounts) == (5, 604800, 10)
