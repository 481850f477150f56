"""`ipcert` against a real Pebble, run as its owner runs it: what is issued, what is shared, what it costs."""

import base64
import json
import os
import signal
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from home import (
    Daemons,
    Home,
    children,
    sans,
    sentence,
    spki,
    started,
    stat,
    uncovered,
    until,
    validity,
)

from ipcert import action, limits, notices
from ipcert_port.cli.progress import Quiet
from ipcert_port.config import reader as _config
from ipcert_port.port.net import Net, user_agent
from ipcert_port.session import Session

NAME = "nas.janet.example"
SHORT = 60480  # 14 days become 20 seconds


def account_spki(home):
    state = home.state()
    key = serialization.load_der_private_key(state.read("account-%d" % state.journal.account_file_id), None)
    return spki(key.public_key())


def test_a_name_and_two_addresses_share_nothing(pebble, tmp_path):
    home = Home(tmp_path, pebble, [NAME], ["127.0.0.1", "::1"])
    home.wish("policy", compress=SHORT)
    out = home.json("issue", "--wait")
    assert out["exit"] == 0 and out["error"] is None and out["issued"] == 3
    assert [c["identifiers"] for c in out["certificates"]] == [[NAME], ["127.0.0.1"], ["::1"]]
    assert [c["profile"] for c in out["certificates"]] == ["classic", "shortlived", "shortlived"]
    seen = {account_spki(home)}
    for c, folder in zip(out["certificates"], (NAME, "127.0.0.1", "ipv6---1")):
        leaf = home.leaf(folder)
        names, addresses = sans(leaf)
        assert names + addresses == c["identifiers"] and not leaf.subject.rdns
        assert spki(leaf.public_key()) == c["spki_sha256"]
        seen.add(c["spki_sha256"])
        begin, end = validity(leaf)
        assert round((end - begin) / 86400) == (90 if names else 6)
        assert c["path"] == str(tmp_path / "live" / folder)
        key = serialization.load_pem_private_key(
            (tmp_path / "live" / folder / "privkey.pem").read_bytes(), None
        )
        assert spki(key.public_key()) == c["spki_sha256"]
    assert len(seen) == 4
    # Each was fetched in the second of its plan, and said so; the plans that are left are the renewals.
    assert [n["code"] for n in out["notices"]].count("issued") == 3
    assert all(p["at_unix"] > time.time() + 86400 for p in out["plans"])


def test_the_bytes_of_our_csrs_carry_no_common_name(pebble, tmp_path, monkeypatch):
    csrs = []
    real = Net.request

    def request(self, method, url, headers=None, body=None):
        if body:
            payload = json.loads(bytes(body))["payload"]
            if "finalize" in url:
                csr = json.loads(base64.urlsafe_b64decode(payload + "=="))["csr"]
                csrs.append(base64.urlsafe_b64decode(csr + "=="))
        assert headers is None or "user-agent" not in {h.lower() for h in headers}
        return real(self, method, url, headers, body)

    monkeypatch.setattr(Net, "request", request)
    home = Home(tmp_path, pebble, [NAME, "www.janet.example"], ["127.0.0.1"])
    home.wish("policy", first_delay="0s")
    with Session(_config.load(home.config), Quiet()) as work:
        work.drive.run()
    home.json("issue", "--now", NAME) if len(csrs) < 2 else None
    assert csrs
    for der in csrs:
        csr = x509.load_der_x509_csr(der)
        assert csr.is_signature_valid and not csr.subject.rdns
        assert b"\x06\x03\x55\x04\x03" not in der  # the OID of commonName, anywhere at all
        names, addresses = sans(csr)
        assert not (names and addresses) and (names or addresses)


