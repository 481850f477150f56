"""Months under a virtual clock with faults on, and clocks that are wrong."""

import pytest

from ipcert import limits
from ipcert.errors import RemoteError
from tools.lib.faults import ca, disk, power, wear
from tools.lib.faults.home import START, Home

IDS = [power.NAME, power.ADDRESS]


def test_half_a_year_with_faults_grows_nothing():
    year = wear.year(seed=2, days=180)
    print(year.figures())
    assert year.broken == [] and year.faults > 30 and year.boots >= 6
    assert year.issued >= 50 and year.orders < year.issued * 1.3
    assert year.files[-1] <= 9 and year.growth() < 10000 and year.sockets[-1] == year.sockets[0]
    # Flash: a block that stands 100,000 erases, and is the only one, would still last longer than the device.
    assert year.erases() < 5000 and year.journal_writes < 2000


def certified():
    """A home with two live certificates, ten days in; nothing is due."""
    home = Home(disk.Disk(), ca.CA({}), IDS)
    home.run(START + 10 * limits.DAY)
    return home


def plans(home):
    return {
        r.identifiers_text.text(): (r.planned_at, r.window_start, r.window_end, r.file_id)
        for r in home.records
    }


@pytest.mark.parametrize("now", [None, -1577836800 + 5, -631152000 + 5, 0])
def test_a_boot_before_time_is_known_orders_and_plans_nothing(now):
    """None: the port does not trust the clock. The others, 1970, 2000 and 2020, are what a port that did would say."""
    home = certified()
    before, orders = plans(home), len(home.ca.orders)
    again = Home(home.disk, home.ca, IDS, now)
    sent = again.sent
    again.run()
    assert again.sent == sent and len(home.ca.orders) == orders and plans(again) == before
    # What there is is served meanwhile.
    assert set(again.deployed) == set(IDS) and all(chain for key, chain in again.deployed.values())
    # And when time is known, nothing is due: everything goes on as planned.
    again.now = home.now + 60
    again.run()
    assert len(home.ca.orders) == orders and plans(again) == before


def test_a_first_boot_before_time_is_known_plans_nothing():
    home = Home(disk.Disk(), ca.CA({}), IDS, None)
    assert home.run() is None and home.sent == 0 and home.records == []


def behind_tls(home, right):
    """Let the CA's TLS certificate, which is good for weeks, be checked with the device's clock."""

    def before(it):
        return (
            RemoteError("tls", "not valid at this time") if abs(home.now - right) > 30 * limits.DAY else None
        )

    home.before = before


@pytest.mark.parametrize("years", [10, -10])
def test_a_jump_of_ten_years_never_renews_everything_at_once(years):
    home = certified()
    orders = len(home.ca.orders)
    right = home.now
    behind_tls(home, right)
    home.now += years * 365 * limits.DAY
    jumped = home.now
    home.run()
    # At once, nothing: a jump forward looks like a long outage, and each lineage draws a time of its own.
    ats = [r.planned_at for r in home.records]
    assert years < 0 or min(ats) >= jumped and ats[0] != ats[1]
    home.run(jumped + 2 * limits.DAY)
    assert len(home.ca.orders) == orders and all(r.file_id for r in home.records)
    # The clock is right again: each lineage has a plan within its certificate's life, and no more is ordered than is due.
    home.now = right + limits.HOUR
    home.run()
    again = Home(home.disk, home.ca, IDS, right + 2 * limits.HOUR)
    again.run(right + 6 * limits.HOUR)
    assert len(home.ca.orders) <= orders + 1
    assert all(r.file_id and r.planned_at < r.not_after for r in again.records)
    again.run(right + 30 * limits.DAY)
    assert all(r.not_after > again.now for r in again.records) and again.device.last_error is None


@pytest.mark.parametrize("years", [10, -10])
@pytest.mark.parametrize("word", ["newOrder", "challenge", "finalize", "cert"])
def test_a_jump_of_ten_years_during_an_order(years, word):
    home = certified()
    orders = len(home.ca.orders)
    right = home.now
    behind_tls(home, right)
    jumped = []

    def jump(it, answer):
        if "/" + word in it.url and not jumped:
            jumped.append(True)
            home.now += years * 365 * limits.DAY
        return answer

    home.after = jump
    home.device.event("renew", power.ADDRESS)
    home.run(most=2000)
    assert jumped and len(home.ca.orders) == orders + 1 and home.ca.broken == []
    home.now = right + limits.HOUR
    again = Home(home.disk, home.ca, IDS, right + 3 * limits.HOUR)
    again.run(right + 2 * limits.DAY)
    assert len(home.ca.orders) <= orders + 3
    assert again.record(power.ADDRESS).file_id
    again.device.last_error = None
    before = again.device.issued
    again.device.event("renew", power.ADDRESS)
    again.run()
    assert again.device.issued == before + 1 and again.device.last_error is None and home.ca.broken == []


def test_a_ca_that_is_down_for_a_day_is_not_hammered():
    home = certified()
    sent = home.sent
    home.before = lambda it: RemoteError("network", "down")
    home.device.event("renew", power.ADDRESS)
    home.run(home.now + limits.DAY)
    assert home.sent - sent < 40
