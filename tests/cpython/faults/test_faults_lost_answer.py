"""The CA took our answer to a challenge and its own answer was lost on the way: it is validating, or has decided, when the
next attempt takes the order up again."""

import json

import pytest

from ipcert.errors import RemoteError
from tools.lib.faults import ca, disk, power
from tools.lib.faults.home import Home

REFUSAL = b'{"type":"urn:ietf:params:acme:error:malformed","detail":"only status pending","status":400}'


def lost():
    """A home whose renewal ended with the challenge's answer lost."""
    home = Home(disk.Disk(), ca.CA({}), [power.ADDRESS])
    home.run()
    home.after = lambda it, answer: RemoteError("network", "gone") if "/challenge/" in it.url else answer
    home.device.event("renew", power.ADDRESS)
    home.run()
    assert home.device.last_error.code == "network" and not home.published
    home.device.last_error = None
    return home


def bent(answer, status, challenge):
    obj = json.loads(answer[2])
    obj["status"] = status
    obj["challenges"][0]["status"] = challenge
    return answer[0], answer[1], json.dumps(obj).encode()


class Late:
    """The CA says `first` of the authorization once, as (status, its challenge's), then `later`; None: as it is.

    It refuses the challenge when it is answered again, as Pebble does once it has begun; `takes`: not yet.
    answered: how often that was.
    """

    def __init__(self, home, first, later=None, takes=False):
        self._says = [first, later]
        self._takes = takes
        self.answered = 0
        home.before = self._before
        home.after = self._after
        self._first_order = None

    def _before(self, it):
        if "/challenge/" in it.url and self._first_order is None:
            self.answered += 1
            if self._takes:
                return None
            return 400, {"content-type": "application/problem+json", "replay-nonce": "A" * 22}, REFUSAL
        return None

    def _after(self, it, answer):
        if it.url.endswith("newOrder"):
            self._first_order = it.url
        if "/order/" in it.url and self._says:
            obj = json.loads(answer[2])
            obj["status"] = "pending"
            return answer[0], answer[1], json.dumps(obj).encode()
        if "/authz/" in it.url and self._says and answer[0] == 200:
            says = self._says.pop(0)
            return bent(answer, *says) if says else answer
        return answer


@pytest.mark.parametrize("first, again", [(("pending", "processing"), 0), (("pending", "pending"), 1)])
def test_it_is_waited_for_and_not_answered_twice(first, again):
    home = lost()
    orders, issued = len(home.ca.orders), home.device.issued
    late = Late(home, first)
    home.device.event("renew", power.ADDRESS)
    home.run()
    assert home.device.last_error is None and home.device.issued == issued + 1
    assert late.answered == again and len(home.ca.orders) == orders and not home.published


@pytest.mark.parametrize(
    "first, takes, again",
    [
        (("pending", "processing"), False, 0),
        (("pending", "pending"), False, 1),
        (("pending", "pending"), True, 1),  # our first answer is in its queue still, and it looks for both
        (
            ("invalid", "invalid"),
            False,
            0,
        ),  # between our question about the order and that about the authorization
    ],
)
def test_a_verdict_on_the_time_between_is_no_failure(first, takes, again):
    home = lost()
    orders, issued = len(home.ca.orders), home.device.issued
    late = Late(home, first, None if first[0] == "invalid" else ("invalid", "invalid"), takes)
    home.device.event("renew", power.ADDRESS)
    home.run()
    assert home.device.last_error is None and home.device.issued == issued + 1
    assert late.answered == again and len(home.ca.orders) == orders + 1 and not home.published


def test_a_verdict_on_a_new_order_is_one():
    home = lost()
    orders, issued = len(home.ca.orders), home.device.issued
    Late(home, ("pending", "pending"), ("invalid", "invalid"), True)
    says = home.after
    home.after = lambda it, answer: bent(answer, "invalid", "invalid") if "/authz/" in it.url and answer[0] == 200 else says(it, answer)  # fmt: skip
    home.device.event("renew", power.ADDRESS)
    home.run()
    assert home.device.last_error.code == "not-valid" and home.device.issued == issued
    assert len(home.ca.orders) == orders + 1 and not home.published


def test_a_refusal_of_the_first_answer_is_one():
    home = Home(disk.Disk(), ca.CA({}), [power.ADDRESS])
    home.before = lambda it: (400, {"replay-nonce": "A" * 22, "content-type": "application/problem+json"}, REFUSAL) if "/challenge/" in it.url else None  # fmt: skip
    home.run()
    assert home.device.last_error.code == "malformed" and not home.device.issued and not home.published
