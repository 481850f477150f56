"""A maker's fleet: the CA's limit is said before it hurts, and a first contact is spread."""

import sys

import pytest

from ipcert import identifiers, limits, policy, split
from ipcert.device import Device
from ipcert_port.cli import fleet, plans
from ipcert_port.config import reader
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.port import Port
from ipcert_port.port.sign import Signer

pytestmark = pytest.mark.quick

TEXT = """
[identifiers]
names = ["{name}"]
[fleet]
{fleet}
"""


def load(tmp_path, fleet, name="a1b2.devices.maker.net"):
    path = tmp_path / "ipcert.toml"
    path.write_text(TEXT.format(name=name, fleet=fleet))
    return reader.load(str(path))


@pytest.mark.parametrize(
    "name, domain",
    [
        ("a1b2.devices.maker.net", "maker.net"),
        ("*.maker.co.uk", "maker.co.uk"),
        ("x.y.maker.github.io", "maker.github.io"),
        ("nas.duckdns.org", "nas.duckdns.org"),
        ("maker.com.br", "maker.com.br"),
    ],
)
def test_what_the_ca_counts(name, domain):
    assert fleet.registered_domain(name) == domain


def test_the_owners_word_goes_before_the_list():
    assert fleet.registered_domain("a.homes.maker.net", "homes.maker.net") == "homes.maker.net"
    assert fleet.registered_domain("a.other.net", "homes.maker.net") == "other.net"
    assert fleet.registered_domain("a.nothomes.maker.net", "homes.maker.net") == "maker.net"


@pytest.mark.parametrize(
    "devices, severity", [(0, None), (39, None), (40, "warning"), (50, "warning"), (51, "alert")]
)
def test_it_is_said_before_fifty(tmp_path, devices, severity):
    found = [
        w
        for w in plans.published(load(tmp_path, f"devices_per_week = {devices}"))
        if w["code"] == "fleet-limit"
    ]
    assert [w["severity"] for w in found] == ([severity] if severity else [])
    if found:
        assert "maker.net" in found[0]["text"] and "50" in found[0]["text"]


def test_without_the_list_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "publicsuffixlist", None)
    (one,) = fleet.warnings(load(tmp_path, "devices_per_week = 10"))
    assert "fleet.domain" in one["text"]
    assert fleet.warnings(load(tmp_path, 'devices_per_week = 10\ndomain = "maker.net"')) == []


def test_a_first_contact_is_spread(tmp_path):
    spread = 7 * limits.DAY
    chosen = policy.Policy(spread=spread, agree_terms=True)
    found = []
    for k in range(200):
        entropy = Entropy()
        port = Port(str(tmp_path / str(k)), Signer(entropy), entropy)
        device = Device(
            port,
            chosen,
            split.certificates([identifiers.parse("8.8.8.8")], chosen),
            "https://ca.example/directory",
        )
        device.prepare(limits.BUILT + 1000000)
        (record,) = device.journal.records()
        found.append(record.planned_at - limits.BUILT - 1000000)
    assert 0 <= min(found) and max(found) <= spread
    # Each tenth of the week gets its share: with 200 draws none is empty but once in 10 ** 8 runs.
    tenths = {at * 10 // (spread + 1) for at in found}
    assert tenths == set(range(10))


def test_the_configuration_says_how_far(tmp_path):
    assert load(tmp_path, 'spread = "7d"').policy.spread == 7 * limits.DAY
    assert load(tmp_path, "").policy.spread == 0
