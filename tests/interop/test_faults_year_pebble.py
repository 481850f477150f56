"""Weeks under a virtual clock before a real Pebble that lives through them too, with faults on the way to it."""

from tools.lib.faults import wear, years


def test_weeks_before_a_real_ca_grow_nothing():
    year = wear.year(seed=3, days=40, world=years.Real, ids=years.IDS)
    print(year.figures())
    # (A Pebble that stayed in the present would get nothing issued: its certificates have lapsed on the device's day.)
    assert year.broken == [] and year.faults > 5 and year.boots == 2
    # The address is renewed every two or three days, the name has had its first certificate.
    assert 40 / 3 < year.issued < 30 and year.orders < year.issued * 1.4
    assert year.files[-1] <= 9 and year.sockets[-1] == year.sockets[0]
    # As in a year before the CA in memory: no write more for a network that is worse than that.
    assert year.erases() < 40 * 20 and year.journal_writes < 40 * 10
