"""What the other files of this folder do not drive: renewal information, profiles, chains, terms, operations."""

import datetime
import shutil

import pytest
from cryptography import x509

from tests.interop.home import home
from tools.lib.ca.strictca import validity

NAME, V4 = "nas.janet.example", "127.0.0.1"


def leaf(device, record=None):
    return x509.load_pem_x509_certificate(device.chain(record))


def test_profiles_by_rule(pebble, tmp_path):
    device = home(pebble, tmp_path, [NAME, V4])
    assert device.everything() is None
    days = {
        r.identifiers_text.text(): round(
            (validity(leaf(device, r))[1] - validity(leaf(device, r))[0]).total_seconds() / 86400
        )
        for r in device.records
    }
    assert days == {NAME: 90, V4: 6}


def test_a_profile_that_the_ca_no_longer_lists_is_a_notice(make_pebble, tmp_path):
    ca = make_pebble()
    device = home(ca, tmp_path, [V4])
    assert device.run() is None
    device.record.profile.set(b"longlived")
    assert device.until(device.record.planned_at) is None
    assert "profile" in device.told() and device.record.profile.text() == "shortlived"


def test_an_unknown_profile_is_refused_with_the_list(pebble, tmp_path):
    device = home(pebble, tmp_path, [V4], profile_ip="gold")
    error = device.run()
    assert error.code == "profile" and "classic, shortlived" in str(error)
    assert ("POST", "/order-plz") not in pebble.requests()


@pytest.mark.parametrize("chain", [1, 2])
def test_the_smallest_chain_and_one_by_its_issuer(make_pebble, tmp_path, chain):
    ca = make_pebble(alternates=2, chain=chain)
    names = [
        x509.load_pem_x509_certificate(open(ca.root(k), "rb").read()).subject.rfc4514_string()[3:]
        for k in range(3)
    ]
    device = home(ca, tmp_path, [V4], preferred_chain=names[2])
    assert device.run() is None
    chains = x509.load_pem_x509_certificates(device.chain())
    assert len(chains) == 1 + chain and chains[-1].issuer.rfc4514_string()[3:] == names[2]
    (tmp_path / "b").mkdir()
    small = home(ca, tmp_path / "b", [V4], preferred_chain="smallest")
    assert small.run() is None
    (tmp_path / "c").mkdir()
    plain = home(ca, tmp_path / "c", [V4])
    assert plain.run() is None
    # The default is fetched alone; a choice fetches the others too.
    assert len(small.chain()) <= len(device.chain()) + 8


def test_replaces_is_said_where_the_ca_knows_it_and_dropped_where_it_refuses(make_pebble, tmp_path):
    ca = make_pebble()
    first = home(ca, tmp_path / "a", [V4])
    assert first.run() is None
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert first.until(first.record.planned_at) is None and first.device.issued == 2
    # A copy of the state says `replaces` about a certificate that is replaced already.
    ca.reset()
    second = home(ca, tmp_path / "b", [V4])
    second.clock.ahead = first.clock.ahead
    second.until(max(second.record.planned_at, second.clock.now()))
    assert second.device.issued == 1
    assert ca.requests().count(("POST", "/order-plz")) == 2, "one with replaces, and one without"


def test_renewal_information_moves_a_renewal(make_pebble, tmp_path):
    ca = make_pebble()
    device = home(ca, tmp_path, [V4])
    assert device.run() is None
    now = datetime.datetime.now(datetime.timezone.utc)
    form = "%Y-%m-%dT%H:%M:%SZ"
    window = {
        "start": (now - datetime.timedelta(hours=2)).strftime(form),
        "end": (now - datetime.timedelta(hours=1)).strftime(form),
    }
    answer = {"suggestedWindow": window, "explanationURL": "https://ca.example/incident"}
    ca.set_renewal_info(device.chain().decode(), answer)
    assert device.until(device.record.ask_window_at + 1) is None
    assert device.device.issued == 2
    assert [
        t for c, _, t in device.progress.notices if c == "emergency" and "https://ca.example/incident" in t
    ]


@pytest.mark.parametrize(
    "nonsense", ["{", '{"suggestedWindow": {}}', '{"suggestedWindow": {"start": 1, "end": 2}}']
)
def test_renewal_information_that_is_garbage_changes_nothing(pebble, tmp_path, nonsense):
    device = home(pebble, tmp_path, [V4])
    assert device.run() is None
    pebble.set_renewal_info(device.chain().decode(), nonsense)
    at = device.record.planned_at
    device.until(device.record.ask_window_at + 1)
    assert device.device.issued == 1 and device.record.planned_at == at


def test_strict_ari_stays_in_the_cas_window(make_pebble, tmp_path):
    ca = make_pebble()
    device = home(ca, tmp_path, [V4], strict_ari=True)
    assert device.run() is None
    now = datetime.datetime.now(datetime.timezone.utc)
    form = "%Y-%m-%dT%H:%M:%SZ"
    begin, end = (now + datetime.timedelta(hours=h) for h in (60, 95))
    ca.set_renewal_info(
        device.chain().decode(),
        {"suggestedWindow": {"start": begin.strftime(form), "end": end.strftime(form)}},
    )
    device.until(device.record.ask_window_at + 1)
    seconds = device.record.planned_at + 1577836800
    assert begin.timestamp() - 1 <= seconds <= end.timestamp() + 1


def test_terms_are_agreed_to_by_the_owner_and_changes_are_told(pebble, tmp_path):
    device = home(pebble, tmp_path / "a", [V4], agree_terms=False)
    error = device.run()
    assert error.code == "terms" and "agree_terms" in str(error)
    assert ("POST", "/sign-me-up") not in pebble.requests()
    other = home(pebble, tmp_path / "b", [V4])
    other.device.journal.terms.set(b"https://ca.example/terms-of-last-year")
    assert other.run() is None
    assert "terms" in other.told()


def test_an_account_that_the_ca_forgot_is_made_again_with_the_same_key(make_pebble, tmp_path):
    ca = make_pebble()
    device = home(ca, tmp_path, [V4])
    assert device.run() is None
    was = bytes(device.device.journal.account_key_hash)
    ca.stop()
    ca.start()
    device.device.event("renew", V4)
    # Its memory of the account is gone with its process.
    device.run()
    device.until(min(device.record.planned_at, device.clock.now() + 86400))
    assert device.device.issued == 2 and "account-lost" in device.told()
    assert bytes(device.device.journal.account_key_hash) == was


def test_retry_after_of_a_validation_is_kept(make_pebble, tmp_path):
    ca = make_pebble(retry_after=(7, 11), sleep=1)
    device = home(ca, tmp_path, [V4])
    before = device.clock.ahead
    while device.device.issued == 0:
        assert device.run() is None
    # 7 seconds for the authorization; the order is polled after 11.
    assert device.clock.ahead - before >= 11


def test_the_directory_on_every_loopback(make_pebble, tmp_path):
    for host in ("127.0.0.1", "::1"):
        ca = make_pebble(host=host)
        (tmp_path / host.replace(":", "-")).mkdir()
        device = home(ca, tmp_path / host.replace(":", "-"), [V4])
        assert device.run() is None


def test_a_name_that_resolves_to_ipv6_only(make_pebble, tmp_path):
    ca = make_pebble(ipv4="", ipv6="::1")
    device = home(ca, tmp_path, [NAME])
    assert device.run() is None
