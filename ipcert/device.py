"""What a port calls, and nothing else: one device, its certificates, and one action at a time.

What holds. `next(now)` says what to do, as an `action.Action`; the port does it and says how it ended with `done`, `response`
or `failed`. The core waits for nothing, reads no clock and opens no file: time comes in with `next`, everything durable goes out
as an action, and the random bytes and signatures come from the port (`port.entropy`, `port.signer`). What happens meanwhile
comes in through `event`, also during a wait.

One action is open at a time. It stays the same until it is answered, so asking again is free; its number tells a late answer
from the awaited one. The journal is written before what it says is acted on, so a port may be cut off between any two actions:
the next start goes on from there.

Decisions stand elsewhere: `scheduler` has who acts next, `planner` when, `order` what is said to the CA, `configuration` which
certificates there are, `commands` what events mean. A port needs none of them; what it may look at is here.

What must never happen: an action that is answered twice, or another one than the open one, is taken as answered.
"""

from . import keys, limits, lineage, notices, plan
from .account import Account
from .acme import challenge, message
from .acme.exchange import Exchange
from .action import DEPLOY, NOTHING, WAIT, WRITE, Action
from .commands import Commands
from .configuration import Configuration
from .deployment import Deployments
from .errors import LocalError
from .order import states
from .order.machine import Session
from .planner import Planner
from .scheduler import Scheduler
from .storage import Storage


