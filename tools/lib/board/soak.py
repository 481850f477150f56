"""`tools/board BOARD soak`: many renewals in one boot; nothing may leak."""

import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tools.lib.board import console, firmware, outcome
from tools.lib.board.ca import HubPebble
from tools.lib.board.demo import ADDRESS, NAME, visit

COMPRESS = 1209600
EARLY = 5  # renewals after which everything that is made once has been made
# Looks at each of the two samples that are compared; the one with most memory free counts. In MicroPython a deleted
# entry of a dict keeps its value until its place is taken, and a finished task is kept by its neighbour: after each
# visitor it is others of the last few closed connections (64 to 700 bytes) that are not free yet. A leak is in all looks.
LOOKS = 16


def _visit(hub, ca):
    """One visitor on each port, who has to see the newest certificates; a list of what was wrong."""
    wrong = []
    newest = outcome.latest(ca)
    for sni, host in ((None, ADDRESS), (NAME, NAME)):
        seen = visit(hub.forwards[443], ca.root(), sni, host)
        if seen != (newest[host], 200):
            wrong.append(f"port 443 did not show the newest certificate of {host}: {seen}")
    try:
        urllib.request.urlopen(f"http://{ADDRESS}:{hub.forwards[80]}/", timeout=30).close()
        wrong.append("port 80 answered what nobody published")
    except urllib.error.HTTPError as error:
        error.close()
    return wrong


def _sample(hub):
    """Free heap, largest free piece, Mbed TLS's arena and the connections left, with the CA's connection closed."""
    hub.ask("ca.close()")
    deadline = time.monotonic() + 10
    while hub.value("lan.status('sockets')")[1] and time.monotonic() < deadline:
        time.sleep(0.3)
    memory = hub.memory()
    sockets = hub.value("lan.status('sockets')")
    return {
        "free": memory["heap_free"],
        "largest_free": memory["largest_free"],
        "heap_peak": memory["heap_peak"],
        "tls_arena": memory["tls"]["arena"],
        "tls_overflows": memory["tls"]["overflows"],
        "stack_peak": memory["stack"]["peak"],
        "listening": sockets[0],
        "open": sockets[1],
    }


def job(name, renewals, heap, say):
    """`renewals` renewals in one boot; a dict for --json."""
    image = firmware.build(name) / "firmware.elf"
    boot = {"main": "off", **({"heap": heap} if heap else {})}
    samples = {}
    problems = []
    with tempfile.TemporaryDirectory() as folder, HubPebble(True, nonce_reject=5) as ca:
        forwards = {80: ca.http_port, 443: firmware.free_port()}
        with console.Console(image, Path(folder) / "flash", forwards=forwards, boot=boot) as hub:
            console.provision(hub, ca, [NAME, ADDRESS], compress=COMPRESS)
            hub.kill()
            hub.start()
            hub.run()
            hub.deployed([ADDRESS, NAME])
            _sample(hub)  # its own words are read, and stay, once
            for number in range(1, renewals + 1):
                ids = (ADDRESS, NAME)[number % EARLY % 2]  # the same one at both samples that are compared
                hub.ask(f"hub.event('renew', {ids!r})")
                hub.deployed([ids])
                while hub.value("device.activity"):
                    time.sleep(0.1)
                if number in (EARLY, renewals) or number % 10 == 0:
                    looks = []
                    for _ in range(LOOKS if number in (EARLY, renewals) else 1):
                        problems += _visit(hub, ca)
                        looks.append(_sample(hub))
                    samples[number] = max(looks, key=lambda look: look["free"])
                    say(f"{number:4} {samples[number]}")
            issued = len(ca.issued())
    early, late = samples[EARLY], samples[renewals]
    for what in ("free", "largest_free"):
        if late[what] < 0.99 * early[what]:
            problems.append(
                f"{what}: {late[what]} bytes after renewal {renewals}, {early[what]} after renewal {EARLY}"
            )
    if late["open"]:
        problems.append(f"{late['open']} connections were left open")
    if issued != renewals + 2:
        problems.append(f"the CA issued {issued} certificates, not {renewals + 2}")
    return {"renewals": renewals, "samples": samples, "issued": issued, "problems": problems}


def run(args):
    """Returns an exit status: 0 only when nothing leaked."""
    out = job(args.board, args.renewals, args.heap, outcome.speaker(args))
    return outcome.show(args, "soak", out, ())
