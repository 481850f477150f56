"""The drive loop carries out what it is told, in order, and answers; it decides nothing."""

import time

import pytest

from ipcert import action
from ipcert.action import Publication
from ipcert.errors import LocalError, RemoteError
from ipcert_port.port.drive import Drive

pytestmark = pytest.mark.quick


class Script:
    """A device that wants these actions, one after the other, and notes the answers."""

    def __init__(self, *fills):
        self._fills = list(fills)
        self._it = action.Action()
        self._open = False
        self.log = []

    def next(self, now):
        if not self._open:
            self._open = True
            self._it.number += 1
            self._fills.pop(0)(self._it, now) if self._fills else self._it.wait(now + 1000, False)
        return self._it

    def _answer(self, *what):
        assert self._open
        self._open = False
        self.log.append(what)

    def done(self, number):
        assert number == self._it.number
        self._answer("done")

    def response(self, number, status, headers, body):
        assert number == self._it.number
        self._answer("response", status, headers, body)

    def failed(self, number, error):
        assert number == self._it.number
        self._answer("failed", error.code)


class Machine:
    """Everything around the drive: notes what is asked of it, in order."""

    def __init__(self, fail=None):
        self.log = []
        self.fail = fail

    def __getattr__(self, name):
        def call(*words):
            self.log.append((name, *words))
            if self.fail and name in self.fail:
                raise self.fail[name]

        return call

    def trustworthy(self):
        return True

    def now(self):
        return int(time.time()) - 1577836800

    def request(self, method, url, headers=None, body=None):
        self.log.append(("request", method, url, headers, None if body is None else bytes(body)))
        if self.fail and "request" in self.fail:
            raise self.fail["request"]

        class Answer:
            pass

        answer = Answer()
        answer.status, answer.headers, answer.body = 201, {"a": "b"}, b"body"
        return answer

    def step(self, device, it, now):
        return None


def driven(machine, *fills):
    device = Script(*fills)
    return device, Drive(device, machine, machine, machine, machine, machine, machine)


def test_each_kind_reaches_its_part_and_is_answered():
    machine = Machine()
    record = object()
    device, drive = driven(
        machine,
        lambda it, now: it.notify(3, "x", "y"),
        lambda it, now: it.write("journal-a", bytearray(b"12345"), 3),
        lambda it, now: it.send("GET", "https://ca/dir", b"", 0),
        lambda it, now: it.send(
            "POST", "https://ca/o", bytearray(b"body..."), 4, "application/pem-certificate-chain"
        ),
        lambda it, now: it.erase("key-1"),
        lambda it, now: it.deploy(record, b"k", b"c"),
    )
    until = drive.run()
    assert until > machine.now() + 900
    assert machine.log == [
        ("notice", 3, "x", "y"),
        ("write", "journal-a", machine.log[1][2]),
        ("request", "GET", "https://ca/dir", {}, None),
        (
            "request", "POST", "https://ca/o",
            {"Accept": "application/pem-certificate-chain", "Content-Type": "application/jose+json"}, b"body",
        ),
        ("erase", "key-1"),
        ("deploy", record, b"k", b"c"),
        ("close",),
    ]  # fmt: skip
    assert bytes(machine.log[1][2]) == b"123"
    answer = ("response", 201, {"a": "b"}, b"body")
    assert device.log == [("done",), ("done",), answer, answer, ("done",), ("done",)]


def test_challenges_are_published_and_withdrawn():
    machine = Machine()
    device, drive = driven(
        machine,
        lambda it, now: it.publish("http-01", "x.example", "", "token", b"text"),
        lambda it, now: it.withdraw(Publication("http-01", "x.example", "", "token", b"text")),
    )
    drive.run()
    assert [entry[0] for entry in machine.log] == ["publish", "withdraw", "close"] and device.log == [
        ("done",)
    ] * 2


def test_what_fails_outside_is_answered_and_the_loop_goes_on():
    machine = Machine(
        {
            "request": RemoteError("network", "x"),
            "publish": LocalError("port", "x"),
            "deploy": LocalError("hook", "x"),
        }
    )
    device, drive = driven(
        machine,
        lambda it, now: it.send("GET", "https://ca/dir", b"", 0),
        lambda it, now: it.publish("http-01", "x.example", "", "token", b"text"),
        lambda it, now: it.deploy(None, b"", b""),
    )
    drive.run()
    assert device.log == [("failed", "network"), ("failed", "port"), ("failed", "hook")]


def test_a_challenge_that_cannot_be_withdrawn_is_a_warning():
    machine = Machine({"withdraw": LocalError("webroot", "Remove it by hand.")})
    device, drive = driven(
        machine, lambda it, now: it.withdraw(Publication("http-01", "x.example", "", "token", b"text"))
    )
    drive.run()
    assert device.log == [("done",)] and ("warn", "Remove it by hand.") in machine.log


def test_a_write_that_fails_ends_everything_unanswered():
    machine = Machine({"write": LocalError("disk-full", "x")})
    device, drive = driven(machine, lambda it, now: it.write("journal-a", b"1", 1))
    with pytest.raises(LocalError):
        drive.run()
    assert device.log == []


def test_a_pause_within_an_order_is_kept_whole():
    device, drive = driven(Machine(), lambda it, now: it.wait(now + 1, True))
    started = time.monotonic()
    machine = drive.net
    drive.step()
    assert 0.99 <= time.monotonic() - started < 3 and device.log == [("done",)]
    assert ("close",) not in machine.log  # the connection is kept as long as the order lasts
    drive.run()
    assert machine.log == [("close",)]


def test_it_stops_where_it_is_told_and_leaves_the_action_open():
    device, drive = driven(Machine(), lambda it, now: it.erase("a"), lambda it, now: it.erase("b"))
    drive.run(lambda it: it.kind == action.ERASE and it.name == "b")
    assert device.log == [("done",)] and device.next(0).name == "b"


def test_without_a_clock_it_waits_for_nothing():
    class NoClock(Machine):
        def trustworthy(self):
            return False

    seen = []

    def fill(it, now):
        seen.append(now)
        it.wait(None, False)

    device, drive = driven(NoClock(), fill)
    assert drive.run() is None and seen == [None] and device.log == []