@pytest.mark.parametrize("new", [True, False])
def test_one_connection_and_no_request_too_many(make_pebble, tmp_path, new):
    pebble = make_pebble(nonce_reject=0, authz_reuse=0, sleep=0)
    home = Home(tmp_path, pebble)
    if not new:
        home.json("issue")
        # This Pebble drops the zero that DER puts before a serial number with its highest bit set, and then does not
        # find the certificate that we say we replace: one request more, in one of 256 renewals.
        while home.leaf("127.0.0.1").serial_number.bit_length() % 8 == 0:
            home.json("issue", "--now", "127.0.0.1")
        pebble.reset()
    home.json("issue", "--now", "127.0.0.1") if not new else home.json("issue")
    requests = pebble.requests()
    assert len(requests) <= (11 if new else 8), requests
    assert pebble.traffic().connections == pebble.traffic().tls == 1
    # No pause of ours is longer than what this Pebble asks for: one second each for validation and order.
    assert pebble.traffic().slept() < 2 * 1.0 + 1.5


def test_half_of_the_nonces_are_refused(make_pebble, tmp_path):
    pebble = make_pebble(nonce_reject=50)
    home = Home(tmp_path, pebble, [NAME], ["127.0.0.1"])
    home.wish("policy", compress=SHORT)
    out = home.json("issue", "--wait")
    assert out["issued"] == 2
    assert len(pebble.requests()) > 20


def test_a_renewal_has_a_new_key_and_says_what_it_replaces(make_pebble, tmp_path):
    pebble = make_pebble()
    home = Home(tmp_path, pebble)
    first = home.json("issue")["certificates"][0]
    done = home.run("issue", "--now", "127.0.0.1", "--json")
    second = json.loads(done.stdout)["certificates"][0]
    assert first["spki_sha256"] != second["spki_sha256"]
    assert "You override the plan" in sentence(done)
    assert spki(home.leaf("127.0.0.1").public_key()) == second["spki_sha256"]
    with open(pebble.log) as file:
        assert "has been marked as replaced" in file.read()
    # The retired key is erased, in the state folder and where it was deployed.
    assert len([n for n in os.listdir(tmp_path / "state") if n.startswith("key-")]) == 1
    assert len(list((tmp_path / "live").rglob("privkey.pem"))) == 1


BLOCKED = "blocked-domain.example"  # Pebble refuses the order


@pytest.mark.parametrize(
    "wrong, code",
    [
        pytest.param({}, 3, id="refused by the CA"),
        pytest.param({"profile_name": "other"}, 2, id="a mistake of the owner's"),
    ],
)
def test_what_fails_for_one_certificate_does_not_keep_the_others_from_coming(
    make_pebble, tmp_path, wrong, code
):
    pebble = make_pebble()
    home = Home(tmp_path, pebble, [BLOCKED], ["127.0.0.1", "::1"])
    home.wish("policy", urgent="both", compress=10**7, **wrong)
    out = home.json("issue", "--wait", code=code)
    assert out["issued"] == 2
    assert sorted(c["identifiers"][0] for c in out["certificates"]) == ["127.0.0.1", "::1"]
    # Why the third is not there is said, by its name, and in the exit status.
    assert out["error"] is not None and out["exit"] == code
    assert [n["text"] for n in out["notices"] if n["code"] == "failed" and BLOCKED in n["text"]]


def test_each_that_is_asked_for_now_is_tried_whatever_comes_of_those_before_it(make_pebble, tmp_path):
    pebble = make_pebble()
    home = Home(tmp_path, pebble, [BLOCKED], ["127.0.0.1", "::1"])
    out = home.json("issue", "--now", "127.0.0.1", "--now", BLOCKED, "--now", "::1", code=3)
    assert out["issued"] == 2


def test_a_certificate_that_is_due_and_asked_for_now_is_ordered_once(make_pebble, tmp_path):
    pebble = make_pebble()
    home = Home(tmp_path, pebble)
    done = home.run("issue", "--now", "127.0.0.1", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)["issued"] == 1
    assert len([r for r in pebble.requests() if "order-plz" in r[1]]) == 1
    # Nothing was overridden: it was due. Asked for again, it is fetched again.
    assert "You override the plan" not in done.stderr
    assert home.json("issue", "--now", "127.0.0.1")["issued"] == 1


