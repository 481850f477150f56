"""The conductor: one device, its lineages, and one action at a time.

`next(now)` says what to do, the port does it and answers, and nothing in here waits, reads a clock or opens a
file. The journal is written before what it says is acted on.
"""

from . import identifiers as _identifiers
from . import journal, keys, limits, notices, plan, reconcile, split
from .accounts import Accounts
from .acme import challenge, message
from .acme import directory as _directory
from .acme.exchange import BODY_OVERHEAD, Exchange
from .action import DEPLOY, WAIT, WRITE, Action
from .encoding import jws, seal
from .errors import LocalError, RemoteError
from .events import plan_asked, take
from .order import issuance, states


def _key(ids):
    return ",".join([i.value for i in ids])


class Device:
    """One home device. `port` is what the ports' `port.Port` is; `identifiers` is a list of `identifiers.Identifier`.

    journal     the durable state (`journal.Journal`); issued, failures: counts since the start
    last_error  the last Error of an order, or None
    Raises LocalError for state that is damaged, of a later version, another device's, or older than a monotonic counter says.
    Such a counter is optional: `port.counter`, with read() -> int and raise_to(n), which never goes back.
    """

    def __init__(self, port, policy, identifiers, directory_url):
        message.url(directory_url, "directory")
        self.port = port
        self.policy = policy
        self.directory_url = directory_url
        self.directory = None
        self.directory_at = 0
        self.directory_body = None
        self.accounts = Accounts(self)
        self.journal = journal.Journal(keys.Ring(), port.sha256)
        self.garbage = []
        self.issued = self.failures = 0
        self.last_error = None
        self.rng = plan.Words(port.entropy.fill)
        self._poll = plan.Plan()
        addresses = sum([1 for i in identifiers if i.family])
        texts = sum([len(i.value) + 1 for i in identifiers])
        # Records of about 400 bytes: one for the names, one each for the addresses, and for those they replace.
        self._slots = journal.Slots(
            self.journal, max(limits.JOURNAL, 800 + texts + 400 * (2 * addresses + 1))
        )
        self._it = Action()
        self._open = False
        self._running = False  # an issuance whose end was not told yet
        self.dirty = False
        self.files = []  # to be written before the journal that names them
        self._notices = []
        self._deploys = []
        self._later = []  # deploys that failed, tried again at `_later_at`; 0: not planned yet
        self._later_at = 0
        self._secret = None  # the buffer of a key file that is being written
        self._counter = getattr(port, "counter", None)
        self._told_clock = False
        self._heard = 0  # when the CA last answered, by the clock that its certificate was checked with
        self.now = 0
        self.operations = []
        self.asked = []
        self._load()
        self._set(identifiers)
        self.issuance = issuance.Issuance(self)

    def _load(self):
        j = self.journal
        own = self.port.device_id()
        found = self._slots.load(self.port.read)
        if not found:
            if own is None:
                self.port.entropy.fill(j.device_id)
            else:
                j.device_id[:] = own
            self.dirty = True
        elif own is not None and j.device_id != own:
            raise LocalError("cloned", notices.text(notices.CLONED, "its number is %s" % j.device_id.hex()))
        if self._counter is not None:
            self._refuse_old(found)
        ca = bytearray(32)
        url = self.directory_url.encode()
        self.port.sha256(url, 0, len(url), ca, 0)
        if j.ca_hash != ca[: limits.HASH]:
            # Account and orders belong to one CA; certificates and their keys stay in service.
            j.ca_hash[:] = ca[: limits.HASH]
            j.terms.set(b"")
            self.accounts.leave()
            for r in j.records():
                r.order_url.set(b"")
                r.ordered_at = 0
                r.profile.set(b"")
                r.ari_id.set(b"")
                r.ask_window_at = 0
            self.dirty = True
            if found:
                self.notice(notices.CA_CHANGED, self.directory_url)
        self._load_directory(ca)
        for r in j.records():
            if r.file_id:
                self._deploys.append((r, r.file_id))

    def _refuse_old(self, found):
        """The journal's sequence number against the port's monotonic counter, which is raised behind each write of it."""
        least = self._counter.read()
        if not found:
            self.journal.sequence = least
        elif (
            self.journal.sequence + 1 < least
        ):  # one behind is the other slot, which serves when the newest is damaged
            raise LocalError(
                "rolled-back",
                "The state here is older than what this device wrote last: somebody put it back. Put back the newest one, "
                "or run 'ipcert reset' to start afresh.",
            )

    def _load_directory(self, ca):
        data = self.port.read("directory")
        if data and len(data) > 12 and data[: limits.HASH] == ca[: limits.HASH]:
            try:
                self.directory = _directory.Directory(message.parse(data[12:]))
                self.directory_at = int.from_bytes(data[8:12], "big")
            except RemoteError:
                self.directory = None

    def _set(self, identifiers):
        split.check(identifiers, limits.IDENTIFIERS)
        for i in identifiers:
            _identifiers.check_public(i, self.policy.test_ca)
        groups = bytearray(len(identifiers))
        n = split.assign(identifiers, groups, self.policy.combined)
        if n > limits.LINEAGES:
            raise LocalError(
                "too-many", "%d certificates are too many; this build keeps %d." % (n, limits.LINEAGES)
            )
        found = []
        longest = 0
        for g in range(n):
            ids = [i for k, i in enumerate(identifiers) if groups[k] == g]
            text = _key(ids)
            longest = max(longest, len(text) + 36 * len(ids))
            if len(text) > limits.IDENTIFIERS_TEXT:
                raise LocalError(
                    "too-many",
                    "The names of one certificate are longer than %d characters." % limits.IDENTIFIERS_TEXT,
                )
            found.append((text, ids))
        self.groups = found
        http = self.policy.challenge_name in (challenge.HTTP, challenge.ALPN)
        self.mask = split.warn(identifiers, groups, n, self.policy.urgent == "both", http)
        # Payloads: an order in JSON, or a CSR in base64url. Bodies: that again in base64url, and the headers.
        contacts = sum([len(c) + 3 for c in self.policy.contacts])
        if self.policy.eab_kid:
            contacts += 700 + len(self.policy.eab_kid) * 4 // 3
        self.scratch = bytearray(320 + longest)
        self.work = bytearray(max(len(self.scratch) * 4 // 3 + 16, 256 + longest + contacts))
        self._out = bytearray(len(self.work) * 4 // 3 + BODY_OVERHEAD)
        self.exchange = Exchange(self.port.signer, jws.Jws(), self._out)
        self.accounts.unload()
        self.reconciled = False

    # What the port calls.

    def next(self, now):
        """The one thing to do now, as `action.Action`; the same again until it is answered.

        `now` is in core seconds, or None while the clock cannot be trusted (P9): then nothing is planned or ordered.
        """
        if not self._open:
            self._fill(now, self._it)
            self._it.number += 1
            self._open = True
        return self._it

    def prepare(self, now):
        """Match the state with the identifiers before anything is asked for, so that events find their lineages.

        `now` as in `next`. Only needed for an event before the first `next`. Raises LocalError("clock") for a clock that went back.
        """
        if now is None or now + limits.CLOCK_JUMP < self.journal.clock_floor:
            raise LocalError(
                "clock", "The clock went back behind what was already written; set it right first."
            )
        self.now = now
        if not self.reconciled:
            reconcile.reconcile(self, now)

    def done(self, number):
        """The action was carried out. For WAIT: its time came, or something happened."""
        kind = self._close(number)
        if kind == WRITE and self._counter is not None and self._it.name in journal.Slots.NAMES:
            self._counter.raise_to(self.journal.sequence)
        if kind is not None and kind != WAIT and self._owner:
            self.issuance.answer(states.OK)

    def response(self, number, status, headers, body):
        """The CA's answer to a SEND: int, dict of lower-case names to str, bytes."""
        if self._close(number) is not None:
            self._heard = self.now
            self.issuance.response(self.now, status, headers, body)

    def failed(self, number, error):
        """A SEND, PUBLISH or DEPLOY could not be carried out; `error` is an `errors.Error`."""
        kind = self._close(number)
        if kind is not None:
            if kind == DEPLOY:
                self._later.append((self._it.record, self._it.record.file_id))
                self._later_at = 0
            if self._owner:
                self.issuance.fault(error)
            else:
                self.last_error = error

    def event(self, kind, value):
        """Something happened meanwhile; a WAIT ends early. Raises LocalError("event") for what it does not know.

        "address"   value: the full new list of Identifiers, because the address changed (P6)
        "consent"   value: the answer to `consent_challenge`. Raises LocalError("consent") when it is not the right one
        "renew"     value: a record's `ids` text: renew it now, whatever its plan says
        "revoke"    value: (`ids` text, reason code of `operations.REASONS`, by_key): revoke the live certificate, at once
                    or at a distance from the last one (P14), and order no other until "renew". `by_key`: signed with
                    the certificate's own key, where the account is lost; at once, and not tried again
        "deauthorize"  value: a record's `ids` text: what its last order proved is given back (RFC 8555 7.5.2)
        "account"   value: "contacts" | "rollover" | "deactivate": send the contacts, change the key, or end the account
        "recover"   value: an account's key, 32 bytes: ask the CA for its account and use that one from now on
        "adopt"     value: (`ids` text, not before, not after, hash of its key): another client left this certificate;
                    plan its renewal instead of a first issuance, and never use that key (`limits.HASH` bytes of its
                    fingerprint)
        """
        if kind == "address":
            if self.issuance.step != states.IDLE:
                raise LocalError("busy", "An order is in flight; say so again when it is over.")
            self._set(value)
        else:
            take(self, kind, value)
        if self._it.kind == WAIT:
            self._open = False

    def consent_challenge(self):
        """Eight hexadecimal digits, bound to exactly these identifiers and to this asking; "" where none is needed."""
        if not self.asks():
            return ""
        data = self.journal.consent_nonce + self.groups[0][0].encode()
        out = bytearray(32)
        self.port.sha256(data, 0, len(data), out, 0)
        return out[:4].hex()

    # What the issuance uses.

    def identifiers_of(self, record):
        """The Identifiers of a record that is in service."""
        text = record.identifiers_text.text()
        for t, ids in self.groups:
            if t == text:
                return ids
        raise LocalError("state", "A lineage has no identifiers; report this.")

    def new_generation(self):
        """The next number for a key file."""
        self.journal.last_file_id += 1
        return self.journal.last_file_id

    def write_journal(self, now, it):
        """Fill the action with the journal's next slot."""
        # A time at which the CA's TLS certificate held: a clock that was once years ahead must not stop us for years.
        self.journal.clock_floor = max(self.journal.clock_floor, self._heard)
        self.dirty = False
        n = self._slots.encode()
        it.write(self._slots.name, self._slots.data, n)

    def write_key(self, slot, name, it):
        """Fill the action with the slot's key file."""
        out = bytearray(seal.SEALED)
        n = seal.write(self.port, slot, out)
        self._secret = out
        it.write(name, out, n)

    def load_key(self, slot, name):
        """Load a key file into a slot. Raises LocalError("key-file")."""
        data = self.port.read(name)
        if data is None:
            raise LocalError("key-file", "A key file is missing; the order is started again with a new key.")
        seal.load(self.port, slot, data)

    def take_down(self, r):
        """A record's certificate is out of service: its key is erased and remembered, and what serves it is told."""
        if r.file_id:
            self.journal.ring.add(r.key_hash, 0)
            self.garbage.append("key-%d" % r.file_id)
            self.garbage.append("chain-%d" % r.file_id)
            gone = journal.Record()
            gone.identifiers_text.set(r.identifiers_text.get())
            self._deploys.append((gone, 0))
        r.file_id = r.not_before = r.not_after = r.ask_window_at = r.ari_window_end = 0
        r.key_hash[:] = r.chain_hash[:] = bytes(limits.HASH)
        r.ari_id.set(b"")

    def give_back(self, r):
        """Have the CA forget what the record's last order proved: its identifiers are not ours any more (7.5.2)."""
        if r.order_url.size:
            self.operations.append((None, issuance.DEAUTHORIZE, r.order_role, r.order_url.text()))
            r.order_url.set(b"")
            r.ordered_at = 0
            self.dirty = True

    def take_directory(self, directory, body, now):
        """A directory was fetched."""
        self.directory = directory
        self.directory_at = now
        self.directory_body = bytes(self.journal.ca_hash) + now.to_bytes(4, "big") + body
        terms = (directory.terms or "").encode()
        if self.journal.terms.get() != terms:
            if self.journal.terms.size:
                self.notice(notices.TERMS, directory.terms or "none")
            self.journal.terms.set(terms)

    def plan_renewal(self, r, now):
        """P2, after a certificate was issued."""
        plan.renewal(r, self.rng, self.is_ip(r), r.not_before, r.not_after, now, self.policy.recovery)

    def plan_retry(self, r, now, kind, pause):
        """P4, after an attempt failed."""
        plan.retry(
            r,
            self.rng,
            now,
            r.failures,
            kind,
            r.not_after,
            pause,
            self.is_ip(r),
            r.not_before,
            self.policy.recovery,
        )
        self.squeeze(r, now)
        self.failures += 1

    def plan_revocation(self, r, now):
        """P14: at once, or at a distance from the last one."""
        plan.revocation(r, self.rng, now, self.journal.revoked_at)
        self.squeeze(r, now)

    def plan_poll(self, r, now, pause):
        """The next question about the renewal window; none where the CA answers no such questions."""
        r.ask_window_at = 0
        if r.ari_id.size and self.directory is not None and self.directory.renewal_info:
            plan.poll(self._poll, self.rng, now, pause)
            r.ask_window_at = self._poll.planned_at

    def take_window(self, r, info, now, pause):
        """The CA's window for a lineage's certificate: an emergency overrides the plan, and so does `strict_ari`."""
        ip = self.is_ip(r)
        if plan.is_emergency(r.ari_window_end, info.end, r.not_before, r.not_after):
            plan.emergency(r, self.rng, ip, now)
            self.squeeze(r, now)
            self.notice(notices.EMERGENCY, r.identifiers_text.text(), info.explanation)
        elif self.policy.strict_ari and r.ari_window_end != info.end:
            plan.strict(
                r, self.rng, ip, info.start, info.end, r.not_before, r.not_after, now, self.policy.recovery
            )
        r.ari_window_end = info.end
        self.plan_poll(r, now, pause)

    def deploy(self, r, it, pem):
        """Fill the action with a record's key and chain."""
        data = self.port.read("key-%d" % r.file_id)
        if data is None:
            raise LocalError("key-file", "A key file is missing; its certificate is replaced.")
        it.deploy(r, seal.pkcs8(self.port, data), pem)

    def notice(self, number, subject, text=""):
        """Queue a notice for the owner."""
        self._notices.append((number, subject, text))

    def is_ip(self, r):
        """True when the lineage holds an address: its certificate is short-lived."""
        for i in self.identifiers_of(r):
            if i.family:
                return True
        return False

    def squeeze(self, r, now):
        """For demonstrations: divide a wait. A renewal's place is in the certificate's real lifetime and stays there."""
        k = self.policy.compress
        if k > 1 and r.planned_at > now:
            r.planned_at = now + max((r.planned_at - now) // k, 1)  # never at once: a draw must not become an immediate plan
            r.window_start = now + max(r.window_start - now, 0) // k
            r.window_end = now + max(r.window_end - now, 0) // k

    def asks(self):
        """True when the first group, where combined certificates stand, needs the owner's consent."""
        return self.policy.setting == "home" and split.needs_consent(self.mask)

    # Inside.

    def _close(self, number):
        # A late answer to a WAIT that an event ended is not a mistake.
        it = self._it
        if not self._open or number != it.number:
            if it.kind == WAIT:
                return None
            raise LocalError("state", "Action %d is not the open one." % number)
        self._open = False
        it.key = it.chain = b""
        if it.kind == WRITE and it.body is self._secret:
            seal.wipe(it.body)
        self._secret = None
        return it.kind

    def _fill(self, now, it):
        self._owner = False
        one = self.issuance
        while True:
            if self._notices:
                return it.notify(*self._notices.pop(0))
            if self._deploys:
                r, gen = self._deploys.pop(0)
                if self._redeploy(r, gen, it):
                    return None
                continue
            if now is None:
                return it.wait(None, False)
            if now + limits.CLOCK_JUMP < self.journal.clock_floor:
                if not self._told_clock:
                    self._told_clock = True
                    self.notice(notices.CLOCK, "it went back behind what was already written")
                    continue
                return it.wait(now + 10 * limits.MINUTE, False)
            self.now = now
            if not self.reconciled:
                reconcile.reconcile(self, now)
                continue
            if self.asked:
                plan_asked(self, now)
            if self.files:
                return it.write(*self.files.pop(0))
            if self.dirty:
                return self.write_journal(now, it)
            if self._running or one.step != states.IDLE:
                self._running = True
                if one.purpose == issuance.ISSUE and self._collide(now):
                    continue
                if one.next(now, it):
                    self._owner = True
                    return None
                self._running = False
                self._finished()
                continue
            if self.garbage:
                return it.erase(self.garbage.pop(0))
            if self._missed(now):
                continue
            if self._later:
                self._later_at = self._later_at or now + limits.DEPLOY_AGAIN
                if now >= self._later_at:
                    self._deploys, self._later = self._later, []
                    continue
            if self.operations:
                one.start(now, *self.operations.pop(0))
                continue
            due = ask = None
            for r in self.journal.records():
                if due is None or r.planned_at < due.planned_at:
                    due = r
                if r.ask_window_at and (ask is None or r.ask_window_at < ask.ask_window_at):
                    ask = r
            if due.planned_at > now:
                if ask is None or ask.ask_window_at > now:
                    until = min(due.planned_at, ask.ask_window_at) if ask else due.planned_at
                    return it.wait(min(until, self._later_at) if self._later else until, False)
                one.start(now, ask, issuance.ASK_WINDOW)
                continue
            if due.file_id and now >= due.not_after:
                self.notice(notices.LAPSED, due.identifiers_text.text())
            one.start(now, due, issuance.REVOKE if due.revocation_reason is not None else issuance.ISSUE)

    def _finished(self):
        one = self.issuance
        r = one.record
        error = one.error
        if error is not None:
            # A directory that led nowhere is not trusted again.
            self.directory = None
        if one.purpose != issuance.ISSUE and error is None or one.purpose == issuance.ASK_WINDOW:
            return
        if r is None:
            if one.purpose != issuance.DEAUTHORIZE:
                self.notice(notices.FAILED, "the account", str(error))
            return
        if error is None:
            self.notice(notices.ISSUED, r.identifiers_text.text())
        else:
            limited = one.limited()
            self.notice(notices.LIMITED if limited else notices.FAILED, r.identifiers_text.text(), str(error))

    def _redeploy(self, r, gen, it):
        if not gen:
            it.deploy(r, b"", b"")
            return True
        if r.file_id != gen:
            return False
        chain = self.port.read("chain-%d" % gen)
        key = self.port.read("key-%d" % gen)
        out = bytearray(32)
        if chain is not None:
            self.port.sha256(chain, 0, len(chain), out, 0)
        if chain is None or key is None or out[: limits.HASH] != r.chain_hash:
            # Nothing to serve: the medium lost it. The lineage starts again, at its next plan.
            self.take_down(r)
            r.planned_at = r.window_end = limits.NEVER if r.revocation_reason is not None else min(r.planned_at, self.journal.clock_floor)
            r.revocation_reason = None
            self.dirty = True
            self.notice(
                notices.FAILED, r.identifiers_text.text(), "Its certificate or key is missing or damaged on this device."
            )
            return False
        it.deploy(r, seal.pkcs8(self.port, key), chain)
        return True

    def _collide(self, now):
        moved = False
        for r in self.journal.records():
            if r is not self.issuance.record and r.planned_at <= now:
                plan.collide(r, self.rng, now)
                self.squeeze(r, now)
                self.dirty = moved = True
        return moved

    def _missed(self, now):
        moved = False
        for r in self.journal.records():
            lost = plan.is_lost(r, now, r.not_after)
            if lost or plan.is_missed(r, now):
                self.dirty = moved = True
                if r.revocation_reason is not None:
                    self.plan_revocation(r, now)
                    continue
                if lost and not r.not_after:
                    # Drawn under a clock that was far ahead: its end means nothing, so the first wait begins now.
                    reconcile.plan_first(self, r, now)
                    self.squeeze(r, now)
                    continue
                plan.missed(r, self.rng, self.is_ip(r), now, r.not_before, r.not_after, self.policy.recovery)
                self.squeeze(r, now)
        return moved
