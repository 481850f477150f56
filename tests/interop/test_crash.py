"""SIGKILL between what was done and what was noted of it, at every action: the next start finishes, and orders nothing twice.

The child carries an action out on the real port before the strict CA, which gives a repeated newOrder the pending order,
as Let's Encrypt does. Then it is killed before the core hears of it.
"""

import os
import signal

import pytest

from ipcert.operation_commands import Revocation
from tests.interop.home import home
from tools.lib.ca import strictca
from tools.lib.ca.pebble import Pebble


@pytest.fixture(scope="module")
def behind():
    with Pebble(profiles=strictca.PROFILES) as running:
        yield running


def die_at(device, k):
    """Kill this process when the `k`-th action (from 0) has been carried out, before it is answered."""
    count = [0]

    def guard(name):
        answer = getattr(device.device, name)

        def counted(*arguments):
            if count[0] == k:
                os.kill(os.getpid(), signal.SIGKILL)
            count[0] += 1
            answer(*arguments)

        setattr(device.device, name, counted)

    for name in ("done", "response", "failed"):
        guard(name)


def killed(k, make, prepare):
    """True when a child that does what `make().run()` does was killed at its `k`-th action; False when it ended."""
    pid = os.fork()
    if not pid:
        status = 9
        try:
            device = make()
            die_at(device, k)
            prepare(device)
            device.run()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def nothing(device):
    """A run without an operation."""


@pytest.mark.slow(30)
@pytest.mark.parametrize("who, challenge", [("127.0.0.1", "http-01"), ("nas.janet.example", "tls-alpn-01")])
def test_killed_at_every_action_of_an_issuance(behind, tmp_path, who, challenge):
    k = losses = 0
    while True:
        folder = tmp_path / str(k)
        folder.mkdir()
        with strictca.StrictCA(behind) as ca:

            def make(folder=folder, ca=ca):
                options = {"challenge_ip": challenge, "challenge_name": challenge}
                return home(behind, folder, [who], ca.directory_url, **options)

            died = killed(k, make, nothing)
            device = make()
            error = device.everything()
            if error is not None:
                # It died while the CA was validating: that order is lost, and the plan starts another.
                assert died and error.code == "not-valid", (k, error)
                assert device.until(device.record.planned_at) is None
            failed = [order for order in ca._orders.values() if order.failed]
            losses += len(failed)
            assert device.record.file_id and (folder / "live" / who / "fullchain.pem").exists()
            # The CA still has every order that it did not fail, and gets no second one.
            assert len(ca._orders) == 1 + len(failed), f"killed at {k}: {len(ca._orders)} orders"
            assert len(ca._keys) == 1, f"killed at {k}: {len(ca._keys)} accounts"
            assert ca.refused == []
            files = sorted(n.split("-")[0] for n in device.port.store.names())
            assert files.count("key") == files.count("chain") == files.count("account") == 1, (k, files)
        if not died:
            break
        k += 1
    assert k > 20, "an issuance has more steps than this"
    assert losses <= 5, "only a death during a validation loses an order"


def test_killed_at_every_action_of_a_key_rollover(behind, tmp_path):
    k = 0
    while True:
        folder = tmp_path / str(k)
        folder.mkdir()
        with strictca.StrictCA(behind) as ca:

            def make(folder=folder, ca=ca):
                return home(behind, folder, ["127.0.0.1"], ca.directory_url)

            assert make().run() is None
            died = killed(k, make, lambda device: device.device.event("account", "rollover"))
            device = make()
            account = device.device.journal.account_url.text()
            assert device.run() is None
            device.until(device.record.planned_at)
            assert device.device.issued == 1 and device.device.journal.account_url.text() == account, k
            assert len(ca._keys) == 1 and device.device.journal.pending_account_file_id == 0
        if not died:
            break
        k += 1
    assert k > 3


def test_killed_at_every_action_of_a_revocation(behind, tmp_path):
    k = 0
    while True:
        folder = tmp_path / str(k)
        folder.mkdir()

        def make(folder=folder):
            return home(behind, folder, ["127.0.0.1"])

        def ask(device):
            device.device.prepare(device.clock.now())
            device.device.event("revoke", Revocation("127.0.0.1", 4))

        assert make().run() is None
        died = killed(k, make, ask)
        device = make()
        device.run()
        revoked = device.record.file_id == 0
        # Power that goes before the journal has it loses the request, not the state.
        assert revoked or device.record.revocation_reason is None
        if not revoked:
            ask(device)
            assert device.run() is None and device.record.file_id == 0
        assert not (folder / "live" / "127.0.0.1").exists()
        if not died:
            break
        k += 1
    assert k > 3