def test_a_certificate_that_is_due_asked_for_now_and_refused_is_ordered_once(make_pebble, tmp_path):
    pebble = make_pebble()
    home = Home(tmp_path, pebble, [BLOCKED], [])
    home.json("issue", "--now", BLOCKED, code=3)
    assert len([r for r in pebble.requests() if "order-plz" in r[1]]) == 1


def test_nothing_due_asks_nobody(pebble, tmp_path):
    home = Home(tmp_path, pebble)
    home.json("issue")
    before = home.deployed()
    pebble.reset()
    out = home.json("issue")
    assert out["issued"] == 0 and out["deployed"] == [] and pebble.requests() == []
    assert home.deployed() == before


def test_plans_survive_kill_nine(pebble, tmp_path):
    home = Home(tmp_path, pebble, [NAME], ["127.0.0.1"])
    first = home.json("plan")
    assert [p["identifiers"] for p in first["plans"]] == [[NAME], ["127.0.0.1"]]
    assert home.json("plan") == first
    # A child killed while it writes coverage's database leaves a damaged one: these write none.
    options = {"start_new_session": True, "env": uncovered()}
    daemon = home.start("run", **options)
    try:
        assert until(lambda: home.record("127.0.0.1").file_id, 60)
        issued = home.json("plan")
    finally:
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.communicate()
    # The name's plan is the one from the beginning; the address has its renewal.
    assert home.json("plan") == issued
    assert issued["plans"][0] == first["plans"][0] and issued["plans"][1] != first["plans"][1]
    again = home.start("run", **options)
    try:
        time.sleep(2)
        assert home.json("plan") == issued
    finally:
        os.killpg(again.pid, signal.SIGKILL)
        again.communicate()
    assert home.json("plan") == issued
    p = issued["plans"][0]
    assert p["from"] <= p["at"] <= p["to"] and p["at_unix"] > 1790000000


def test_a_combined_certificate_needs_consent(pebble, tmp_path):
    home = Home(tmp_path, pebble, [NAME], ["127.0.0.1"])
    home.wish("identifiers", combined=True)
    pebble.reset()
    out = home.json("issue", code=4)
    assert out["error"]["code"] == "consent" and out["issued"] == 0 and pebble.requests() == []
    told = {n["code"]: n for n in out["notices"]}
    assert told["combined"]["severity"] == told["consent-needed"]["severity"] == "alert"
    assert home.json("plan")["plans"][0]["at"] is None and home.json("plan")["consent_needed"]

    asked = home.json("consent", code=4)
    assert asked["public"][0]["code"] == "combined" and "for ever" in asked["public"][0]["text"]
    assert home.json("consent", code=4)["challenge"] == asked["challenge"]
    done = home.run("consent", "00000000")
    assert done.returncode == 4 and "not the answer" in sentence(done)
    assert home.json("issue", code=4)["issued"] == 0 and pebble.requests() == []

    assert home.run("consent", asked["challenge"]).returncode == 0
    out = home.json("issue")
    assert out["issued"] == 1
    names, addresses = sans(home.leaf(NAME))
    assert (names, addresses) == ([NAME], ["127.0.0.1"])
    # The journal says who agreed to what, and when.
    record = home.record(NAME + ",127.0.0.1")
    assert abs(record.consent_at + limits.EPOCH_UNIX - time.time()) < 120
    assert list(home.json("status")["consent"]) == [NAME + ",127.0.0.1"]
    # The consent is for exactly these identifiers.
    home.wish("identifiers", names=[NAME, "www.janet.example"])
    pebble.reset()
    assert home.json("issue", code=4)["issued"] == 0 and pebble.requests() == []
    challenge = home.json("consent", code=4)["challenge"]
    assert challenge != asked["challenge"]


def test_a_public_server_is_not_asked(pebble, tmp_path):
    home = Home(tmp_path, pebble, [NAME], ["127.0.0.1"])
    home.wish("identifiers", combined=True)
    home.wish("policy", setting="public")
    assert home.json("issue")["issued"] == 1
    assert sans(home.leaf(NAME)) == ([NAME], ["127.0.0.1"])


