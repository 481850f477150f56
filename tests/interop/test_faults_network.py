"""Every kind of fault between the real HTTP client and a real Pebble: said in time, blamed on the right side, got over."""

from tools.lib.faults import network


def test_faults_on_the_way_to_the_ca_are_got_over():
    counts = network.campaign(places=1, cuts=12)
    print("%d faults injected" % counts.injected)
    assert counts.unrecovered == []
    assert counts.injected > 45
