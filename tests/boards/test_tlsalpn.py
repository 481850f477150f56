"""tls-alpn-01 on the emulated hub: a real Pebble validates a name and an address at the firmware's own port 443."""

import board_ca
import board_console
import board_demo

POLICY = {
    "challenge_name": "tls-alpn-01",
    "challenge_ip": "tls-alpn-01",
    "compress": board_demo.COMPRESS,
}


def test_two_certificates_by_tls_alpn(image, tmp_path):
    wanted = [board_demo.ADDRESS, board_demo.NAME]
    with board_ca.HubPebble(True) as ca:
        # Port 80 is not forwarded: there is no other way in.
        forwards = {443: ca.tls_port}
        with board_console.Console(image, tmp_path / "flash", forwards=forwards, boot={"main": "off"}) as hub:
            board_console.provision(hub, ca, wanted, **POLICY)
            hub.run()
            hub.deployed(wanted)
            hub.ask("hub.event('renew', %r)" % board_demo.ADDRESS)
            hub.deployed(wanted[:1])
            issued = {board_demo.names(one)[0]: one for one in ca.issued()}
            assert sorted(issued) == sorted(wanted) and ca.new_orders() == 3
            for sni, host in ((None, board_demo.ADDRESS), (board_demo.NAME, board_demo.NAME)):
                assert board_demo.visit(ca.tls_port, ca.root(), sni, host) == (issued[host], 200)
            assert hub.memory()["tls"]["overflows"] == 0
