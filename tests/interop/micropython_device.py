"""Runs in a real MicroPython: one device on its port, and what it is told to do, one line of JSON after another.

A line on stdin is ["run"] | ["until", core second] | ["event", kind, value] | ["fresh"], which has directory and account asked for
again | ["later", seconds]; the answer is what the test wants to know.
Started with "tls_port", it answers tls-alpn-01 there, behind the server that the hub boards have.
"""

import asyncio
import binascii
import json
import sys

from ipcert import identifiers, policy, split
from ipcert.device import Device
from ipcert.errors import Error
from ipcert.operation_commands import Revocation
from ipcert_port.port import drive
from ipcert_port.port.clock import Clock
from ipcert_port.port.entropy import Entropy
from ipcert_port.port.net import Net
from ipcert_port.port.port import Port
from ipcert_port.port.sign import Signer
from ipcert_port.port.store import Store
from ipcert_port.solvers import dns, tlsalpn
from ipcert_port.solvers.responder import Responder


class MovedClock(Clock):
    ahead = 0

    def now(self):
        return super().now() + self.ahead

    def trustworthy(self):
        return True


class MovedDrive(drive.Drive):
    async def _wait(self, until):
        self._clock.ahead += max(until - self._clock.now(), 0)
        await asyncio.sleep_ms(50)


def idle(it):
    return True


class Session:
    def __init__(self, words):
        entropy = Entropy()
        self.told = []
        self.records = []
        self.deployed = {}
        self.clock = MovedClock()
        self.clock.ahead = words.get("ahead", 0)
        self.responder = Responder(["127.0.0.1", "::1"], words["port"])
        options = {"test_ca": True, "agree_terms": True, "urgent": "both", "first_delay": 0}
        options.update(words["options"])
        if "eab_key" in options:
            options["eab_key"] = binascii.unhexlify(options["eab_key"])
        options["contacts"] = tuple(options.get("contacts", ()))
        store = Store(words["state"])
        net = self.net = Net(words["roots"], "ipcert/test")
        ids = [identifiers.parse(text) for text in words["ids"]]
        chosen = policy.Policy(**options)
        self.device = Device(
            Port(store, Signer(entropy), entropy), chosen, split.certificates(ids, chosen), words["directory"]
        )
        self.drive = MovedDrive(self.device, net, store, self.clock, self.responder, self.notice, self.deploy)
        if "hook" in words:
            hook = dns.Webhook(Net(words["hook_roots"], "ipcert/test"), words["hook"], "sesame", 0)
            self.drive.solvers["dns-01"] = self.drive.solvers["dns-account-01"] = hook
        self.proof = self.drive.solvers["tls-alpn-01"] = tlsalpn.Proof()
        self.fronts = []
        if "tls_port" in words:
            from hubserver import Front

            for host in ("127.0.0.1", "::1"):
                self.fronts.append(Front(host, words["tls_port"], proof=self.proof))
        self.drive.solvers["dns-persist-01"] = dns.Standing(self.records.append)

    def notice(self, code, severity, text):
        self.told.append(code)

    def deploy(self, ids, key, chain):
        self.deployed[ids] = len(chain)

    async def do(self, words):
        self.device.last_error = None
        if words[0] == "fresh":
            self.device.exchange.directory = None
            self.device.journal.account_url.set(b"")
            return self.state()
        if words[0] == "later":
            self.clock.ahead += words[1]
            return self.state()
        if words[0] == "event":
            value = words[2]
            if words[1] == "recover":
                value = binascii.unhexlify(value)
            elif words[1] == "revoke":
                value = Revocation(*value)
            self.device.prepare(self.clock.now())
            self.drive.event(words[1], value)
        if words[0] == "until":
            await self.drive.run(idle)
            self.device.done(self.device.next(self.clock.now()).number)  # the wait is over
            self.clock.ahead += max(words[1] - self.clock.now(), 0)
        await self.drive.run(idle)
        return self.state()

    def state(self):
        error = self.device.last_error
        j = self.device.journal
        lineages = []
        for r in j.records():
            lineages.append(
                [
                    r.identifiers_text.text(),
                    r.file_id,
                    r.planned_at,
                    r.ask_window_at,
                    r.profile.text(),
                    r.failures,
                ]
            )
        return {
            "error": None if error is None else error.code, "text": str(error), "told": self.told, "issued": self.device.issued,
            "account": j.account_url.text(), "lineages": lineages, "deployed": self.deployed, "records": self.records,
            "connected": self.net._session._sock is not None, "ahead": self.clock.ahead, "now": self.clock.now(), "account_gen": j.account_file_id,
            "accounts": [j.other_account_url.text(), j.account_url.text()] if j.account_role else [j.account_url.text(), j.other_account_url.text()],
        }  # fmt: skip


async def main():
    session = Session(json.loads(sys.stdin.readline()))
    session.responder.start()
    for front in session.fronts:
        front.start()
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        try:
            out = await session.do(json.loads(line))
        except Error as e:
            out = session.state()
            out["error"] = e.code
            out["text"] = str(e)
        print(json.dumps(out))


asyncio.run(main())
