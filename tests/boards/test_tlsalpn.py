"""tls-alpn-01 on the emulated hub: a real Pebble validates a name and an address at the firmware's own port 443."""

from tools.lib.board import console, demo, outcome
from tools.lib.board.ca import HubPebble

POLICY = {
    "challenge_name": "tls-alpn-01",
    "challenge_ip": "tls-alpn-01",
    "compress": demo.COMPRESS,
}


def test_two_certificates_by_tls_alpn(image, tmp_path):
    wanted = [demo.ADDRESS, demo.NAME]
    with HubPebble(True) as ca:
        # Port 80 is not forwarded: there is no other way in.
        forwards = {443: ca.tls_port}
        with console.Console(image, tmp_path / "flash", forwards=forwards, boot={"main": "off"}) as hub:
            console.provision(hub, ca, wanted, **POLICY)
            hub.run()
            hub.deployed(wanted)
            hub.ask("hub.event('renew', %r)" % demo.ADDRESS)
            hub.deployed(wanted[:1])
            issued = outcome.latest(ca)
            assert sorted(issued) == sorted(wanted) and ca.new_orders() == 3
            for sni, host in ((None, demo.ADDRESS), (demo.NAME, demo.NAME)):
                assert demo.visit(ca.tls_port, ca.root(), sni, host) == (issued[host], 200)
            assert hub.memory()["tls"]["overflows"] == 0