def test_through_another_servers_webroot(pebble, tmp_path):
    import functools
    import http.server
    import threading

    root = tmp_path / "www"
    root.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", pebble.http_port), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        home = Home(tmp_path, pebble)
        home.wish("http01", webroot=str(root))
        assert home.json("issue")["issued"] == 1
        assert not [f for f in root.rglob("*") if f.is_file()]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_hook_that_fails_does_not_cost_the_certificate(pebble, tmp_path):
    home = Home(tmp_path, pebble)
    home.wish("deploy", hook=["false"])
    done = home.run("issue", "--json")
    assert done.returncode == 8 and "The deploy hook false failed" in sentence(done)
    assert json.loads(done.stdout)["issued"] == 1 and home.leaf("127.0.0.1")
    home.wish("deploy", hook=["true"])
    assert home.json("issue")["issued"] == 0


# The daemon.


@pytest.fixture
def run_daemon():
    with Daemons() as daemons:
        yield daemons.run


# A child stays for short waits; what is longer is the daemon's, and here a child stays for two seconds at most.
@pytest.mark.slow(30)
@pytest.mark.parametrize("task_wait", [2, pytest.param(limits.TASK_WAIT, marks=pytest.mark.full)])
def test_the_daemon_acts_in_the_planned_second_and_costs_nothing_meanwhile(
    pebble, tmp_path, run_daemon, task_wait
):
    home = Home(tmp_path, pebble, [NAME], ["127.0.0.1"])
    home.json("issue")
    planned = int(time.time()) + task_wait + 15

    def move(journal):
        record = [r for r in journal.records() if r.identifiers_text.text() == NAME][0]
        record.planned_at = record.window_end = planned - limits.EPOCH_UNIX
        record.window_start = record.planned_at - 60

    home.rewrite(move)
    daemon = run_daemon(home, task_wait)
    assert until(lambda: children(daemon.pid), 60) and until(lambda: not children(daemon.pid), 60)
    time.sleep(0.5)
    ticks, rss, maps = stat(daemon.pid)
    print("daemon: %d KB" % rss)
    assert rss <= 14 * 1024 and "libcrypto" not in maps, rss
    assert "cryptography" not in maps and "_ssl" not in maps and "_rust" not in maps
    assert time.time() < planned - 2
    time.sleep(planned - 1 - time.time())
    assert stat(daemon.pid)[0] == ticks and not children(daemon.pid)
    assert home.record(NAME).file_id == 0
    assert until(lambda: children(daemon.pid), 60)
    # The child begins in that second (a start is noted to a tick of the kernel); how long the order takes then is the CA's.
    assert -0.02 < started(children(daemon.pid)[0]) - planned < 2
    assert until(lambda: home.leaf(NAME), 60) and validity(home.leaf(NAME))[0] >= planned
    daemon.send_signal(signal.SIGTERM)
    out, err = daemon.communicate(timeout=60)
    assert daemon.returncode == 0, err
    # P12: plans are not for logs.
    assert "renewed on" not in out + err and "comes on" not in out + err


def test_the_daemon_reads_its_configuration_again(pebble, tmp_path, run_daemon):
    home = Home(tmp_path, pebble)
    daemon = run_daemon(home)
    assert until(lambda: home.record("127.0.0.1").file_id and not children(daemon.pid), 60)
    with open(home.config, "a") as file:
        file.write("[nonsense]\n")
    daemon.send_signal(signal.SIGHUP)
    assert "there is no [nonsense]" in daemon.stderr.readline()
    home.wish("identifiers", addresses=["::1"])
    home.wish("policy", min_ip_age="0s")
    daemon.send_signal(signal.SIGHUP)
    assert until(lambda: home.record("::1"), 60)
    assert until(lambda: not (tmp_path / "live" / "127.0.0.1").exists(), 60)
    daemon.send_signal(signal.SIGTERM)
    daemon.communicate(timeout=60)
    assert daemon.returncode == 0


