"""Each challenge type, on the real port, before the real CA: validated by the CA, never assumed."""

import base64
import hashlib
import http.server
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import types

import pytest
from cryptography import x509

from ipcert.errors import LocalError
from ipcert.operation_commands import Revocation
from ipcert_port.deploy import tls_server
from ipcert_port.port.state import accounts
from ipcert_port.solvers.dns import providers, queries, records
from ipcert_port.solvers.shelf import Shelf
from tests.interop.home import home
from tools.lib import loopback, needs
from tools.lib.ca import testcert

NAME, V4, V6 = "nas.janet.example", "127.0.0.1", "::1"
WILD = "*.janet.example"


def san(device, record=None):
    leaf = x509.load_pem_x509_certificate(device.chain(record))
    value = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return value.get_values_for_type(x509.DNSName) + [
        str(a) for a in value.get_values_for_type(x509.IPAddress)
    ]


def asks(ca):
    """The resolver, and the zone's server, of a test CA."""
    where = [("127.0.0.1", ca.dns_port)]
    return queries.Dns(where, where)


def dns_options(ca, provider, seconds=10):
    return types.SimpleNamespace(make=lambda: (asks(ca), provider), timeout=seconds)


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
@pytest.mark.parametrize("who", [NAME, V4, V6])
def test_validated_over_a_listener(pebble, tmp_path, challenge, who):
    device = home(pebble, tmp_path, [who], challenge_name=challenge, challenge_ip=challenge)
    assert device.run() is None and san(device) == [who]
    for port in (pebble.http_port, pebble.tls_port):
        assert not loopback.answers(port), "a listener stayed open"


@pytest.mark.parametrize("reuse", [0, 100])
@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_half_of_all_nonces_refused(make_pebble, tmp_path, challenge, reuse):
    ca = make_pebble(nonce_reject=50, authz_reuse=reuse)
    device = home(ca, tmp_path, [NAME, V4, V6], challenge_name=challenge, challenge_ip=challenge)
    # At 50 % one exchange in 1,024 meets more refusals than are allowed in a row: then the plan tries again.
    for _ in range(3):
        error = device.everything()
        if error is None:
            break
        assert error.code == "nonce"
        device.until(min(r.planned_at for r in device.records))
    assert sorted(san(device, r)[0] for r in device.records) == sorted([NAME, V4, V6])
    # And once more, with or without a fresh validation. Asked to reuse none, Pebble still reuses one in a hundred.
    for _ in range(1 if reuse else 3):
        ca.reset()
        device.until(max(r.planned_at for r in device.records if r.identifiers_text.text() == V4))
        answered = ("POST", "/chalZ/") in ca.requests()
        if answered:
            break
    assert device.device.issued >= 4 and answered == (reuse == 0)


def test_a_validation_that_fails_is_told_in_the_cas_words(pebble, tmp_path):
    device = home(pebble, tmp_path, [V4], answers={"listen": [("127.0.0.1", loopback.free_ports(1)[0])]})
    error = device.run()
    assert error.code == "not-valid" and V4 in str(error) and "refused" in str(error)
    assert device.record.failures == 1 and device.record.planned_at > device.clock.now()


def test_tls_alpn_behind_a_shared_port(pebble, tmp_path):
    # What `ipcert serve` runs, on the port that the CA validates.
    shelf = Shelf(str(tmp_path / "alpn"))
    server = tls_server.Server(tls_server.Chooser([]), [(V4, pebble.tls_port), (V6, pebble.tls_port)], shelf)
    server.start()
    try:
        shared = {"alpn_shared": shelf.folder}
        options = {"challenge_name": "tls-alpn-01", "challenge_ip": "tls-alpn-01"}
        device = home(pebble, tmp_path, [NAME, V4, V6], answers=shared, **options)
        assert device.everything() is None
        assert os.listdir(shelf.folder) == []
    finally:
        server.close()