class Device:
    """One home device. `port` is what the ports' `port.Port` is; `certificates` is a list of `split.Certificate`.

    journal     the durable state (`journal.Journal`); a port reads it, and changes nothing in it
    Raises LocalError for state that is damaged, of a later version, another device's, or older than a monotonic counter says.
    Such a counter is optional: `port.counter`, with read() -> int and raise_to(n), which never goes back.
    """

    def __init__(self, port, policy, certificates, directory_url):
        directory_url = message.url(directory_url, "directory")
        self.port = port
        self.policy = policy
        self.storage = Storage(port, _slot_size(certificates))
        self.journal = self.storage.journal
        self.outbox = notices.Outbox()
        self.keyring = keys.Keyring(port, self.storage)
        self.exchange = Exchange(port.signer, directory_url)
        self.account = Account(policy, self.storage, self.keyring, self.exchange, self.outbox)
        self.planner = Planner(
            plan.Words(port.entropy.fill), policy, self.storage, self.exchange, self.outbox
        )
        self._lineages = lineage.Lineages(port, self.storage)
        self._deployments = Deployments(port, self.storage, self.outbox, self._lineages)
        self.configuration = Configuration(
            port, policy, self.storage, self._lineages, self.planner, self.outbox
        )
        self._commands = Commands(
            self.storage,
            self.configuration,
            self._lineages,
            self.planner,
            self.account,
        )
        self._scheduler = Scheduler(
            Session(self.exchange, self.account, self.storage, self.keyring, self.outbox),
            self.configuration,
            self._commands,
            self._lineages,
            self._deployments,
            self.planner,
            policy,
            challenge.Publisher(port, self.account),
        )
        self._action = Action()
        self._open = False  # the action waits for its answer
        self._load(directory_url)
        self._want(certificates)

    def _load(self, directory_url):
        found = self.storage.open(self.port)
        # A CA is known by the hash of its directory's URL.
        digest = bytearray(32)
        url = directory_url.encode()
        self.port.sha256(url, 0, len(url), digest, 0)
        ca_hash = digest[: limits.HASH]
        if not self.storage.belongs_to(ca_hash):
            # Account and orders belong to one CA; certificates and their keys stay in service.
            self.account.leave()
            self._lineages.leave_ca()
            if found:
                self.outbox.notice(notices.CA_CHANGED, directory_url)
        self.exchange.load_directory(self.port.read("directory"), ca_hash)
        # What serves the certificates may have lost them while we were off; deploying again is harmless.
        for record in self.journal.records():
            if record.file_id:
                self._deployments.add(record)

    def _want(self, certificates):
        self.configuration.change(certificates)
        identifiers_size = max([len(one.text) + 36 * len(one.identifiers) for one in certificates])
        # An address that is doubted is ordered as before.
        for record in self.journal.records():
            text = record.identifiers_text.text()
            identifiers_size = max(identifiers_size, len(text) + 36 * (text.count(",") + 1))
        # A binding is the account's key again, a MAC and the CA's own name for the owner.
        account_size = sum([len(contact) + 3 for contact in self.policy.contacts])
        if self.policy.eab_kid:
            account_size += 700 + len(self.policy.eab_kid) * 4 // 3
        self.exchange.make_room(identifiers_size, account_size)

    # What the port carries out.

    def next(self, now):
        """The one thing to do now, as `action.Action`; the same again until it is answered.

        `now` is in core seconds, or None while the clock cannot be trusted (docs/privacy.md#p9): then nothing is planned or ordered.
        """
        if not self._open:
            self._scheduler.fill(now, self._action)
            self._action.number += 1
            self._open = True
        return self._action

    def done(self, number):
        """The action was carried out. For WAIT: its time came, or something happened."""
        if not self._close(number):
            return
        action = self._action
        if action.kind == WRITE:
            self.storage.written(action.name)
        machine = self._scheduler.asking
        # A machine that waits looks at the clock itself: the wait may have ended early.
        if action.kind != WAIT and machine is not None:
            machine.done()

    def response(self, number, status, headers, body):
        """The CA's answer to a SEND: int, dict of lower-case names to str, bytes."""
        machine = self._scheduler.asking
        if self._close(number) and machine is not None:
            self.storage.heard_at = self._scheduler.now
            machine.response(self._scheduler.now, status, headers, body)

    def failed(self, number, error):
        """A SEND, PUBLISH or DEPLOY could not be carried out; `error` is an `errors.Error`."""
        if not self._close(number):
            return
        record, machine = self._action.record, self._scheduler.asking
        if self._action.kind == DEPLOY and record is not None:
            self._deployments.failed(record)
        if machine is not None:
            machine.failed(error)
        else:
            self.outbox.last_error = error

    def _close(self, number):
        # False for a late answer to a WAIT that an event ended, which is no mistake.
        action = self._action
        if not self._open or number != action.number:
            if action.kind == WAIT:
                return False
            raise LocalError("state", "Action %d is not the open one." % number)
        self._open = False
        action.key = action.chain = b""  # a key must not lie here until the next deployment
        if action.kind == WRITE:
            self.keyring.written(action.body)
        return True

    # What happens meanwhile.

    def prepare(self, now):
        """Match the state with the certificates before anything is asked for, so that events find their lineages.

        `now` as in `next`. Only needed for an event before the first `next`. Raises LocalError("clock") for a clock that went
        back.
        """
        if now is None or now + limits.CLOCK_JUMP < self.journal.clock_floor:
            raise LocalError(
                "clock", "The clock went back behind what was already written; set it right first."
            )
        self._scheduler.now = now
        if not self.configuration.applied:
            self.configuration.apply(now)

    def event(self, kind, value):
        """Something happened meanwhile; a WAIT ends early. Raises LocalError("event") for what it does not know.

        "certificates"  value: the full new list of `split.Certificate`, because an address changed (docs/privacy.md#p6), or to
                    say again, at least once an hour while one is doubted (`doubts`), what is found. Raises LocalError("busy")
                    while an order is in flight
        "consent"   value: the answer to `consent_challenge`. Raises LocalError("consent") when it is not the right one
        "renew"     value: a record's `identifiers_text`, text: renew it now, whatever its plan says
        "revoke"    value: a `operation_commands.Revocation`: revoke the live certificate, at once or at a distance from the last one
                    (docs/privacy.md#p14), and order no other until "renew"
        "deauthorize"  value: a record's `identifiers_text`: what its last order proved is given back (RFC 8555 7.5.2)
        "account"   value: "contacts" | "rollover" | "deactivate": send the contacts, change the key, or end the account
        "recover"   value: an account's key, 32 bytes: ask the CA for its account and use that one from now on
        "adopt"     value: a `adoption.Adoption`: plan the renewal of another client's certificate instead of a first
                    issuance, and never use its key
        """
        if kind == "certificates":
            if self.activity != NOTHING:
                raise LocalError("busy", "An order is in flight; say so again when it is over.")
            self._want(value)
        else:
            self._commands.event(self._scheduler.now, kind, value, self._scheduler.in_flight())
        # What the event changed may be due before the wait ends, so the next call fills another action.
        if self._action.kind == WAIT:
            self._open = False

    def consent_challenge(self):
        """Eight hexadecimal digits, bound to exactly these identifiers and to this asking; "" where none is needed."""
        return self._commands.consent_challenge()

    # What the port may look at.

    @property
    def activity(self):
        """What is under way, one of `action`'s: NOTHING, ISSUANCE, RENEWAL_INFORMATION or OPERATION."""
        machine = self._scheduler.under_way()
        return NOTHING if machine is None else machine.activity

    @property
    def state(self):
        """The name of the state that the task under way is in, one of `order.states.STATES`; "idle" for none."""
        machine = self._scheduler.under_way()
        return states.STATES[states.IDLE if machine is None else machine.state]

    @property
    def subject(self):
        """The identifiers' text of the lineage that the task under way is about; "" for none."""
        record = self._scheduler.in_flight()
        return "" if record is None else record.identifiers_text.text()

    @property
    def doubts(self):
        """True while an address is doubted, so that the port is to say once an hour what it finds."""
        for record in self.journal.records():
            if record.doubted_at:
                return True
        return False

    @property
    def settled(self):
        """True when all that events asked for is done, has failed (`last_error`), or is planned for a later second."""
        return self._scheduler.settled()

    @property
    def issued(self):
        """How many certificates were obtained since the start."""
        return self.outbox.issued

    @property
    def failures(self):
        """How many attempts failed since the start, so that another one was planned."""
        return self.outbox.failures

    @property
    def errors(self):
        """How the last attempt of each lineage since the start ended: its identifiers' text -> an Error, or None."""
        return self.outbox.errors

    @property
    def last_error(self):
        """The last Error, or None. A port sets it to None to see whether the next task has one."""
        return self.outbox.last_error

    @last_error.setter
    def last_error(self, error):
        """Forget it, or put another one in its place."""
        self.outbox.last_error = error


def _slot_size(certificates):
    # Records of about 400 bytes: one for the names, one each for the addresses, and for those they replace.
    identifiers = [one for certificate in certificates for one in certificate.identifiers]
    addresses = sum([1 for one in identifiers if one.family])
    texts = sum([len(one.value) + 1 for one in identifiers])
    return max(limits.JOURNAL, 800 + texts + 400 * (2 * addresses + 1))
