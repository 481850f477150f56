"""`tools/board BOARD ipv6`: the emulated hub in a network without IPv4 gets, serves and renews a certificate for its address.

QEMU forwards no IPv6, so the hub is on a tap device, and everything (Pebble as well) in a network namespace of its own:
that takes root, or user namespaces and a /dev/net/tun for everybody.
"""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from tools.lib import cache, needs
from tools.lib.board import outcome

PREFIX = "fd00::"
HUB = "fd00::5054:ff:fe12:3456"  # SLAAC: the prefix, and the hub's MAC address 52:54:00:12:34:56 (RFC 4291 App. A)
TAP = "hub0"
NAMESPACE = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]


def unavailable():
    """Why it cannot be done on this machine, or None."""
    needs.install("board QEMU_MPS2_AN385 ipv6")
    made = subprocess.run(
        [*NAMESPACE, "ip", "tuntap", "add", TAP, "mode", "tap"], capture_output=True, text=True
    )
    return made.stderr.strip() if made.returncode else None


def job(name, say):
    """The whole job, in a network namespace: its result as a dict for --json."""
    done = subprocess.run(
        [*NAMESPACE, sys.executable, "-m", "tools.lib.board.ipv6", name],
        cwd=cache.ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    *said, last = done.stdout.splitlines() or [""]
    for line in said:
        say(line)
    if done.returncode:
        return {"problems": ["it did not come to its end: " + (last or "see above")]}
    return json.loads(last)


def _network():
    for command in (
        "ip link set lo up",
        f"ip tuntap add {TAP} mode tap",
        f"ip link set {TAP} up",
        f"ip -6 address add {PREFIX}1/64 dev {TAP} nodad",
    ):
        subprocess.run(command.split(), check=True)


def _advertise(stop):
    """Router advertisements (RFC 4861 4.2, 4.6.2) of PREFIX, until `stop` is set."""
    index = socket.if_nametoindex(TAP)
    header = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
    prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 86400, 14400, 0) + socket.inet_pton(
        socket.AF_INET6, PREFIX
    )
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        while not stop.wait(0.3):
            try:
                raw.sendto(header + prefix, ("ff02::1", 0, 0, index))
            except OSError:
                pass  # QEMU is not there yet, or no more


def _inside(name, say):
    from tools.lib.board import console, demo, firmware
    from tools.lib.board.ca import HOST6, HubPebble
    from tools.lib.ca import counting

    image = firmware.build(name) / "firmware.elf"
    check = outcome.Checks(say)

    def look(ca, when):
        latest = ca.issued()[-1]
        seen = demo.visit(443, ca.root(), None, f"[{HUB}]", HUB)
        check(seen == (latest, 200), f"{when}, over IPv6: the certificate Pebble issued for {HUB}, HTTP 200")
        seen = demo.visit(443, ca.root(), "neighbour.janet.example", HUB, HUB)
        check(seen == "tlsv1_unrecognized_name", f"{when}, a wrong server name: unrecognized_name ({seen})")
        return latest

    stop = threading.Event()
    threading.Thread(target=_advertise, args=(stop,), daemon=True).start()
    with (
        tempfile.TemporaryDirectory() as folder,
        HubPebble(called=HOST6, http_port=80, tls_port=443) as ca,
    ):
        port = int(ca.directory_url.split(":")[-1].split("/")[0])
        way = counting.CountingProxy(port, port, (HOST6,))
        with console.Console(image, Path(folder) / "flash", tap=TAP, boot={"main": "off"}) as hub:
            certificates = []
            for challenge in ("http-01", "tls-alpn-01"):
                console.provision(hub, ca, [HUB], challenge_ip=challenge)
                hub.run()
                hub.deployed([HUB])
                if certificates:
                    hub.ask(f"hub.event('renew', {HUB!r})")
                    hub.deployed([HUB])
                certificates.append(look(ca, challenge))
                hub.kill()
                hub.start()
            check(
                all(outcome.names(one) == [HUB] for one in certificates)
                and len({outcome.spki(one) for one in certificates}) == ca.new_orders() == 2,
                "two orders, two certificates for the address alone, two keys",
            )
        way.close()
    stop.set()
    return {"certificates": outcome.rows(certificates), "problems": check.problems}


def run(args):
    """Returns an exit status: 0 only when everything was as it should be."""
    reason = unavailable()
    if reason:
        print(f"tools/board: no tap device can be made here ({reason}); run it as root", file=sys.stderr)
        return 1
    return outcome.show(args, "ipv6", job(args.board, outcome.speaker(args)), ())


if __name__ == "__main__":
    _network()
    print(json.dumps(_inside(sys.argv[1], lambda line: print(line, flush=True))))
