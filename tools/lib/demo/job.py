"""The demo's part that runs on MicroPython: two certificates, then both renewed; prints JSON lines for the host.

micropython job.py '{"directory", "roots", "state", "port", "compress", "identifiers"}'
"""

import asyncio
import gc
import json
import sys

from ipcert import __version__, identifiers, split
from ipcert.device import Device
from ipcert.policy import Policy
from ipcert_port.port.clock import Clock
from ipcert_port.port.drive import Drive
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.net import Net
from ipcert_port.port.port import Port
from ipcert_port.port.sign import Signer
from ipcert_port.port.store import Store
from ipcert_port.solvers.responder import Responder


def say(kind, **fields):
    fields["kind"] = kind
    print(json.dumps(fields))


class Peak(Drive):
    """Samples live heap (after a collection) at each action."""

    top = 0

    async def step(self, stop=None):
        gc.collect()
        self.top = max(self.top, gc.mem_alloc())
        return await super().step(stop)


async def main(job):
    gc.collect()
    before = gc.mem_alloc()
    entropy = Entropy()
    signer = Signer(entropy)
    store = Store(job["state"])
    policy = Policy(test_ca=True, agree_terms=True, compress=job["compress"])
    names = [identifiers.parse(text) for text in job["identifiers"]]
    device = Device(Port(store, signer, entropy), policy, split.certificates(names, policy), job["directory"])
    net = Net(job["roots"], "ipcert/%s (MicroPython)" % __version__)
    responder = Responder("127.0.0.1", job["port"])
    responder.start()

    def notice(code, severity, text):
        say("notice", code=code, severity=severity, text=text)

    def deploy(ids, key, chain):
        say("deploy", identifiers=ids, key=len(key), chain=len(chain))

    drive = Peak(device, net, store, Clock(device.journal.clock_floor), responder, notice, deploy)
    start = {}

    def all_there(it):
        return all([r.file_id > start.get(r.identifiers_text.text(), 0) for r in device.journal.records()])

    await drive.run(all_there)
    report(device, signer, "issued")
    for r in device.journal.records():
        start[r.identifiers_text.text()] = r.file_id
        drive.event("renew", r.identifiers_text.text())
        # One at a time: the other one is not renewed because this one was.
        await drive.run(lambda it, r=r: r.file_id > start[r.identifiers_text.text()])
    report(device, signer, "renewed")
    net.close()
    responder.close()
    say("heap", before=before, top=drive.top, above=drive.top - before, failures=device.failures)


def report(device, signer, kind):
    certificates = [
        {
            "identifiers": r.identifiers_text.text().split(","),
            "chain": "chain-%d" % r.file_id,
            "profile": r.profile.text(),
            "at": r.planned_at,
            "why": r.reason,
        }
        for r in device.journal.records()
    ]
    say(
        kind,
        signer=signer.name,
        account="account-%d" % device.journal.account_file_id,
        certificates=certificates,
    )


asyncio.run(main(json.loads(sys.argv[1])))