def test_the_challenge_certificate_is_shown_to_nobody_else(tmp_path):
    shelf = Shelf(str(tmp_path / "alpn"))
    root, leaf, key = testcert.make(["nas.janet.example"])
    der = ssl.PEM_cert_to_DER_cert(leaf.decode())
    body = b"".join(key.strip().split(b"\n")[1:-1])
    shelf.publish("nas.janet.example", base64.b64decode(body), der)
    assert os.stat(os.path.join(shelf.folder, "nas.janet.example.pem")).st_mode & 0o777 == 0o600
    server = tls_server.Server(tls_server.Chooser([]), [("127.0.0.1", 0)], shelf)
    server.start()

    def shown(name, protocols):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if protocols:
            context.set_alpn_protocols(protocols)
        with socket.create_connection(("127.0.0.1", server.ports[0]), timeout=10) as sock:
            with context.wrap_socket(sock, server_hostname=name) as tls:
                return tls.selected_alpn_protocol(), tls.getpeercert(True)

    try:
        assert shown("nas.janet.example", ["acme-tls/1"]) == ("acme-tls/1", der)
        for name, protocols in (
            ("nas.janet.example", None),
            ("nas.janet.example", ["http/1.1"]),
            ("other.janet.example", ["acme-tls/1"]),
            (None, ["acme-tls/1"]),
        ):
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                shown(name, protocols)
    finally:
        server.close()
    for bad in ("../x.example", "", "a b.example", "nas"):
        with pytest.raises(LocalError):
            shelf.publish(bad, b"", b"")


# dns-01


class Challtestsrv:
    """A provider that tells the test CA's own DNS server."""

    def __init__(self, ca):
        self.ca = ca
        self.log = []

    def add(self, name, text):
        self.log.append(("add", name))
        self.ca.dns("set-txt", host=name + ".", value=text)

    def remove(self, name, text):
        self.log.append(("remove", name))
        self.ca.dns("clear-txt", host=name + ".")


def test_a_name_and_its_wildcard_over_dns(pebble, tmp_path):
    provider = Challtestsrv(pebble)
    answers = {"dns": dns_options(pebble, provider)}
    device = home(pebble, tmp_path, ["janet.example", WILD], challenge_name="dns-01", answers=answers)
    assert device.run() is None and sorted(san(device)) == [WILD, "janet.example"]
    name = "_acme-challenge.janet.example"
    assert provider.log == [("add", name), ("remove", name)] * 2


def test_a_wildcard_over_http_is_refused_before_anything_is_asked(pebble, tmp_path):
    device = home(pebble, tmp_path, [WILD])
    error = device.run()
    assert error.code == "challenge" and "dns-01" in str(error)
    assert ("POST", "/order-plz") not in pebble.requests()


def test_a_record_that_nobody_shows_is_given_up_after_a_while(pebble, tmp_path):
    class Deaf(Challtestsrv):
        def add(self, name, text):
            self.log.append(("add", name))

    provider = Deaf(pebble)
    answers = {"dns": dns_options(pebble, provider, 1)}
    device = home(pebble, tmp_path, [NAME], challenge_name="dns-01", answers=answers)
    error = device.run()
    assert error.code == "dns" and "does not show the record" in str(error)
    assert provider.log[-1][0] == "remove"
    # The CA was never asked to look.
    assert ("POST", "/chalZ/") not in pebble.requests()


def test_dns_through_a_program(pebble, tmp_path):
    script = tmp_path / "set-txt"
    script.write_text(
        f"#!{sys.executable}\n"
        "import json, sys, urllib.request\n"
        "extra, what, name, text = sys.argv[1:]\n"
        "assert extra == 'two words; $(false)'\n"
        "what = {'present': 'set-txt', 'cleanup': 'clear-txt'}[what]\n"
        "body = json.dumps({'host': name, 'value': text}).encode()\n"
        "opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))\n"
        f"opener.open('{pebble.dns_url}/' + what, body)\n"
    )
    script.chmod(0o755)
    provider = providers.Exec([str(script), "two words; $(false)"])
    answers = {"dns": dns_options(pebble, provider)}
    device = home(pebble, tmp_path, [NAME], challenge_name="dns-01", answers=answers)
    assert device.run() is None and san(device) == [NAME]
    assert asks(pebble).texts("_acme-challenge." + NAME, ("127.0.0.1", pebble.dns_port)) in ([], None)


def test_a_program_that_fails_is_told_in_its_own_words(tmp_path):
    for command, words in (
        (["sh", "-c", "echo no such zone >&2; exit 3"], "status 3: no such zone"),
        ([str(tmp_path / "missing")], "cannot be run"),
        ([sys.executable, "-c", "import time; time.sleep(9)"], "longer than 1 seconds"),
    ):
        with pytest.raises(LocalError) as caught:
            providers.Exec(command, 1).add("_acme-challenge.nas.example", "x")
        assert caught.value.code == "dns" and words in str(caught.value)


