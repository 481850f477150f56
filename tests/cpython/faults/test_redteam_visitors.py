"""Strangers by the hundred at port 80: whoever has sent a whole request has its answer. And homes whose routers lie for days."""

from tools.lib.redteam import homes, outcome, visitors


def test_no_validation_is_closed_by_a_crowd():
    found = outcome.Outcome(print)
    visitors.requests(found, hurry=True)
    assert found.tried >= 6 and found.through == []


def test_no_router_that_lies_costs_a_live_certificate():
    found = outcome.Outcome(print)
    homes.lie(found, homes=5, days=8)
    assert found.tried == 10 and found.through == []
