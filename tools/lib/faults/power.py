"""Power cuts everywhere: at every change of the medium and around every request, with many outcomes for each.

After each cut the store must hold, for every file, the old bytes or the new; the journal must open; and (once for each
different outcome) a new boot must come to rest with every promise kept: at most one order more than without the cut,
the same plans, no key lost, none used for two things, nothing left lying about.
"""

import random

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ipcert import limits
from ipcert.errors import LocalError
from ipcert.journal import Journal, Slots
from ipcert.keys import Ring
from ipcert.operation_commands import Revocation
from tools.lib.ca.certificates import spki
from tools.lib.faults import ca as _ca
from tools.lib.faults import disk as _disk
from tools.lib.faults.home import START, Home, Port, Stuck

NAME, ADDRESS, OTHER = "nas.janet.example", "203.0.113.7", "203.0.113.8"
BOOT = 30  # seconds from a cut to the next boot: no plan that was due is missed (plan.GRACE)


class Counts:
    """cuts: outcomes of cuts that were looked at; boots: different ones that were lived through to the end.

    full: times that the disk was full or read-only; lost: sentences, one for each promise that was broken.
    """

    def __init__(self):
        self.cuts = self.boots = self.full = 0
        self.lost = []

    def add(self, other):
        """Add another run's counts."""
        self.cuts += other.cuts
        self.boots += other.boots
        self.full += other.full
        self.lost += other.lost


class Lost(Exception):
    """Something was lost: the scenes after it would only repeat it."""


