"""One issuance, from the directory to a committed chain, or one question about the renewal window (ARI, RFC 9773).

Each step of the table in `states` has one method, which either fills the action and waits for its answer, or answers
itself with an event. What an answer amounts to is an event too. The table decides the rest.
"""

from .. import keys, limits, notices, plan
from ..acme import account, authorization, certificate, challenge, directory, exchange, message, order
from ..encoding import csr, x509
from ..encoding.buffer import put
from ..errors import Error, LocalError, RemoteError
from . import renewal_information
from .states import (
    ACCOUNT,
    AGAIN,
    ALTERNATE,
    ANSWER,
    ASK,
    AUTHORIZATION,
    BROKEN,
    CHAIN,
    CHALLENGE_POLL,
    DEPLOY,
    DIRECTORY,
    DO,
    FINALIZE,
    GONE,
    IDLE,
    INVALID,
    LIMITED,
    MORE,
    NEW_ORDER,
    NO_ACCOUNT,
    NO_REPLACES,
    NONE,
    NOT_READY,
    OK,
    OPERATION,
    ORDER_POLL,
    OURS,
    PENDING,
    REFUSED,
    VALID,
    follow,
)

# Purposes; the others are operations.
ISSUE = 0
ASK_WINDOW = 1
REVOKE = 2
DEAUTHORIZE = 7


def _operations():
    # Loaded when the first one is asked for.
    from . import operations

    return operations


