"""Routers that lie, in network namespaces: whatever they answer, the question ends in time and nothing is believed that is no address."""

import pytest

from tools.lib import needs, netns
from tools.lib.redteam import lan, outcome
from tools.lib.redteam import router as hostile

pytestmark = pytest.mark.skipif(not netns.possible(), reason="no network namespaces here: that takes root")


@pytest.fixture(scope="module", autouse=True)
def programs():
    needs.install("ip")


def test_blanks_in_a_url_do_not_stop_the_daemon_for_hours():
    with hostile.Lan() as one:
        one.behave(hostile.Behaviour(serve=lan._unclosed))
        answer, seconds, _ = lan.ask()
    assert answer is None and seconds < lan.MOST_SECONDS


def test_no_answer_of_a_hostile_router_takes_long_or_is_believed():
    found = outcome.Outcome(print)
    lan.routers(found, hurry=True)
    assert found.tried >= 22 and found.through == []
