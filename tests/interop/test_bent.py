"""The bench of bent answers: a small cut of it, and that it notices what it is there for. `tools/test bent` is the whole."""

import pytest

from ipcert import limits
from ipcert.acme import certificate, message, order
from ipcert.order.issuance import Issuance
from tools.lib.bent import command, core, expected, kinds, loads, ports


def right(found, least):
    assert found["wrong"] == []
    assert found["hang"] == found["lose_state"] == found["chains_not_loaded"] == 0
    assert found["tried"] >= least and found["chains_loaded"] > 0
    assert set(found["outcomes"]) <= {core.GOES_ON, core.POLLS_AGAIN, core.REFUSED}
    assert len(found["outcomes"]) > 1


def test_a_cut_through_every_kind_of_bend_before_the_core():
    found = command.judge(command.run_core(7, 61))
    right(found, 50)
    assert found["fields_without_a_row"] == []
    assert found["fields"] > 80
    assert len(found["kinds"]) > len(kinds.KINDS) - 2


@pytest.mark.parametrize("port", ports.PORTS)
def test_a_cut_before_a_real_ca_on_the_wire(port):
    right(command.judge(ports.run(port, 140)), 6)


def chosen(*words):
    """The core's cases whose text holds all of the words."""
    return [case for case in core.cases() if all(word in str(case) for word in words)]


def outcomes(cases):
    return {core.run(case).outcome for case in cases}


def test_every_message_is_bent_in_every_way():
    cases = core.cases()
    assert {case.bend.kind for case in cases} == set(kinds.KINDS)
    assert {case.field.message for case in cases} >= {name for name in core.MESSAGES.values()} | {"problem"}
    for case in cases:  # and each has a row in the table
        assert expected.find(case.scenario.name, str(case.field)) or case.field.message == "problem", str(
            case
        )


def test_a_field_that_the_code_begins_to_read_is_bent_by_itself(monkeypatch):
    assert not chosen("order brandNew")
    real = order.Order.__init__

    def init(self, obj, *more):
        obj.get("brandNew")
        real(self, obj, *more)

    monkeypatch.setattr(order.Order, "__init__", init)
    assert {case.bend.kind for case in chosen("order brandNew")} >= {"null", "wrong type", "empty"}


def test_the_bench_sees_the_cas_own_bytes_deployed(monkeypatch):
    cases = chosen("certificate chain", "another encoding CR ", "always")
    pair = core.run(cases[0]).deployed[0]
    assert loads.openssl([pair]) == loads.mbedtls([pair]) == []
    real = certificate.Chain.__init__

    def init(self, body, *more):
        kept = bytes(body)
        real(self, body, *more)
        self.pem = kept

    monkeypatch.setattr(certificate.Chain, "__init__", init)
    pair = core.run(cases[0]).deployed[0]
    assert loads.openssl([pair]) and loads.mbedtls([pair])


def test_the_bench_sees_a_client_that_forgets_what_it_knew(monkeypatch):
    cases = chosen("issue | order finalize | missing", "once") + chosen(
        "issue | finalize finalize | null", "once"
    )
    assert cases and outcomes(cases) <= {core.GOES_ON, core.POLLS_AGAIN}
    real = message.url_member
    monkeypatch.setattr(
        message,
        "url_member",
        lambda obj, name, base="", known=None: message.needed(real(obj, name, base), name),
    )
    assert core.REFUSED in outcomes(cases)


def test_the_bench_sees_a_client_that_never_stops_asking(monkeypatch):
    (case,) = chosen("issue | order status | missing", "always")
    assert core.run(case).outcome == core.REFUSED
    for name in ("POLLS", "ATTEMPT"):
        monkeypatch.setattr(limits, name, 10**9)
    assert core.run(case).outcome == core.HANGS


def test_the_bench_sees_a_client_that_says_nothing(monkeypatch):
    (case,) = chosen("issue | finalize status | wrong type 5 |", "once")
    monkeypatch.setattr(Issuance, "_tell_failure", lambda self, subject: None)
    assert core.run(case).outcome == core.LOSES
