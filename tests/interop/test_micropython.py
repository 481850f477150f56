"""The features on a real MicroPython: its own port, its own TLS, its own signer, before the real CA."""

import http.server
import json
import os
import ssl
import subprocess
import sys
import threading

import micropython_binary
import pytest
from cryptography import x509

from tests.interop.test_challenges import Hook
from tools.lib import cache
from tools.lib.ca import strictca, testcert

NAME, V4, V6 = "hub.janet.example", "127.0.0.1", "::1"
PARTS = [
    cache.ROOT,
    *(os.path.join(cache.ROOT, "ports", p) for p in ("micropython", "urequests_compat")),
    os.path.join(cache.ROOT, "boards", "common", "python"),
    ".frozen",
]


def built(*words):
    """The path of what tools/build builds, or has built before."""
    command = [sys.executable, os.path.join(cache.ROOT, "tools", "build"), *words]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.splitlines()[-1]


class Hub:
    """A MicroPython process with a device in it. stock: on firmware with nothing of ours, with the natmod beside it."""

    def __init__(self, ca, folder, ids, directory=None, more=None, stock=False, **options):
        self.folder = folder / "state"
        self.folder.mkdir(exist_ok=True, mode=0o700)
        program, parts = micropython_binary.path(), PARTS
        if stock:
            program = built("micropython", "--stock")
            parts = [*PARTS, os.path.dirname(built("natmod", "x64"))]
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "micropython_device.py")
        self._child = subprocess.Popen(
            [program, "-X", "heapsize=512k", script],
            env=dict(os.environ, MICROPYPATH=":".join(parts)),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, preexec_fn=lambda: os.umask(0o077),
        )  # fmt: skip
        words = {
            "ids": list(ids), "directory": directory or ca.directory_url, "roots": ca.tls_root, "port": ca.http_port,
            "state": str(self.folder), "options": options, **(more or {}),
        }  # fmt: skip
        self._send(words)

    def _send(self, words):
        self._child.stdin.write(json.dumps(words) + "\n")
        self._child.stdin.flush()

    def __call__(self, *words):
        self._send(words)
        line = self._child.stdout.readline()
        assert line.startswith("{"), line + self._child.stdout.read()
        self.state = json.loads(line)
        return self.state

    def everything(self):
        state = self("run")
        for _ in range(3):
            missing = [at for _, gen, at, *_ in state["lineages"] if not gen]
            if not missing or state["error"]:
                break
            state = self("until", min(missing))
        assert state["error"] is None and all(gen for _, gen, *_ in state["lineages"]), state
        assert not state["connected"]  # 33 KB of a hub's memory, until the next plan
        return state

    def pem(self, k=0):
        return (self.folder / ("chain-%d" % self.state["lineages"][k][1])).read_bytes()

    def kill(self):
        self._child.kill()
        self.close()

    def close(self):
        for end in (self._child.stdin, self._child.stdout):
            end.close()
        self._child.wait(20)


@pytest.fixture
def hub(tmp_path):
    """A function that starts a hub; all are stopped after the test."""
    running = []

    def start(ca, ids, **options):
        for one in running:  # they would listen on the same port
            if one._child.poll() is None:
                one.close()
        running.append(Hub(ca, options.pop("folder", tmp_path), ids, **options))
        return running[-1]

    yield start
    for one in running:
        if one._child.poll() is None:
            one.close()


@pytest.mark.parametrize("reuse", [0, 100])
def test_http_for_names_and_both_families_at_half_of_all_nonces_refused(make_pebble, hub, reuse):
    ca = make_pebble(nonce_reject=50, authz_reuse=reuse)
    device = hub(ca, [NAME, V4, V6])
    state = device("run")
    for _ in range(8):
        missing = [at for _, gen, at, *_ in state["lineages"] if not gen]
        if not missing:
            break
        assert state["error"] in (None, "nonce"), state
        state = device("until", min(missing))
    assert [text for text, *_ in state["lineages"]] == [NAME, V4, V6] and all(
        gen for _, gen, *_ in state["lineages"]
    )
    assert {profile for _, _, _, _, profile, _ in state["lineages"]} == {"classic", "shortlived"}