class Campaign:
    """One life of one device on one kind of disk, cut `outcomes` times at every moment that matters."""

    def __init__(self, kind, outcomes, seed):
        self.kind = kind
        self.rng = random.Random("%s %s" % (kind, seed))
        self.outcomes = outcomes
        self.counts = Counts()
        self.disk = _disk.Disk(kind, tick=self._tick)
        self.ca = _ca.CA({})
        self.committed = {}
        self.pending = None  # (name, bytes or None) while the store works on it
        self.home = None
        self.scene = ""
        self.most = self.accounts = 0
        self._lived = set()

    # The life.

    def live(self):
        """All scenes in a row, up to the one in which something is lost; returns the Counts."""
        try:
            self._live()
        except Lost:
            pass
        return self.counts

    def _live(self):
        now = START
        self._boot(now, [NAME, ADDRESS], "issuance", 2)
        self.home.run()
        if any(not r.file_id for r in self.home.records):
            self.home.run(self.home.now + limits.HOUR)
        self._expect("issuance", all(r.file_id for r in self.home.records))
        self._scene("renewal", 1)
        before = self.home.record(ADDRESS).file_id
        self.home.run(self.home.record(ADDRESS).planned_at + 1)
        self._expect("renewal", self.home.record(ADDRESS).file_id > before)
        self._scene("renewal on demand", 1)
        before = self.home.record(NAME).file_id
        self.home.device.event("renew", NAME)
        self.home.run()
        self._expect("renewal on demand", self.home.record(NAME).file_id > before)
        self._scene("rollover", 0)
        self.home.device.event("account", "rollover")
        before = self.home.device.journal.account_file_id
        self.home.run()
        self._expect("rollover", self.home.device.journal.account_file_id > before)
        self._scene("revocation", 0)
        self.home.device.event("revoke", Revocation(ADDRESS, 4))
        self.home.run()
        self._expect("revocation", len(self.ca.revoked) == 1)
        self._scene("renewal after revocation", 1)
        self.home.device.event("renew", ADDRESS)
        self.home.run()
        self._boot(self.home.now + 100, [NAME, OTHER], "new address", 1)
        self.home.run(self.home.now + 30 * limits.HOUR)  # held for a day; its first renewal is due after 47 h
        self._expect("new address", self.home.record(OTHER).file_id > 0)
        self._scene("deactivation", 0)
        self.home.device.event("account", "deactivate")
        self.home.run()
        self._scene("a new account", 1)
        self.accounts += 1
        self.home.device.event("renew", OTHER)
        self.home.run()
        self._expect("a new account", self.home.device.last_error is None)
        self._boot(self.home.now + 100, [NAME, OTHER], "consent", 1, combined=True)
        self.home.run()
        self._expect("asking", not any(r.consent_at for r in self.home.records))
        self.home.device.event("consent", self.home.device.consent_challenge())
        self.home.run()
        self._expect("consent", self.home.records[0].file_id > 0)

    def _expect(self, what, true):
        if not true:
            self._lost("the life without cuts does not reach: %s (%s)" % (what, self.home.device.last_error))

    def _boot(self, now, ids, scene, orders, **options):
        self.ids, self.options = ids, options
        self._scene(scene, orders)
        self.home = Home(self.disk, self.ca, ids, now, self._watch, **options)

    def _scene(self, name, orders):
        if self.counts.lost:
            raise Lost
        # What a scene may cost at most: its own orders, and one more for each cut.
        self.scene = name
        self.most = len(self.ca.orders) + orders
        self.accounts = max(self.accounts, 1)

    # Watching.

    def _watch(self, stage, it):
        if stage == "write":
            self.pending = (it.name, bytes(it.body[: it.size]))
        elif stage == "erase":
            self.pending = (it.name, None)
        elif stage in ("written", "erased"):
            self._apply(self.committed)
            self.pending = None
            self._cut()
        else:
            if stage == "send":
                self._before_sending(it)
            self._cut()

    def _apply(self, files):
        name, data = self.pending
        if data is None:
            files.pop(name, None)
        else:
            files[name] = data

    def _before_sending(self, it):
        """What is about to be acted on must be on the medium already."""
        if it.method != "POST":
            return
        safe = _disk.Disk(self.kind, {name: inode.safe for name, inode in self.disk.safe.items()})
        journal, _ = self._open(safe)
        mine = self.home.device.journal
        word = it.url[len(_ca.BASE) :].split("/")[0]
        if journal is None:
            return self._lost("%s is sent before there is a journal" % word)
        if (journal.account_file_id, journal.pending_account_file_id) != (
            mine.account_file_id,
            mine.pending_account_file_id,
        ):
            self._lost("%s is sent before the account's key is in the journal" % word)
        r = self.home.device._scheduler.in_flight()
        if r is None:
            return
        for known in journal.records():
            if known.identifiers_text.get() != r.identifiers_text.get():
                continue
            if known.planned_at > self.home.now:
                self._lost("%s is sent before its plan is in the journal" % word)
            if word in ("authz", "challenge", "finalize") and known.order_url.get() != r.order_url.get():
                self._lost("%s is sent before its order is in the journal" % word)
            if word == "finalize" and (
                known.pending_file_id != r.pending_file_id or known.pending_key_hash != r.pending_key_hash
            ):
                self._lost("finalize is sent before its key is in the journal")
            if self.options.get("combined") and not known.consent_at:
                self._lost("%s is sent for a combined certificate without consent" % word)

    def _tick(self, disk):
        if self.home is not None or self.pending is not None:
            self._cut()

    def _cut(self):
        for _ in range(self.outcomes):
            self._outcome(self.disk.survivors(self.rng))

    # Judging.

    def _lost(self, sentence):
        if len(self.counts.lost) < 200:
            self.counts.lost.append("%s, %s: %s" % (self.kind, self.scene, sentence))

    def _open(self, disk):
        """(journal or None, contents) of a disk, read by the port's store. Raises LocalError."""
        with _disk.On(disk) as on:
            store = on.store()
            contents = {name: store.read(name) for name in store.names()}
            journal = Journal(Ring(), Port.sha256)
            found = Slots(journal).load(store.read)
        return (journal if found else None), contents

    def _outcome(self, files):
        self.counts.cuts += 1
        disk = _disk.Disk(self.kind, files)
        try:
            journal, contents = self._open(disk)
        except LocalError as e:
            return self._lost("the state does not open: %s" % e)
        if contents != self.committed:
            new = dict(self.committed)
            if self.pending is not None:
                self._apply(new)
            if contents != new and not self._only_torn(contents, new):
                names = [n for n in set(contents) | set(new) if contents.get(n) != new.get(n)]
                return self._lost("neither the old files nor the new ones: %s" % " ".join(sorted(names)))
        if journal is None and self._had_journal():
            return self._lost("the journal is gone")
        if journal is not None:
            self._references(journal, contents)
        mark = (tuple(sorted(contents.items())), self.ca.version, self.scene)
        if mark not in self._lived:
            self._lived.add(mark)
            self._live_on(disk, journal)

    def _only_torn(self, contents, new):
        # The raw store tears the one file that it is writing, and no other.
        if self.kind != "raw" or self.pending is None:
            return False
        name = self.pending[0]
        return {n: d for n, d in contents.items() if n != name} == {n: d for n, d in new.items() if n != name}

    def _had_journal(self):
        return any(name in self.committed for name in Slots.NAMES)

    def _references(self, journal, contents):
        wanted = []
        for n in (journal.account_file_id, journal.pending_account_file_id):
            wanted += ["account-%d" % n] if n else []
        for r in journal.records():
            wanted += ["key-%d" % r.file_id, "chain-%d" % r.file_id] if r.file_id else []
            wanted += ["key-%d" % r.pending_file_id] if r.pending_file_id else []
        for name in wanted:
            if not contents.get(name):
                self._lost("%s is in the journal and not on the medium" % name)

    def _live_on(self, disk, journal):
        """The next boot, to its rest, and one more order to see that everything still works."""
        self.counts.boots += 1
        ca = self.ca.snapshot({})
        now = self.home.now + BOOT if self.home is not None else START + BOOT
        plans = {}
        if journal is not None:
            plans = {
                r.identifiers_text.text(): r.planned_at
                for r in journal.records()
                if now < r.planned_at < limits.NEVER
            }
        most = self.most + 1
        try:
            home = Home(disk, ca, self.ids, now, **self.options)
            home.run()
            for r in home.records:
                at = plans.get(r.identifiers_text.text(), r.planned_at)
                # One whose second has come meanwhile was acted on, or moved because an order was under way (P5).
                if r.planned_at != at and at > home.now:
                    self._lost("the plan of %s is drawn again" % r.identifiers_text.text())
            if home.device.last_error is not None:
                self._lost("the next boot fails: %s" % home.device.last_error)
            if len(ca.orders) > most:
                self._lost("%d orders, where %d were due" % (len(ca.orders), most - 1))
            self._again(home, ca)
        except (LocalError, Stuck) as e:
            return self._lost("the next boot ends with: %s" % e)
        if len(ca.accounts) > self.accounts + 1:
            self._lost("%d accounts" % len(ca.accounts))
        for sentence in ca.broken:
            self._lost(sentence)
        self._tidy(home)

    def _again(self, home, ca):
        device = home.device
        if device.consent_challenge() and not all(r.consent_at for r in home.records):
            if any(o["status"] == "valid" and len(o["identifiers"]) > 1 for o in ca.orders.values()):
                self._lost("a combined certificate without consent")
            device.event("consent", device.consent_challenge())
        else:
            device.event("renew", home.records[0].identifiers_text.text())
        issued = device.issued
        home.run()
        if ca.ended and device.last_error is not None:
            # The owner ended the account, and power went before that was noted: the owner asks once more.
            device.last_error = None
            device.event("account", "deactivate")
            home.run()
            device.event("renew", home.records[0].identifiers_text.text())
            home.run()
        if device.issued == issued or device.last_error is not None:
            self._lost("the order after the cut fails: %s" % device.last_error)

    def _tidy(self, home):
        """Exactly what the journal refers to is on the medium, and what is served belongs together."""
        journal = home.device.journal
        want = {"directory", *Slots.NAMES}
        want |= {"account-%d" % n for n in (journal.account_file_id, journal.pending_account_file_id) if n}
        for r in journal.records():
            want |= {"key-%d" % r.file_id, "chain-%d" % r.file_id} if r.file_id else set()
            want |= {"key-%d" % r.pending_file_id} if r.pending_file_id else set()
        with _disk.On(home.disk):
            there = set(home.store.names())
        if there - want:
            self._lost("left lying about: %s" % " ".join(sorted(there - want)))
        if want - there - {"directory"} - set(Slots.NAMES):
            self._lost("lost: %s" % " ".join(sorted(want - there)))
        for text in home.deployed:
            key, chain = home.deployed[text]
            if chain and not belongs(key, chain):
                self._lost("the key that is served for %s is not its certificate's" % text)


