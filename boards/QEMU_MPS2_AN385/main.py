# A hub as its maker would write it: everything that is the maker's own is in this file.
import asyncio
import gc
import json
import sys
import time

import machine
import mps2
import network
from hubserver import Front

from ipcert import Device, identifiers
from ipcert.policy import Policy
from ipcert.split import certificates
from ipcert_port.port import clock, drive, entropy, net, port, sign, store
from ipcert_port.solvers import responder


def on_notice(code, severity, text):
    print("notice", severity, code, text)


def on_deploy(ids, key, chain):
    front.deploy(ids, key, chain)
    print("deploy", ids)


async def main():
    while not lan.isconnected():
        await asyncio.sleep_ms(100)
    answers.start()
    front.start()
    await hub.run()


gc.threshold(
    2048
)  # collect early: what lives long then stays low in the heap, and the free part in one piece
with open("/hub.json") as file:  # written when the owner sets the hub up
    settings = json.load(file)
lan = network.LAN()
lan.active(True)
random = entropy.Entropy(mps2.random)
files = store.Store("/state")  # not a name that import finds: / comes first in sys.path
names = [identifiers.parse(text) for text in settings["identifiers"]]
policy = Policy(**settings["policy"])
device = Device(
    port.Port(files, sign.Signer(random), random), policy, certificates(names, policy), settings["directory"]
)
ca = net.Net(settings["roots"], "ExampleHub/1.0")
front = Front("::")  # on this network stack that is IPv4 as well
answers = responder.Responder("::")
hub = drive.Drive(device, ca, files, clock.Clock(device.journal.clock_floor), answers, on_notice, on_deploy)
hub.solvers["tls-alpn-01"] = front.proof
try:
    asyncio.run(main())
except Exception as error:  # noqa: BLE001 - whatever it was, a hub has nobody to restart it
    sys.print_exception(error)
    time.sleep(10)
    machine.reset()  # the journal knows where to go on