def test_account_and_revocation(pebble, hub):
    device = hub(pebble, [V4], contacts=["mailto:janet@janet.example"])
    account = device.everything()["account"]
    assert device("event", "account", "contacts")["error"] is None
    before = device.state["account_gen"]
    state = device("event", "account", "rollover")
    assert state["error"] is None and state["account"] == account and state["account_gen"] != before
    assert device("event", "renew", V4)["issued"] == 2
    state = device("event", "revoke", [V4, 4, False])
    assert (
        state["error"] is None
        and state["lineages"][0][1] == 0
        and "revoked" in state["told"]
        and state["deployed"][V4] == 0
    )
    device("event", "renew", V4)
    state = device("event", "revoke", [V4, 1, True])
    assert state["error"] is None and state["lineages"][0][1] == 0
    assert device("event", "account", "deactivate")["account"] == ""


def test_a_second_account_and_what_is_given_back(pebble, hub):
    name = "second.janet.example"
    device = hub(pebble, [name, V4], challenge_name="dns-persist-01")
    state = device("run")
    for _ in range(6):
        if state["records"]:
            value = state["records"][0].split('"')[1]
            pebble.dns("set-txt", host=f"_validation-persist.{name}.", value=value)
        missing = [at for _, gen, at, *_ in state["lineages"] if not gen]
        if not missing:
            break
        state = device("until", min(missing))
    first, second = state["accounts"]
    assert all(gen for _, gen, *_ in state["lineages"]) and first in state["records"][0]
    assert second.startswith("https://") and second != first
    pebble.reset()
    assert device("event", "deauthorize", V4)["error"] is None
    assert pebble.requests()[1:] == [("POST", "/my-order/"), ("POST", "/authZ/")]


def test_an_account_is_found_again_by_its_key(pebble, hub, tmp_path):
    first = hub(pebble, [V4])
    account = first.everything()["account"]
    d = (first.folder / ("account-%d" % first.state["account_gen"])).read_bytes()[36:68]
    (tmp_path / "other").mkdir()
    other = hub(pebble, [V4], folder=tmp_path / "other")
    assert other("event", "recover", d.hex())["account"] == account
    assert other.everything()["account"] == account


def test_bindings_chains_and_profiles(make_pebble, hub, tmp_path):
    import base64

    kid, key = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    ca = make_pebble(eab={kid: key}, alternates=1)
    name = x509.load_pem_x509_certificate(open(ca.root(1), "rb").read()).subject.rfc4514_string()[3:]
    mac = base64.urlsafe_b64decode(key + "==").hex()
    device = hub(ca, [V4], eab_kid=kid, eab_key=mac, preferred_chain=name)
    device.everything()
    assert x509.load_pem_x509_certificates(device.pem())[-1].issuer.rfc4514_string()[3:] == name
    (tmp_path / "b").mkdir()
    wrong = hub(ca, [V4], folder=tmp_path / "b", profile_ip="gold", eab_kid=kid, eab_key=mac)
    assert wrong("run")["error"] == "profile" and "classic, shortlived" in wrong.state["text"]


def test_renewal_information_and_replaces(make_pebble, hub):
    ca = make_pebble(profiles=strictca.PROFILES)
    with strictca.StrictCA(ca, strictca.Rules(orders_per_set=1)) as strict:
        device = hub(ca, [V4], directory=strict.directory_url)
        state = device.everything()
        state = device("until", state["lineages"][0][3])
        # Only an order that replaces gets past this limit.
        state = device("until", state["lineages"][0][2])
        assert state["issued"] == 2 and strict.refused == []
        strict.rules.revoked = True
        state = device("until", state["lineages"][0][3])
        assert "emergency" in state["told"] and state["issued"] == 3


