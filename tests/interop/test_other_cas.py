"""The same device before other CAs: Debian's Pebble (2.4 on Debian 12: no profiles, no ARI, a CN in its leaves) and step-ca."""

import types

import pytest
from cryptography import x509

from ipcert.operation_commands import Revocation
from tests.interop.home import home
from tests.interop.test_challenges import Challtestsrv, dns_options
from tests.interop.test_commands import Shell
from tools.lib.ca import pebble as pebbles
from tools.lib.ca import stepca
from tools.lib.say import Stop

NAME, V4, V6 = "nas.janet.example", "127.0.0.1", "::1"


@pytest.fixture(scope="module")
def old():
    """Debian's own Pebble, refusing half of all nonces."""
    try:
        pebbles.debian_programs()
    except Stop as error:
        pytest.skip(str(error))
    with pebbles.debian(nonce_reject=50) as running:
        yield running


@pytest.fixture(scope="module")
def step():
    """step-ca, on the ports and with the DNS server of a Pebble."""
    with pebbles.Pebble() as helper, stepca.StepCA(helper) as running:
        running.helper = helper
        yield running


def stubborn(device):
    """Half of all nonces refused: an exchange may give up, and the plan goes on."""
    for _ in range(4):
        error = device.everything()
        if error is None:
            return
        assert error.code == "nonce", error
        device.until(min(r.planned_at for r in device.records if not r.file_id))


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_debians_pebble_issues_for_everything(old, tmp_path, challenge):
    device = home(old, tmp_path, [NAME, V4, V6], challenge_name=challenge, challenge_ip=challenge)
    stubborn(device)
    assert all(r.file_id for r in device.records)
    for record in device.records:
        leaf = x509.load_pem_x509_certificate(device.chain(record))
        if "2.4" in old_version():
            assert leaf.subject.rfc4514_string().startswith("CN="), "this is what makes it worth a test"
        assert record.ask_window_at == 0 or "2.4" not in old_version(), "it answers no renewal information"


def old_version():
    from tools.lib import debian

    return debian.installed("pebble")


def test_debians_pebble_with_bindings_and_alternates(old, tmp_path):
    kid, key = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    import base64

    with pebbles.debian(eab={kid: key}, alternates=1) as ca:
        name = x509.load_pem_x509_certificate(open(ca.root(1), "rb").read()).subject.rfc4514_string()[3:]
        mac = base64.urlsafe_b64decode(key + "==")
        device = home(ca, tmp_path, [V4], eab_kid=kid, eab_key=mac, preferred_chain=name)
        assert device.run() is None
        chain = x509.load_pem_x509_certificates(device.chain())
        assert chain[-1].issuer.rfc4514_string()[3:] == name


def test_debians_pebble_account_and_revocation(old, tmp_path):
    device = home(old, tmp_path, [V4], contacts=("mailto:janet@janet.example",))
    stubborn(device)
    for operation in ("contacts", "rollover"):
        device.device.event("account", operation)
        error = device.run()
        if error is not None:
            assert error.code == "nonce"
            device.device.event("account", operation)
            device.run()
    device.device.event("renew", V4)
    stubborn(device)
    device.device.event("revoke", Revocation(V4, 1))
    device.run()
    for _ in range(3):
        if device.record.file_id:
            device.until(device.record.planned_at)
    assert not device.record.file_id and device.device.issued >= 2


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_step_ca_issues_for_everything(step, tmp_path, challenge):
    device = home(step, tmp_path, [NAME, V4, V6], challenge_name=challenge, challenge_ip=challenge)
    assert device.everything() is None
    assert all(r.file_id for r in device.records) and device.device.issued == 3
    # And renewed at their plan, from the same account.
    device.until(max(r.planned_at for r in device.records))
    assert device.device.issued >= 6


def test_step_ca_over_dns(step, tmp_path):
    provider = Challtestsrv(step.helper)
    answers = {"dns": dns_options(step, provider)}
    device = home(
        step, tmp_path, ["janet.example", "*.janet.example"], challenge_name="dns-01", answers=answers
    )
    assert device.run() is None and device.record.file_id


def test_step_ca_account_and_revocation(step, tmp_path):
    device = home(step, tmp_path, [V4], contacts=("mailto:janet@janet.example",))
    assert device.run() is None
    device.device.event("account", "contacts")
    assert device.run() is None
    device.device.event("revoke", Revocation(V4, 1))
    assert device.run() is None and not device.record.file_id
    device.device.event("renew", V4)
    assert device.run() is None and device.record.file_id
    device.device.event("revoke", Revocation(V4, 1, True))
    assert device.run() is None and not device.record.file_id
    # It offers no deactivation of authorizations, and says so; nothing is lost by asking.
    device.device.event("deauthorize", V4)
    assert device.run().code == "malformed" and device.record.failures == 0
    device.device.event("account", "deactivate")
    assert device.run() is None and not device.device.journal.account_url.size


def test_step_ca_by_its_short_name(step, tmp_path):
    host = step.directory_url.split("/")[2]
    ca = types.SimpleNamespace(**{**vars(step), "directory_url": "step-ca:" + host})
    shell = Shell(tmp_path, ca)
    assert shell("issue")["issued"] == 1 and shell("account")["directory"] == step.directory_url
    (tmp_path / "b").mkdir()
    ca.directory_url += "/nobody"
    Shell(tmp_path / "b", ca)("issue", code=3)
