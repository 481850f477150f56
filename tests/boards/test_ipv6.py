"""The emulated hub without any IPv4: its address's certificate by http-01, then by tls-alpn-01, from a real Pebble."""

import pytest

from tools.lib.board import ipv6

HUB = "QEMU_MPS2_AN385"


def test_a_certificate_for_an_ipv6_address_over_ipv6_alone(image):
    reason = ipv6.unavailable()
    if reason:
        pytest.skip(f"no tap device can be made here: {reason}")
    seen = []
    out = ipv6.job(HUB, seen.append)
    assert out["problems"] == [], "\n".join(seen)
    assert [one["identifiers"] for one in out["certificates"]] == [[ipv6.HUB]] * 2
