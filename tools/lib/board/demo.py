"""`tools/board BOARD demo`: the emulated hub gets two certificates from a real Pebble, serves, renews and reboots.

What was issued is asked from Pebble; what is served is looked at from the host's side. The hub's own words are used for
its memory and its plans only.
"""

import socket
import ssl
import tempfile
from pathlib import Path

from cryptography import x509

from tools.lib.board import console, firmware, instructions, outcome
from tools.lib.board import flash as board_flash
from tools.lib.board.ca import HubPebble

NAME = "hub.janet.example"
ADDRESS = "127.0.0.1"
COMPRESS = 302400  # 14 days become 4 seconds


def visit(port, root, sni, host, address=ADDRESS):
    """A TLS connection that trusts the CA's root: (certificate, HTTP status), or the alert's name as str."""
    context = ssl.create_default_context(cafile=root)
    context.check_hostname = False
    try:
        with socket.create_connection((address, port), timeout=30) as raw:
            with context.wrap_socket(raw, server_hostname=sni) as secure:
                certificate = x509.load_der_x509_certificate(secure.getpeercert(True))
                secure.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                answer = b""
                while piece := secure.recv(2048):
                    answer += piece
        return certificate, int(answer.split(b" ", 2)[1])
    except ssl.SSLError as error:
        return (error.reason or str(error)).lower()


def _look(check, hub, ca, when):
    """P11 from outside, against what Pebble says it issued last for each identifier. Those certificates, by name."""
    latest = outcome.latest(ca)
    port = hub.forwards[443]
    for sni, host, expected in ((None, ADDRESS, ADDRESS), (NAME, NAME, NAME)):
        seen = visit(port, ca.root(), sni, host)
        good = not isinstance(seen, str) and seen[0] == latest.get(expected) and seen[1] == 200
        shown = (
            seen if isinstance(seen, str) else "%s, HTTP %d" % (", ".join(outcome.names(seen[0])), seen[1])
        )
        check(
            good,
            f"{when}, server name {sni or 'none'}: the certificate Pebble issued for {expected} (seen: {shown})",
        )
    seen = visit(port, ca.root(), "neighbour.janet.example", NAME)
    check(
        seen == "tlsv1_unrecognized_name",
        f"{when}, a wrong server name: the alert unrecognized_name (seen: {seen})",
    )
    seen = visit(port, ca.root(), NAME, ADDRESS)
    check(
        not isinstance(seen, str) and seen[1] == 421,
        f"{when}, the name's certificate but Host of the address: 421",
    )
    return latest


def job(name, say, real_world=True, heap=None, compress=COMPRESS):
    """The whole demo; its result as a dict for --json."""
    image = firmware.build(name) / "firmware.elf"
    check = outcome.Checks(say)
    boot = {"main": "off", **({"heap": heap} if heap else {})}
    with tempfile.TemporaryDirectory() as folder, HubPebble(real_world, nonce_reject=5) as ca:
        say(
            "Pebble runs"
            + (", with RSA in its own chain and two intermediates in what it issues" if real_world else "")
        )
        forwards = {80: ca.http_port, 443: firmware.free_port()}
        with console.Console(image, Path(folder) / "flash", forwards=forwards, boot=boot) as hub:
            console.provision(hub, ca, [NAME, ADDRESS], compress=compress)
            hub.kill()
            hub.start()
            hub.run()
            hub.deployed([ADDRESS, NAME])
            say("The hub has both certificates")
            first = _look(check, hub, ca, "first")
            for ids in (ADDRESS, NAME):
                hub.ask(f"hub.event('renew', {ids!r})")
            hub.deployed([ADDRESS, NAME])
            say("The hub has renewed both")
            second = _look(check, hub, ca, "renewed")
            changed = all(outcome.spki(first[ids]) != outcome.spki(second[ids]) for ids in (ADDRESS, NAME))
            check(changed, "both were renewed without a restart, with new keys")
            plans, orders = hub.plans(), ca.new_orders()
            memory = hub.memory()
            hub.kill()
            hub.start()
            hub.run()
            hub.deployed([ADDRESS, NAME])
            say("The hub was cut off and booted again")
            check(hub.plans() == plans, "after the reboot the plans are the same to the second")
            _look(check, hub, ca, "rebooted")
            check(ca.new_orders() == orders, f"the reboot cost no order; there were {orders} in all")
            hub.kill()
            hub.start(main="on")
            hub.wait_line("deploy " + NAME)
            say("It booted without the demo's console, as an owner would have it")
            _look(check, hub, ca, "alone")
            issued = ca.issued()
            outcome.apart(check, issued)
            flash = board_flash.counters(hub.flash)
    return {
        "certificates": outcome.rows(issued),
        "orders": orders,
        "real_world_chains": real_world,
        **{key: memory[key] for key in ("heap", "heap_peak", "heap_free", "largest_free")},
        "peaks": {
            "heap": memory["heap_peak"],
            "stack": memory["stack"]["peak"],
            "tls_arena": memory["tls"]["arena_peak"],
        },
        "stack": memory["stack"],
        "tls": memory["tls"],
        "instructions": instructions.count(image.parent),
        "boots": flash["boots"],
        "flash": flash,
        "problems": check.problems,
    }


def run(args):
    """Returns an exit status: 0 only when everything was as it should be."""
    out = job(args.board, outcome.speaker(args), not args.small_chains, args.heap, args.compress)
    lines = (
        f"Heap {out['heap']:,} bytes, {out['heap_peak']:,} at most live; stack {out['peaks']['stack']:,} bytes; "
        f"Mbed TLS {out['tls']['bytes']:,} bytes of its own, {out['peaks']['tls_arena']:,} of its arena used.",
        f"A JWS took {out['instructions']['jws_hedged']:,} instructions. The hub booted {out['boots']} times.",
    )
    return outcome.show(args, "demo", out, lines)