def belongs(key, chain):
    """True when a PKCS#8 key and a PEM chain's leaf belong together."""
    public = serialization.load_der_private_key(key, None).public_key()
    return spki(x509.load_pem_x509_certificate(chain).public_key()) == spki(public)


class Full:
    """A medium that refuses from some change on: full, or read-only. The device stops, and goes on later."""

    def __init__(self, kind, number, step):
        self.kind, self.number, self.step = kind, number, step
        self.counts = Counts()

    def live(self):
        """Refuse from each `step`-th change of a first issuance, a renewal and a rollover on; returns the Counts."""
        at = 0
        while self._one(at):
            at += self.step
            self.counts.full += 1
        return self.counts

    def _one(self, at):
        disk = _disk.Disk(self.kind)
        ca = _ca.CA({})
        now = START
        stopped = False
        disk.fails = (at, self.number)
        try:
            home = Home(disk, ca, [ADDRESS], now)
            home.run()
            home.device.event("renew", ADDRESS)
            home.run()
            home.device.event("account", "rollover")
            home.run()
            now = home.now
        except LocalError as e:
            stopped = True
            if e.code not in ("disk-full", "store"):
                self.counts.lost.append("%s, full: %s" % (self.kind, e))
        disk.fails = None
        orders = len(ca.orders)
        home = Home(disk, ca, [ADDRESS], now + 60, published={})
        ca.published = home.published
        home.run()
        home.device.event("renew", ADDRESS)
        home.run()
        text = None
        if not home.record(ADDRESS).file_id or home.device.last_error is not None:
            text = "it does not go on: %s" % home.device.last_error
        elif len(ca.orders) > orders + 2 or len(ca.accounts) > 1 or ca.broken:
            text = "%d orders more, %d accounts %s" % (len(ca.orders) - orders, len(ca.accounts), ca.broken)
        if text:
            self.counts.lost.append("%s, refused from change %d: %s" % (self.kind, at, text))
        return stopped


def campaign(cuts, seed=1, kinds=_disk.KINDS, progress=None):
    """Lives on every kind of disk until at least `cuts` cuts were tried; returns the Counts."""
    total = Counts()
    for kind in kinds:
        for number in (_disk.FULL, _disk.READ_ONLY):
            total.add(Full(kind, number, 1 if cuts >= 50000 else 7).live())
    share = max(cuts // len(kinds), 1)
    for kind in kinds:
        done = Counts()
        outcomes = max(min(share // 3000, 12), 1)
        k = 0
        while done.cuts < share:
            done.add(Campaign(kind, outcomes, "%s/%d" % (seed, k)).live())
            k += 1
            if progress is not None:
                progress("%s: %d cuts, %d boots, %d lost" % (kind, done.cuts, done.boots, len(done.lost)))
        total.add(done)
    return total