def test_a_rate_limit_survives_a_restart(make_pebble, hub):
    ca = make_pebble(profiles=strictca.PROFILES)
    with strictca.StrictCA(ca, strictca.Rules(orders_per_set=0, retry_after=7200)) as strict:
        device = hub(ca, [V4], directory=strict.directory_url)
        state = device("run")
        assert state["error"] == "rateLimited" and state["lineages"][0][2] >= state["now"] + 7100
        device.kill()
        device = hub(ca, [V4], directory=strict.directory_url, more={"ahead": state["ahead"]})
        assert device("run")["issued"] == 0 and len(strict.refused) == 1
        strict.rules.orders_per_set = 5
        assert device("until", device.state["lineages"][0][2])["issued"] == 1


@pytest.fixture
def webhook(pebble, tmp_path):
    """What a Hub is told of a DNS webhook that changes the test CA's zone."""
    root, leaf, key = testcert.make()
    (tmp_path / "root.pem").write_bytes(root)
    (tmp_path / "server.pem").write_bytes(leaf + key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.ca = pebble
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield {
            "hook": f"https://localhost:{server.server_port}/v1",
            "hook_roots": str(tmp_path / "root.pem"),
        }
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", ["dns-01", "dns-account-01"])
def test_a_wildcard_by_dns_through_a_webhook(pebble, hub, webhook, kind):
    device = hub(pebble, ["hub.janet.example", "*.hub.janet.example"], more=webhook, challenge_name=kind)
    assert len(x509.load_pem_x509_certificates((device.everything(), device.pem())[1])) == 2


def test_a_lasting_record(pebble, hub, tmp_path):
    (tmp_path / "b").mkdir()
    name = "lasting.janet.example"
    device = hub(pebble, [name], folder=tmp_path / "b", challenge_name="dns-persist-01")
    state = device("run")
    assert state["error"] == "not-valid" and state["account"] in state["records"][0]
    pebble.dns("set-txt", host=f"_validation-persist.{name}.", value=state["records"][0].split('"')[1])
    assert device("until", state["lineages"][0][2])["issued"] == 1


def test_tls_alpn_for_names_and_both_families(pebble, hub):
    options = {"challenge_name": "tls-alpn-01", "challenge_ip": "tls-alpn-01"}
    device = hub(pebble, [NAME, V4, V6], more={"tls_port": pebble.tls_port}, **options)
    device.everything()


def test_what_the_firmware_cannot_answer_is_said(pebble, hub):
    device = hub(pebble, [V4], stock=True, challenge_ip="tls-alpn-01")
    assert device("run")["error"] == "challenge" and "no ALPN" in device.state["text"]
    assert ("POST", "/chalZ/") not in pebble.requests()


def kill_at(ca, exchange, hub):
    """Kill the hub when the CA has done what it asked in its `exchange`-th request (from 0), before it hears of it."""
    pass_on = ca._pass
    seen = []

    def counted(*arguments):
        answer = pass_on(*arguments)
        if len(seen) == exchange:
            hub._child.kill()
        seen.append(1)
        return answer

    ca._pass = counted


def test_killed_at_any_request_nothing_is_ordered_twice(make_pebble, hub, tmp_path):
    ca = make_pebble(profiles=strictca.PROFILES)
    deaths = 0
    for k in range(12):
        folder = tmp_path / str(k)
        folder.mkdir()
        with strictca.StrictCA(ca) as strict:
            first = hub(ca, [V4], folder=folder, directory=strict.directory_url)
            kill_at(strict, k, first)
            first._send(["run"])
            deaths += first._child.stdout.readline() == ""
            second = hub(ca, [V4], folder=folder, directory=strict.directory_url)
            state = second("run")
            if state["error"] == "not-valid":  # it died while the CA was validating
                state = second("until", state["lineages"][0][2])
            assert state["lineages"][0][1], (k, state)
            failed = [order for order in strict._orders.values() if order.failed]
            assert len(strict._orders) == 1 + len(failed) and len(failed) < 2 and len(strict._keys) == 1, k
            second.close()
    assert deaths >= 10