class Issuance:
    """The order in flight, one at a time. `dev` is the `device.Device` that owns the buffers and the journal.

    step      where it stands, an index into STEPS; IDLE: none in flight
    purpose   ISSUE, ASK_WINDOW or one of `operations`'s
    error     the Error that ended the last one, or None where it succeeded
    """

    def __init__(self, dev):
        self._dev = dev
        self.step = IDLE
        self.record = None
        self.error = None

    def start(self, now, record, purpose=ISSUE, role=0, what=None):
        """Begin for a lineage; its plan is durable already. `purpose`: ISSUE, ASK_WINDOW, or one of `operations`'s, some
        of which have no lineage but a `role` of the account. `what`: for a revocation, True to sign it with the
        certificate's key; for giving authorizations back, the URL of their order."""
        self.record = record
        self.purpose = purpose
        self._what = what
        if purpose == ISSUE:
            role = self._dev.accounts.role(record)
        elif record is not None:
            role = record.certificate_role
        self._role = role
        self._probing = False
        self.step = DIRECTORY
        self.started = now
        self.error = None
        self._kind = plan.TRANSPORT
        self._order = self._auth = self._published = self._pem = None
        self._loaded = False  # the order's key is in its slot
        self._resumed = False  # the order is of an earlier attempt
        self._status = order.PENDING
        self._lost = False  # an earlier attempt answered the challenge, so the CA may have looked when nothing was there
        self._at = 0  # index of the authorization
        self._polls = 0
        self._finalized = False
        self._replays = 0
        self._pause = 0
        self._replaces = True
        self._until = 0
        self._dev.exchange.forget()

    def next(self, now, it):
        """Fill the action; False when the issuance is over."""
        while self.step != IDLE:
            try:
                event = self._DO[self.step](self, now, it)
            except Error as e:
                event = self._fault(e)
            if event is None:
                return True
            self.step = follow(self.step, event)
        self._order = self._auth = self._pem = self._fields = None  # most of what an idle device would hold
        return False

    def answer(self, event):
        """The outside did what the action asked (OK), or could not (BROKEN)."""
        self.step = follow(self.step, event)

    def limited(self):
        """True when the last one ended because the CA limits our rate."""
        return self._kind == plan.LIMITED

    def fault(self, error):
        """The outside could not do what the action asked."""
        self.step = follow(self.step, self._fault(error))

    def response(self, now, status, headers, body):
        """The CA's answer to a SEND."""
        try:
            event = self._read(now, status, headers, body)
        except Error as e:
            event = self._fault(e)
        self.step = follow(self.step, event)

    def _fault(self, error):
        if self.step == ALTERNATE and isinstance(error, RemoteError):
            return self._pass_over()
        if self.step != DEPLOY:
            self.error = error
        self._dev.last_error = error
        if isinstance(error, RemoteError):
            self._kind = plan.TRANSPORT
            return BROKEN
        self._kind = plan.REFUSED
        return OURS

    # One method for each step: None when the action is filled, else the event.

    def _directory(self, now, it):
        dev = self._dev
        if dev.directory is not None and 0 <= now - dev.directory_at < limits.DIRECTORY_TIME:
            return NONE
        dev.exchange.get(it, dev.directory_url)

    def _purpose(self, now, it):
        if self.purpose == ASK_WINDOW:
            return MORE
        return DO if self.purpose == REVOKE and self._what else OK

    def _ask(self, now, it):
        base = self._dev.directory.renewal_info
        if not base or not self.record.ari_id.size:
            self.record.ask_window_at = 0
            return NONE
        self._dev.exchange.get(it, renewal_information.url(base, self.record.ari_id.text()))

    def _operation_key(self, now, it):
        if self.purpose != _operations().ROLLOVER:
            return NONE
        _operations().make_key(self._dev, it)

    def _operation(self, now, it):
        if self.purpose == _operations().RECOVER:
            return OK
        if self.purpose != DEAUTHORIZE:
            _operations().send(self._dev, it, self.purpose, self.record, self._what)
        elif self._order is None:
            self._post(it, self._what)
        else:
            _operations().give_back(self._dev, it, self._order.authorizations[self._at])

    def _save_directory(self, now, it):
        it.write("directory", self._dev.directory_body, len(self._dev.directory_body))
        self._dev.directory_body = None

    def _account_key(self, now, it):
        accounts = self._dev.accounts
        accounts.use(self._role)
        if accounts.load():
            return NONE
        accounts.make(it)

    def _account(self, now, it):
        dev = self._dev
        accounts = dev.accounts
        if dev.journal.pending_account_file_id:
            # A rollover was cut short: does the CA know the new key?
            if not self._probing:
                self._probing = True
                accounts.load_pending()
            accounts.find(it)
            return None
        if dev.journal.account_url.size:
            dev.exchange.jws.set_kid(dev.journal.account_url.get())
            return OK
        accounts.register(it)

    def _resume(self, now, it):
        dev, r = self._dev, self.record
        if self.purpose != ISSUE:
            return DO
        ids = dev.identifiers_of(r)
        ip = dev.is_ip(r)
        self._challenge = dev.policy.challenge_ip if ip else dev.policy.challenge_name
        challenge.check(self._challenge, ids)
        wanted = dev.policy.profile_ip if ip else dev.policy.profile_name
        before = r.profile.text()
        self._profile = directory.choose_profile(dev.directory.profiles, ip, wanted, before)
        if before and before != self._profile:
            dev.notice(notices.PROFILE, r.identifiers_text.text())
        if r.order_url.size and r.order_role == self._role and 0 <= now - r.ordered_at < limits.ORDER_TIME:
            self._resumed = True
            return MORE
        return NONE

    def _new_order(self, now, it):
        dev, r = self._dev, self.record
        self._discard_key()
        replaces = b""
        if (
            self._replaces
            and r.file_id
            and r.ari_id.size
            and dev.directory.renewal_info
            and r.certificate_role == self._role
        ):
            replaces = r.ari_id.get()
        self._replaced = replaces != b""
        n = order.write_new(dev.work, 0, dev.identifiers_of(r), self._profile.encode(), replaces)
        self._post(it, dev.directory.new_order, n)

    def _save(self, now, it):
        self._dev.write_journal(now, it)

    def _route(self, now, it):
        if self._status == order.PENDING:
            self._at = 0
        return self._status

    def _authorization(self, now, it):
        self._post(it, self._order.authorizations[self._at])

    def _publish(self, now, it):
        dev, auth = self._dev, self._auth
        who = challenge.identifier_of(dev.identifiers_of(self.record), auth)
        challenge.publish(dev, it, self._challenge, who, auth)
        self._published = (it.challenge, it.subject, it.name, it.token, it.text)

    def _answer(self, now, it):
        if not self._finalized:
            self._polls = 0
        self._lost = self._auth.answered
        if self._lost:
            return OK
        self._post(it, self._auth.url, put(self._dev.work, 0, b"{}"))

    def _wait(self, now, it):
        if not self._until:
            self._polls += 1
            if self._polls > limits.POLLS or now - self.started > limits.ORDER_TIME:
                raise RemoteError("slow", "The CA has not decided after %d polls." % (self._polls - 1))
            # What the CA asks for, else a pause that grows from a second to half a minute.
            pause = self._pause or min(limits.POLL_FIRST << min(self._polls // 4, 5), limits.POLL_MAX)
            self._until = now + pause
        if now >= self._until:
            self._until = 0
            return OK
        it.wait(self._until, True)

    def _withdraw(self, now, it):
        published = self._published
        if published is None:
            return OK
        self._published = None
        it.withdraw(published)

    def _next_authorization(self, now, it):
        if self.record.ordered_at == 0:  # the CA's verdict was about the time between two attempts
            return GONE
        self._at += 1
        if self._at < len(self._order.authorizations):
            return MORE
        return NONE

    def _key(self, now, it):
        dev, r = self._dev, self.record
        if r.pending_file_id:
            # Made for this very order before a restart, and durable: its hash is in the journal.
            self._load_key()
            return NONE
        dev.port.signer.generate(limits.SUBJECT)
        self._loaded = True
        found = keys.check_new(dev.port.signer, limits.SUBJECT, dev.journal)
        r.pending_key_hash[:] = found[: limits.HASH]
        r.pending_file_id = dev.new_generation()
        dev.write_key(limits.SUBJECT, "key-%d" % r.pending_file_id, it)

    def _finalize(self, now, it):
        dev = self._dev
        n = csr.write(dev.scratch, 0, dev.port.signer, limits.SUBJECT, dev.identifiers_of(self.record))
        n = order.write_finalize(dev.work, 0, dev.scratch, n)
        if not self._finalized:
            # Counted from the first time: an order that is never ready would be finalized for ever.
            self._finalized = True
            self._polls = 0
        self._post(it, self._order.finalize, n)

    def _order_poll(self, now, it):
        self._post(it, self.record.order_url.text())

    def _chain(self, now, it):
        if not self.record.pending_file_id:
            # Valid, but the key was lost with the power: the certificate is of no use.
            self.record.ordered_at = 0
            self._replay()
            return GONE
        self._load_key()
        self._pem = None
        self._get_chain(it, self._order.certificate)

    def _alternate(self, now, it):
        self._get_chain(it, self._others[0])

    def _get_chain(self, it, url):
        self._post(it, url, 0, "application/pem-certificate-chain")

    def _save_chain(self, now, it):
        it.write("chain-%d" % self.record.pending_file_id, self._pem, len(self._pem))

    def _commit(self, now, it):
        dev, r = self._dev, self.record
        f = self._fields
        if r.file_id:
            dev.journal.ring.add(r.key_hash, 0)
            dev.garbage.append("key-%d" % r.file_id)
            dev.garbage.append("chain-%d" % r.file_id)
        r.file_id = r.pending_file_id
        r.key_hash[:] = r.pending_key_hash
        dev.port.sha256(self._pem, 0, len(self._pem), dev.scratch, 0)
        r.chain_hash[:] = dev.scratch[: limits.HASH]
        r.not_before = f.not_before
        r.not_after = f.not_after
        r.ari_id.set(self._ari)
        r.certificate_role = r.order_role = self._role
        r.profile.set(self._profile.encode())
        r.pending_file_id = r.failures = r.failed_at = r.ari_window_end = 0
        r.pending_key_hash[:] = bytes(limits.HASH)
        r.ordered_at = 0
        dev.plan_renewal(r, now)
        dev.plan_poll(r, now, 0)
        dev.issued += 1
        dev.write_journal(now, it)

    def _deploy(self, now, it):
        self._dev.deploy(self.record, it, self._pem)

    def _failed(self, now, it):
        dev, r = self._dev, self.record
        self._pem = None
        if self.purpose == ASK_WINDOW:
            dev.plan_poll(r, now, self._pause)
            return OK
        if r is None:
            return OK
        r.failures = min(r.failures + 1, 1000)
        if r.failures == 1:
            r.failed_at = now
        if self._kind != plan.TRANSPORT:
            self._discard_key()
            r.ordered_at = 0
        dev.plan_retry(r, now, self._kind, self._pause)
        return OK

    # Readers of answers.

    def _read(self, now, status, headers, body):
        dev = self._dev
        step = self.step
        found = dev.exchange.take(now, status, headers, body)
        self._pause = dev.exchange.pause
        if found == exchange.AGAIN:
            return AGAIN
        if found != exchange.OK:
            return self._refused(found, status)
        if step in (CHAIN, ALTERNATE):
            return self._read_chain(now, headers, body)
        if step == OPERATION:
            return self._finish_operation(body)
        obj = message.parse(body)
        if step == DIRECTORY:
            dev.take_directory(directory.Directory(obj), body, now)
            return OK
        if step == ASK:
            dev.take_window(self.record, renewal_information.RenewalInfo(obj), now, self._pause)
            return OK
        if step == ACCOUNT:
            url = account.read(obj, headers.get("location"))
            dev.journal.account_url.set(url.encode())
            dev.exchange.jws.set_kid(url.encode())
            if not self._probing:
                return OK
            self._probing = False
            dev.accounts.adopt()
            return MORE
        if step in (AUTHORIZATION, CHALLENGE_POLL):
            return self._read_authorization(obj)
        if step == ANSWER:
            return OK
        r = self.record
        self._order = order.Order(obj)
        if step == NEW_ORDER:
            r.order_url.set(message.url(headers.get("location"), "Location").encode())
            r.ordered_at = now
            r.order_role = self._role
            self._resumed = False
        else:
            self._order.follows(self._status)
        self._status = self._order.status
        if self._status == order.INVALID:
            if self._resumed:
                # Lost while we were away: the CA looked when nothing was published. A new one, not a failure.
                r.ordered_at = 0
                self._replay()
                return GONE
            return self._invalid(self._order.problem)
        return OK if step == NEW_ORDER else self._status

    def _read_authorization(self, obj):
        auth = self._auth = authorization.Authorization(obj, self._challenge)
        if auth.status == authorization.PENDING:
            if auth.url is None:
                raise LocalError(
                    "no-challenge",
                    "The CA offers no usable %s challenge; choose another one." % self._challenge,
                )
            return PENDING
        if auth.status == authorization.VALID:
            return VALID
        if self._lost or self._resumed:
            # Answered by an earlier attempt, perhaps, and never heard of: a new order, not a failure.
            self.record.ordered_at = 0
            self._replay()
            return GONE
        return self._invalid(auth.problem)

    def _read_chain(self, now, headers, body):
        dev = self._dev
        fields = x509.Fields()
        ari, issuer = certificate.check(
            body, fields, dev.port.signer, limits.SUBJECT, dev.identifiers_of(self.record), now
        )
        wanted = dev.policy.preferred_chain
        if self._pem is None:
            self._others = certificate.alternates(headers) if wanted else []
        else:
            self._others.pop(0)
        if self._pem is None or certificate.better(wanted, issuer, len(body), self._issuer, len(self._pem)):
            self._pem, self._issuer, self._ari, self._fields = body, issuer, ari, fields
        return MORE if self._others else OK

    def _pass_over(self):
        # A chain is at hand already: another one that cannot be had is no reason to fail.
        self._others.pop(0)
        return MORE if self._others else OK

    def _invalid(self, problem):
        self._kind = plan.VALIDATION
        self.error = RemoteError(
            "not-valid",
            "The CA could not validate %s: %s" % (self.record.identifiers_text.text(), problem or "no reason given"),
        )
        self._dev.last_error = self.error
        return INVALID

    def _refused(self, found, status):
        if self.step == ALTERNATE:
            return self._pass_over()
        problem = self._dev.exchange.problem
        if found in (exchange.REFUSED, exchange.BUSY):
            event = self._way_round(problem, status)
            if event is not None:
                return event
        self.error = self._dev.last_error = RemoteError(
            problem.type or "refused", "The CA refused: %s" % problem
        )
        if found == exchange.LIMITED:
            self._kind = plan.LIMITED
            return LIMITED
        if found == exchange.BUSY:
            self._kind = plan.TRANSPORT
            return BROKEN
        self._kind = plan.REFUSED
        return REFUSED

    def _way_round(self, problem, status):
        # The event of a refusal that we can go on after, or None.
        step = self.step
        if step == ACCOUNT and self._probing and problem.type == "accountDoesNotExist":
            self._probing = False
            self._dev.accounts.drop_pending()
            return None if self.purpose == _operations().RECOVER else MORE
        if step == OPERATION:
            if _operations().is_done(self.purpose, problem.type, status):
                return self._finish_operation(None)
        if problem.type == "accountDoesNotExist" and step in (NEW_ORDER, ORDER_POLL, OPERATION):
            self._replay()
            self._dev.accounts.lose()
            return NO_ACCOUNT
        if (
            step == NEW_ORDER
            and self._replaced
            and (status in (400, 403, 404, 409) or problem.type == "serverInternal")
        ):
            # A wrong `replaces` is refused in several ways; without it the order is an ordinary one.
            self._replaces = False
            return NO_REPLACES
        if step == ORDER_POLL and status in (403, 404):
            self.record.order_url.set(b"")
            self._replay()
            return GONE
        if step == FINALIZE and problem.type == "orderNotReady":
            return NOT_READY
        if step == ANSWER and problem.type == "malformed" and self._resumed:
            # An earlier attempt's answer to it was lost, and it is decided or about to be: the poll says.
            return OK
        return None

    def _finish_operation(self, body):
        # `body` is None for a refusal that means the same.
        self._dev.exchange.problem = None
        self.error = None
        if self.purpose == DEAUTHORIZE and (body or self._order):
            if self._order is None:
                self._order = order.Order(message.parse(body))
            else:
                self._at += 1
            if self._at < len(self._order.authorizations):
                return AGAIN
        _operations().finish(self._dev, self.purpose, self.record)
        return OK

    def _replay(self):
        self._replays += 1
        if self._replays > limits.REPLAYS:
            raise RemoteError("restarts", "The CA sent us back to the beginning %d times." % limits.REPLAYS)

    def _discard_key(self):
        # A key made for an order that came to nothing is never used for another one.
        r = self.record
        if r.pending_file_id:
            self._dev.journal.ring.add(r.pending_key_hash, 0)
            self._dev.garbage.append("key-%d" % r.pending_file_id)
            r.pending_file_id = 0
            r.pending_key_hash[:] = bytes(limits.HASH)
            self._loaded = False

    def _load_key(self):
        if not self._loaded:
            self._dev.load_key(limits.SUBJECT, "key-%d" % self.record.pending_file_id)
            self._loaded = True

    def _post(self, it, url, n=0, accept=""):
        # The first `n` bytes of the work buffer; none: POST-as-GET.
        dev = self._dev
        dev.exchange.post(it, dev.directory, url, dev.work, n, accept)

    # The method of each step, in the order of STEPS.
    _DO = (
        None, _directory, _account, _resume, _new_order, _save,
        _route, _authorization, _publish, _answer, _wait,
        _authorization, _withdraw, _next_authorization, _key, _save,
        _finalize, _wait, _order_poll, _chain, _save_chain,
        _commit, _deploy, _withdraw, _failed, _save,
        _save_directory, _account_key, _save, _purpose, _ask,
        _save, _operation_key, _save, _operation, _save,
        _alternate,
    )  # fmt: skip
