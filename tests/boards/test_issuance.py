"""The whole job on the emulated hub against a real Pebble: tools/board's demo and a few of its power cuts."""

from tools.lib.board import demo, powercut

HUB = "QEMU_MPS2_AN385"


def test_two_certificates_served_renewed_and_found_again(image):
    seen = []
    out = demo.job(HUB, seen.append)
    assert out["problems"] == [], "\n".join(seen)
    assert len(out["certificates"]) == out["orders"] == 4
    assert out["heap"] <= 96 * 1024 and out["tls"]["overflows"] == 0
    assert out["instructions"]["jws_hedged"] <= 7_200_000
    assert out["instructions"]["ratio"] <= 1.03 and out["instructions"]["ratio_hedged"] <= 1.03
    assert out["flash"]["refused"] == 0


def test_power_cuts(image):
    out = powercut.job(HUB, 2, print)
    assert out["problems"] == []
    assert out["cuts"] == 2


def test_cuts_are_spread_over_every_kind():
    kinds = ["journal"] * 60 + ["key"] * 3 + ["chain"] * 7
    chosen = powercut.choose(kinds, 20)
    assert len(set(chosen)) == 20
    assert {kinds[position - 1] for position in chosen} == {"journal", "key", "chain"}
    assert powercut.choose(kinds, 100) == list(range(1, 71))