class Hook(http.server.BaseHTTPRequestHandler):
    """lego's httpreq, as servers of that kind have it."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = self.headers["Authorization"] == "Bearer sesame" and self.path in (
            "/v1/present",
            "/v1/cleanup",
        )
        if good:
            what = "set-txt" if self.path.endswith("present") else "clear-txt"
            self.server.ca.dns(what, host=body["fqdn"], value=body["value"])
        self.send_response(200 if good else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, form, *arguments):
        """Nothing."""


def test_dns_through_a_webhook(pebble, tmp_path):
    root, leaf, key = testcert.make()
    (tmp_path / "root.pem").write_bytes(root)
    (tmp_path / "server.pem").write_bytes(leaf + key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.ca = pebble
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"https://localhost:{server.server_port}/v1"
    try:
        provider = providers.Webhook(url, str(tmp_path / "root.pem"), "sesame")
        answers = {"dns": dns_options(pebble, provider)}
        device = home(pebble, tmp_path, [NAME], challenge_name="dns-01", answers=answers)
        assert device.run() is None and san(device) == [NAME]
        with pytest.raises(LocalError) as caught:
            providers.Webhook(url, str(tmp_path / "root.pem"), "wrong").add("x.example", "y")
        assert "status 403" in str(caught.value) and "wrong" not in str(caught.value)
        with pytest.raises(LocalError) as caught:  # not by a root that we trust
            providers.Webhook(url, pebble.tls_root, "sesame").add("x.example", "y")
        assert "sesame" not in str(caught.value)
    finally:
        server.shutdown()
        server.server_close()


# RFC 2136, against BIND


@pytest.fixture(scope="module")
def bind(tmp_path_factory):
    """A BIND of Debian's with the zone janet.example, that takes updates signed with one key."""
    needs.install("bind")
    folder = tmp_path_factory.mktemp("bind")
    port, control = loopback.free_ports(2)
    secret = subprocess.run(
        ["tsig-keygen", "-a", "hmac-sha256", "ipcert"], stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    (folder / "zone").write_text(
        "$TTL 60\n@ SOA ns.janet.example. x.janet.example. 1 60 60 600 60\n@ NS ns.janet.example.\n"
        "ns A 127.0.0.1\nnas A 127.0.0.1\n"
        "_acme-challenge.nas CNAME nas.challenges.janet.example.\n"
    )
    (folder / "named.conf").write_text(
        f"""{secret}
        options {{ directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
                   pid-file "{folder}/pid"; session-keyfile "{folder}/session"; recursion no;
                   dnssec-validation no; }};
        controls {{ }};
        zone "janet.example" {{ type primary; file "zone";
            update-policy {{ grant ipcert subdomain janet.example. TXT; }}; }};
        """
    )
    named = "/usr/sbin/named"
    with open(folder / "log", "w") as log:
        child = subprocess.Popen(
            [named, "-g", "-c", str(folder / "named.conf"), "-n", "1"], stdout=log, stderr=log
        )
    try:
        assert loopback.wait_until(lambda: loopback.answers(port), 60), (folder / "log").read_text()
        yield types.SimpleNamespace(port=port, secret=secret.split('"')[-2], log=folder / "log")
    finally:
        child.terminate()
        child.wait(20)


def test_dns_through_dynamic_updates(bind, make_pebble, tmp_path):
    ca = make_pebble(dns_server=("127.0.0.1", bind.port))
    where = [("127.0.0.1", bind.port)]
    ask = queries.Dns(where, where)
    provider = providers.Rfc2136(where[0], ask, "ipcert", bind.secret)
    answers = {"dns": types.SimpleNamespace(make=lambda: (ask, provider), timeout=10)}
    device = home(
        ca, tmp_path, ["nas.janet.example", "*.janet.example"], challenge_name="dns-01", answers=answers
    )
    assert device.run() is None and len(san(device)) == 2
    # The CNAME was followed, and nothing is left behind.
    assert ask.target("_acme-challenge.nas.janet.example") == "nas.challenges.janet.example"
    assert ask.zone("nas.challenges.janet.example") == "janet.example"
    assert ask.texts("nas.challenges.janet.example", where[0]) == []
    assert ask.texts("_acme-challenge.janet.example", where[0]) == []
    assert "nas.challenges.janet.example" in bind.log.read_text()
    provider.look("nas.challenges.janet.example")


def test_an_update_with_the_wrong_key_is_refused(bind):
    where = ("127.0.0.1", bind.port)
    ask = queries.Dns([where], [where])
    wrong = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    for key, secret, zone, words in (
        ("ipcert", wrong, "", "did not take the update"),
        ("nobody", bind.secret, "", "did not take the update"),
        ("ipcert", bind.secret, "other.example", "is not in the zone"),
    ):
        with pytest.raises(LocalError) as caught:
            providers.Rfc2136(where, ask, key, secret, zone=zone).add(
                "_acme-challenge.nas.janet.example", "x"
            )
        assert words in str(caught.value) and secret not in str(caught.value)
        # `ipcert doctor` sees it before an update is tried.
        with pytest.raises(LocalError) as caught:
            providers.Rfc2136(where, ask, key, secret, zone=zone).look("janet.example")
        assert "see dns." in str(caught.value) and secret not in str(caught.value)
    with pytest.raises(LocalError) as caught:
        providers.Rfc2136(where, ask, "ipcert", "not base64!")
    assert "not base64!" not in str(caught.value)


# dns-account-01


def test_the_records_name_is_the_accounts_own(pebble, tmp_path):
    provider = Challtestsrv(pebble)
    answers = {"dns": dns_options(pebble, provider)}
    names = ["labelled.janet.example", "*.labelled.janet.example"]
    device = home(pebble, tmp_path, names, challenge_name="dns-account-01", answers=answers)
    assert device.run() is None and sorted(san(device)) == sorted(names)
    url = device.device.journal.account_url.text().encode()
    label = base64.b32encode(hashlib.sha256(url).digest()[:10]).decode().lower()
    name = f"_{label}._acme-challenge.labelled.janet.example"
    assert provider.log == [("add", name), ("remove", name)] * 2
    assert [w for w in device.warnings if "names the ACME account" in w and "account of their own" in w]


# dns-persist-01


def test_a_lasting_record(pebble, tmp_path):
    provider = Challtestsrv(pebble)
    answers = {"dns": dns_options(pebble, provider)}
    device = home(
        pebble, tmp_path, ["persist.janet.example"], challenge_name="dns-persist-01", answers=answers
    )
    assert device.run() is None and san(device) == ["persist.janet.example"]
    assert [what for what, _ in provider.log] == ["add"], "it is to stay"
    (text,) = asks(pebble).texts("_validation-persist.persist.janet.example", ("127.0.0.1", pebble.dns_port))
    assert device.device.journal.account_url.text() in text.decode()
    assert [w for w in device.warnings if "accounturi" in w and "account of their own" in w]
    # The next one finds it there.
    device.until(device.record.planned_at)
    assert device.device.issued == 2 and len(provider.log) == 1


def test_addresses_have_an_account_of_their_own_where_dns_names_the_first(pebble, tmp_path):
    answers = {"dns": dns_options(pebble, Challtestsrv(pebble))}
    device = home(
        pebble, tmp_path, ["two.janet.example", V4], challenge_name="dns-persist-01", answers=answers
    )
    pebble.reset()
    assert device.everything() is None
    assert pebble.requests().count(("POST", "/sign-me-up")) == 2
    journal = device.device.journal
    first, second = accounts(journal)
    assert first[0] != second[0]
    (text,) = asks(pebble).texts("_validation-persist.two.janet.example", ("127.0.0.1", pebble.dns_port))
    assert first[0] in text.decode() and second[0] not in text.decode()
    # Renewed by its own account, then revoked by it: Pebble lets no other account do that.
    for record in device.records:
        device.device.event("renew", record.identifiers_text.text())
        assert device.run() is None
    assert device.device.issued == 4
    for record in device.records:
        device.device.event("revoke", Revocation(record.identifiers_text.text(), 4))
        assert device.until(device.clock.now() + 86400) is None and not record.file_id
    assert pebble.requests().count(("POST", "/revoke-cert")) == 2
    assert pebble.requests().count(("POST", "/sign-me-up")) == 2


def test_without_a_provider_the_record_to_create_is_printed(pebble, tmp_path):
    answers = {"dns": dns_options(pebble, None)}
    name = "manual.janet.example"
    device = home(pebble, tmp_path, [name], challenge_name="dns-persist-01", answers=answers)
    error = device.run()
    text = str(error)
    assert error.code == "dns" and '_validation-persist.manual.janet.example. IN TXT "' in text
    value = text.split('"')[1]
    pebble.dns("set-txt", host="_validation-persist.manual.janet.example.", value=value)
    device.until(device.record.planned_at)
    assert device.device.issued == 1


def test_what_a_lasting_record_grants():
    wanted = records.parameters("ca.example; accounturi=https://ca.example/a/1")
    wild = records.parameters("ca.example; accounturi=https://ca.example/a/1; policy=wildcard")
    good = "CA.example.;persistUntil=9999999999; AccountURI=https://ca.example/a/1 ;policy=wildcard"
    assert records.grants(records.parameters(good), wanted) and records.grants(records.parameters(good), wild)
    assert not records.grants(wanted, wild)
    for bad in (
        "ca.example",
        "ca.example; accounturi=https://ca.example/a/2",
        "other.example; accounturi=https://ca.example/a/1",
        "",
    ):
        assert not records.grants(records.parameters(bad), wanted)
