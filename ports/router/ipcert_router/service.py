"""The service: one coroutine that carries out what the core intends, one that watches the WAN, one that is asked things.

It sleeps to the second of the next plan by itself; there is no cron line and no common hour.
"""

import asyncio
import gc
import os
import socket
import struct
import time

import ipcert
from ipcert import limits, split
from ipcert.acme import challenge
from ipcert.device import Device
from ipcert.errors import Error, LocalError
from ipcert_port.port import entropy, net, port, sign, store
from ipcert_port.port.drive import Drive
from ipcert_port.solvers import dns

from . import helpers
from .answers import Standalone, Webroot
from .clock import SYNCED, RouterClock
from .config import refuse_proxy
from .deploy import Deployer
from .helpers import Helpers, public_folder
from .wan import Wan

WAN = "wan"  # the store's file with the addresses that are certified
_LOOK = 20  # seconds between looks at the WAN
_CHANGES, _WITHIN = 3, 600  # so many changes of the address are acted on in that many seconds
_ASK = 2  # seconds between looks for a wish
_COLLECT = (
    65536  # bytes allocated between collections: the heap stays low, and so does what the kernel has to give
)


def say(text):
    """One line for the log. No plan is ever told there: logs leave the router."""
    helpers.say("ipcert: " + text)


def make(folder):
    """Make a folder and those above it, closed to others by our umask. Raises LocalError("store")."""
    path = ""
    for part in folder.strip("/").split("/"):
        path += "/" + part
        try:
            os.stat(path)
        except OSError:
            try:
                os.mkdir(path)
            except OSError as e:
                raise LocalError("store", "Cannot make %s (error %s)." % (path, e.errno))


def lock(folder):
    """Hold `folder`'s lock until the returned socket is gone: an abstract Unix socket, so a crash leaves nothing.

    Raises LocalError("locked") where another process has it.
    """
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        held.bind(struct.pack("@H", socket.AF_UNIX) + b"\0ipcert:" + folder.encode()[:90])
    except OSError:
        raise LocalError("locked", "Another ipcert works on %s; stop it first." % folder)
    return held