def test_one_at_a_time(pebble, tmp_path, run_daemon):
    home = Home(tmp_path, pebble)
    daemon = run_daemon(home)
    assert until(lambda: home.record("127.0.0.1").file_id and not children(daemon.pid), 60)
    done = home.run("run")
    assert done.returncode == 9 and "process %d" % daemon.pid in sentence(done)
    assert home.json("status")["daemon"] == daemon.pid
    # While it sleeps, everything else may be done; it is told, and looks again.
    assert home.json("issue", "--now", "127.0.0.1")["issued"] == 1


def test_two_issues_at_once_take_turns_or_refuse(make_pebble, tmp_path):
    pebble = make_pebble(retry_after=(3, 3), sleep=2)
    home = Home(tmp_path, pebble)
    first = home.start("issue")
    assert until(lambda: (tmp_path / "state" / "account-1").exists(), 60)
    done = home.run("issue")
    assert done.returncode == 9 and "process %d" % first.pid in sentence(done)
    assert first.communicate(timeout=60)[1] == "" and first.returncode == 0


# What a device has to be steady against.


@pytest.mark.parametrize("step", ["ACCOUNT", "SAVE_ORDER", "ANSWER", "FINALIZE", "CHAIN", "COMMIT", "DEPLOY"])
def test_killed_in_the_middle_it_goes_on(make_pebble, tmp_path, step):
    pebble = make_pebble()
    home = Home(tmp_path, pebble)
    with Session(_config.load(home.config), Quiet()) as work:
        at = step.lower()
        work.drive.run(lambda it: work.device.state == at and it.kind != action.NOTIFY)
        assert work.device.state == at
    out = home.json("issue")
    assert out["certificates"][0]["spki_sha256"] == spki(home.leaf("127.0.0.1").public_key())
    assert home.record("127.0.0.1").failures == 0
    keys = [n for n in os.listdir(tmp_path / "state") if n.startswith("key-")]
    assert keys == ["key-%d" % home.record("127.0.0.1").file_id]


def test_a_ca_that_forgot_us_is_started_with_afresh(make_pebble, tmp_path):
    pebble = make_pebble()
    home = Home(tmp_path, pebble)
    with Session(_config.load(home.config), Quiet()) as work:
        work.drive.run(lambda it: work.device.state == "answer")
    pebble.stop()
    pebble.start()
    home.use(pebble)
    home.configure()
    out = home.json("issue")
    assert out["issued"] == 1 and "account-lost" in [n["code"] for n in out["notices"]]


def test_the_user_agent_names_us_and_nothing_about_the_device():
    assert user_agent() == "ipcert/0.1.0"


def test_every_notice_about_the_split_is_told_once(pebble, tmp_path):
    home = Home(tmp_path, pebble, [NAME], ["127.0.0.1", "::1"])
    codes = [n["code"] for n in home.json("issue")["notices"]]
    for code in ("ipv6-published", "both-families", "name-points-here", "address-published"):
        assert codes.count(code) == 1
    assert not {notices.code(k) for k in range(6)} & {n["code"] for n in home.json("issue")["notices"]}
    assert {p["code"] for p in home.json("plan")["public"]} >= {
        "ipv6-published",
        "both-families",
        "name-points-here",
    }


def test_no_secret_and_no_plan_in_what_is_printed(pebble, tmp_path):
    home = Home(tmp_path, pebble)
    done = subprocess.run(home.command("issue"), capture_output=True, timeout=60)
    text = (done.stdout + done.stderr).decode()
    for name in os.listdir(tmp_path / "state"):
        if name.startswith(("key-", "account-")):
            assert os.stat(tmp_path / "state" / name).st_mode & 0o777 == 0o600
            data = (tmp_path / "state" / name).read_bytes()
            assert base64.b64encode(data).decode() not in text and data.hex() not in text