class Service:
    """`config`: a `config.Config`. Raises Error where the state, a folder or the roots cannot be used."""

    def __init__(self, config):
        self._config = config
        refuse_proxy(os.getenv)
        for folder in (config.state_dir, config.run_dir):
            make(folder)
        if not public_folder(config.cert_dir):
            raise LocalError("store", "Cannot make %s." % config.cert_dir)
        self._lock = lock(config.state_dir)
        self._helpers = Helpers(config.helpers, config.run_dir)
        self._files = store.Store(config.state_dir)
        remembered = self._files.read(WAN) or b""
        self._wan = None
        if config.interface:
            self._wan = Wan(config.families, config.test, remembered.decode())
        if config.webroot:
            self._answers = Webroot(config.webroot)
        else:
            self._answers = Standalone(config.listen, config.port, self._helpers)
        self._deployer = Deployer(config.cert_dir, self._helpers)
        self._drive = None
        self._present = asyncio.Event()
        self._hurry = asyncio.Event()
        self._failed = None
        self._changed = False

    def _identifiers(self):
        found = list(self._config.names)
        if self._wan is None:
            return found + self._config.addresses
        return found + [
            self._wan.known[family] for family in self._config.families if family in self._wan.known
        ]

    def _certificates(self):
        found = None if self._wan is None else self._wan.evidence
        return split.certificates(self._identifiers(), self._config.policy, found)

    async def run(self):
        """For ever. Raises Error when the state cannot be written: nothing may go on then."""
        config = self._config
        gc.threshold(_COLLECT)
        self._answers.start()
        if self._wan is not None:
            # Without an address the name would be the urgent one, and the address too when it came: linked.
            self._look()
            while not self._wan.known:
                await asyncio.sleep(_LOOK)
                self._look()
        random = entropy.Entropy()
        device = Device(
            port.Port(self._files, sign.Signer(random), random),
            config.policy,
            self._certificates(),
            config.directory,
        )
        ca = net.Net(config.roots, "ipcert/%s (router)" % ipcert.__version__)
        clock = RouterClock(
            device.journal.clock_floor, config.run_dir + "/" + SYNCED if config.wait_for_ntp else None
        )
        self._drive = Drive(device, ca, self._files, clock, self._answers, self._notice, self._deploy)
        row = challenge.find(config.challenge_name)
        if row.lasting:
            self._drive.solvers[row.name] = dns.Standing(say)
        elif row.record:
            self._drive.solvers[row.name] = dns.Webhook(ca, config.dns_webhook, config.dns_token)
        self._keep()
        tasks = [asyncio.create_task(self._asked())]
        if self._wan is None:
            self._present.set()
        else:
            tasks.append(asyncio.create_task(self._watch()))
        say(
            "ready, %s" % ("the clock is set." if clock.trustworthy() else "waiting for the clock to be set.")
        )
        try:
            while True:
                await self._present.wait()
                await self._drive.step()
        finally:
            for task in tasks:
                task.cancel()
            self._answers.start()  # the port is not left open

    def _notice(self, code, severity, text):
        say("%s: %s" % (severity, text))

    def _deploy(self, ids, key, chain):
        try:
            self._deployer.deploy(ids, key, chain)
        except Error as e:
            say(e.text)
            raise

    def _look(self):
        """Look at the WAN and tell the device what changed."""
        try:
            text = self._helpers("addresses", self._config.interface, keep=True)
        except LocalError as e:
            if e.text != self._failed:  # once, not three times a minute
                say(e.text)
            self._failed = e.text
            return
        self._failed = None
        changed, present, sentence = self._wan.look(text)
        self._changed = self._changed or changed
        if sentence:
            if not self._wan.known:
                sentence += " Nothing is ordered before there is an address; for the name alone remove 'option interface'."
            say(sentence)
        if present or self._config.names:
            self._present.set()
        else:
            self._present.clear()

    def _keep(self):
        if self._changed:
            self._files.write(WAN, self._wan.remember().encode())
            self._changed = False

    async def _watch(self):
        every = max(limits.DOUBT_EVERY // self._config.policy.compress, 1)
        heard = [0] * _CHANGES  # when the device was told last; a line that flaps must not wear the flash out
        while True:
            self._look()
            now = time.time()
            may = abs(now - heard[0]) >= _WITHIN
            # What is found while an address is doubted is told once an hour: the core counts it.
            if self._changed and may or self._drive.device.doubts and abs(now - heard[-1]) >= every:
                try:
                    self._drive.event("certificates", self._certificates())
                except LocalError as e:
                    busy = e.code == "busy"  # an order is in flight; it is told when that is over
                    if not busy:
                        say(e.text)
                else:
                    busy = False
                if not busy:
                    heard = heard[1:] + [now]
                    self._keep()
            self._hurry.clear()
            try:
                await asyncio.wait_for(
                    self._hurry.wait(), min(_LOOK, every) if self._drive.device.doubts else _LOOK
                )
            except asyncio.TimeoutError:
                pass

    async def _asked(self):
        path = self._config.run_dir + "/ask"
        while True:
            await asyncio.sleep(_ASK)
            try:
                with open(path) as file:
                    words = file.read(2048).split()
                os.remove(path)
            except OSError:
                continue
            if words == ["look"]:
                self._hurry.set()
                continue
            try:
                self._drive.event("renew", " ".join(words))
            except Error as e:
                say(e.text)


def ask(config, what):
    """Have the running service renew the certificate of `what` (its `ids` text), or "look" at the WAN, now."""
    path = config.run_dir + "/ask"
    with open(path + ".new", "w") as file:
        file.write(what)
    os.rename(path + ".new", path)
