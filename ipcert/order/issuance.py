"""One issuance: from the order to a committed chain that is handed to what serves it (RFC 8555 7.4).

What holds. The record in the journal says how far we are, and it is written before the next request relies on it. So an
attempt that is cut short, by the line or by the power, is resumed: the order goes on where it stood, with the key that was
made for it. An order that came to nothing is a different matter: its key is never used again, and the next attempt makes
another one.

The order's authorizations are proved one after the other, each with the challenge of the certificate's configuration:
published, answered, polled, withdrawn. Then a new key is made, its request is sent, and the chain that comes back is checked
against what was ordered (`acme.certificate`) before it replaces the one in service. What replaces what is one write of the
journal, in COMMIT; a power cut leaves the old certificate or the new one.

What must never happen: a key in two orders; a chain in service that was not ordered like this; a challenge that stays
published behind a failure; an answer to a challenge whose publication was not confirmed.
"""

from .. import features, limits, notices, plan, presence
from ..acme import authorization, certificate, challenge, directory, message, order
from ..action import ISSUANCE
from ..encoding import csr
from ..encoding.buffer import put
from ..errors import LocalError, RemoteError
from . import states
from .machine import Machine

# What a CA says of a validation that did not find us (RFC 8555 6.7, 8.3). Its own trouble and its refusals say nothing of the sort.
_NOT_REACHED = ("connection", "unauthorized", "incorrectResponse", "tls", "dns")


class Issuance(Machine):
    """Obtain a certificate for a record's lineage.

    `lineages` (`lineage.Lineages`), `planner` (`planner.Planner`), `policy`, and `publisher` (`acme.challenge.Publisher`) are
    the device's. `record.certificate` says what is wanted.
    """

    table = states.ISSUANCE_TABLE
    activity = ISSUANCE

    def __init__(self, session, record, now, lineages, planner, policy, publisher):
        super().__init__(session, record, session.account.role_of(record.certificate), now)
        self._lineages = lineages
        self._planner = planner
        self._policy = policy
        self._publisher = publisher
        self._origin = states.THIS_ATTEMPT  # of the order; see `states`
        self._status = order.PENDING
        self._publication = None  # what answers the challenge and is still to be withdrawn
        self._index = 0  # of the authorization
        self._order = None  # what is known of it
        self._challenge_polls = self._order_polls = 0
        self._waiting_since = 0  # the second at which the wait for the CA's decision began
        self._profile = ""
        self._not_reached = False  # the CA looked for us at the identifier and did not find us
        self._alternates = []  # URLs of chains that are not read yet
        # A key that an earlier attempt left in the slot may have lost its file since: it is read again.
        session.keyring.forget(limits.SUBJECT)

    def finished(self):
        """ISSUED, FAILED or LIMITED."""
        text = self.record.identifiers_text.text()
        self.session.outbox.errors[text] = self.error
        if self.error is None:
            self.session.outbox.notice(notices.ISSUED, text)
        else:
            self._tell_failure(text)

    def _follow(self, event):
        origin = states.find(states.ORIGIN_TABLE, self._origin, event)
        if origin >= 0:
            self._origin = origin
        super()._follow(event)

    def _event_of(self, error):
        if self.state == states.ALTERNATE and isinstance(error, RemoteError):
            return self._next_chain()
        before = self.error
        event = super()._event_of(error)
        if self.state == states.DEPLOY:
            self.error = before  # the certificate is there; deploying is tried again
        return event

    def _way_on(self, problem, status):
        state = self.state
        if state == states.ALTERNATE:
            return self._next_chain()
        if state in (states.NEW_ORDER, states.REPLACEMENT_ORDER, states.ORDER_POLL):
            if problem.type == "accountDoesNotExist":
                return self._lose_account()
        if state == states.NEW_ORDER and problem.type == "malformed":
            # So CAs call a request that names an account's URL which is not theirs.
            self.session.account.ask_again()
        if state == states.REPLACEMENT_ORDER:
            # A wrong `replaces` is refused in several ways; without it the order is an ordinary one.
            if status in (400, 403, 404, 409) or problem.type == "serverInternal":
                return states.REPLACES_REFUSED
        if state == states.ORDER_POLL and status in (403, 404):
            self.record.order_url.set(b"")
            self._restart()
            return states.ORDER_GONE
        if state == states.FINALIZE and problem.type == "orderNotReady":
            return states.NOT_READY
        if state == states.ANSWER and problem.type == "malformed" and self._origin == states.EARLIER:
            # An earlier attempt's answer to it was lost, and it is decided or about to be: the poll says.
            return states.ALREADY_ANSWERED
        return super()._way_on(problem, status)

    # The order.

    def _do_begin(self, now, action):
        # What is asked for: the challenge fits the identifiers, and the CA has a profile that fits the certificate.
        wanted = self.record.certificate
        challenge.check(wanted.challenge, wanted.identifiers)
        profiles = self.session.exchange.directory.profiles
        by_policy = self._policy.profile_ip if wanted.has_address else self._policy.profile_name
        before = self.record.profile.text()
        self._profile = directory.choose_profile(profiles, wanted.has_address, by_policy, before)
        if before and before != self._profile:
            self.session.outbox.notice(notices.PROFILE, self.record.identifiers_text.text())
        return states.OK

    def _do_choose_order(self, now, action):
        record = self.record
        age = now - record.ordered_at
        if record.order_url.size and record.order_role == self.role and 0 <= age < limits.ORDER_TIME:
            return states.ORDER_RESUMABLE
        self._lineages.discard_pending_key(record)
        # Only the account that ordered a certificate may say that another one replaces it (RFC 9773 5).
        known = record.file_id and record.ari_id.size and record.certificate_role == self.role
        if known and self.session.exchange.directory.renewal_info:
            return states.REPLACEMENT
        return states.NO_ORDER

    def _do_replacement_order(self, now, action):
        self._request_order(action, self.record.ari_id.get())

    def _do_new_order(self, now, action):
        self._request_order(action, b"")

    def _request_order(self, action, replaces):
        exchange = self.session.exchange
        identifiers = self.record.certificate.identifiers
        size = order.write_new(exchange.payload, 0, identifiers, self._profile.encode(), replaces)
        exchange.post(action, exchange.directory.new_order, size)

    def _read_new_order(self, now, headers, body):
        url = self.session.exchange.url
        self._order = order.Order(message.parse(body), url)
        record = self.record
        record.order_url.set(message.url(headers.get("location"), "Location", url).encode())
        record.ordered_at = now
        record.order_role = self.role
        self._status = self._order.status
        if self._status == order.INVALID:
            return self._invalid(self._order.problem)
        return states.OK

    _read_replacement_order = _read_new_order
    _do_save_order = Machine._save

    def _do_order_status(self, now, action):
        if self._status == order.PENDING:
            self._index = 0
            message.needed(self._order.authorizations, "authorizations")
        return self._status

    def _do_order_poll(self, now, action):
        self.session.exchange.post(action, self.record.order_url.text())

    def _do_order_wait(self, now, action):
        if self._resume_at:
            return states.OK
        self._order_polls += 1
        return self._begin_pause(now, self._order_polls)

    def _read_order(self, now, headers, body):
        if not body:
            return states.PROCESSING  # it says nothing; the next one does
        self._order = order.Order(message.parse(body), self.session.exchange.url, self._order)
        # A CA of several machines may answer from one that is behind.
        if not order.may_move(self._status, self._order.status):
            self._restart()
        self._status = self._order.status
        if self._status == order.INVALID:
            if self._origin == states.EARLIER:
                return self._give_up_order()
            return self._invalid(self._order.problem)
        return self._status

    _read_order_poll = _read_finalize = _read_order

    def _give_up_order(self):
        self.record.ordered_at = 0
        self._restart()
        return states.ORDER_GONE

    def _invalid(self, problem):
        self.failure = plan.VALIDATION
        self._not_reached = problem is not None and problem.type in _NOT_REACHED
        self.error = self.session.outbox.last_error = RemoteError(
            "not-valid",
            "The CA could not validate %s: %s"
            % (self.record.identifiers_text.text(), problem or "no reason given"),
        )
        return states.INVALID

    # Its authorizations.

    def _do_authorization(self, now, action):
        self.session.exchange.post(action, self._order.authorizations[self._index])

    _do_challenge_poll = _do_answered_poll = _do_authorization

    def _read_authorization(self, now, headers, body):
        kind = self.record.certificate.challenge
        if not body:
            body = b"{}"  # pending, as far as is known
        found = authorization.Authorization(message.parse(body), kind, self.session.exchange.url)
        if found.status == authorization.PENDING:
            if self.state != states.AUTHORIZATION:
                return states.PENDING
            self._authorization = found
            if found.url is None:
                message.needed(found.listed, "challenges")
                raise LocalError(
                    "no-challenge", "The CA offers no usable %s challenge; choose another one." % kind
                )
            return states.PENDING
        if found.status == authorization.VALID:
            return states.VALID
        if self.state == states.ANSWERED_POLL or self._origin == states.EARLIER:
            # An earlier attempt answered it, perhaps, and the CA looked when nothing was published.
            return self._give_up_order()
        return self._invalid(found.problem)

    _read_challenge_poll = _read_answered_poll = _read_authorization

    def _do_publish(self, now, action):
        about = challenge.identifier_of(self.record.certificate.identifiers, self._authorization)
        kind = self.record.certificate.challenge
        challenge.publish(self._publisher, action, kind, about, self._authorization)
        self._publication = action.publication

    def _do_answer(self, now, action):
        # Answering a second time would be refused, and the CA is at it anyway.
        self._challenge_polls = 0
        if self._authorization.answered:
            return states.ALREADY_ANSWERED
        exchange = self.session.exchange
        exchange.post(action, self._authorization.url, put(exchange.payload, 0, b"{}"))

    def _read_answer(self, now, headers, body):
        return states.OK  # whatever it says: the polls say what counts

    def _do_challenge_wait(self, now, action):
        if self._resume_at:
            return states.OK
        self._challenge_polls += 1
        return self._begin_pause(now, self._challenge_polls)

    _do_answered_wait = _do_challenge_wait

    def _begin_pause(self, now, polls):
        if polls == 1:
            self._waiting_since = now
        if polls > limits.POLLS or now - self._waiting_since > limits.ATTEMPT:
            raise RemoteError(
                "undecided", "It has not decided yet; the order is kept and taken up again later."
            )
        # What the CA asks for, as far as nothing else has to wait for that; else from a second to half a minute.
        pause = self._pause or min(limits.POLL_FIRST << min(polls // 4, 5), limits.POLL_MAX)
        self._resume_at = now + min(pause, limits.PAUSE)
        return states.AGAIN

    def _do_withdraw(self, now, action):
        publication = self._publication
        if publication is None:
            return states.OK
        self._publication = None
        action.withdraw(publication)

    _do_clean = _do_withdraw

    def _do_next_authorization(self, now, action):
        if self.record.ordered_at == 0:  # the CA's verdict was about the time between two attempts
            return states.ORDER_GONE
        self._index += 1
        if self._index < len(self._order.authorizations):
            return states.ANOTHER_AUTHORIZATION
        return states.ALL_AUTHORIZED

    # The key and the request.

    def _do_subject_key(self, now, action):
        record = self.record
        if record.pending_file_id:
            # Made for this very order before a restart, and durable: its hash is in the journal.
            self._load_key()
            return states.KEY_EXISTS
        found = self.session.keyring.make(limits.SUBJECT)
        record.pending_key_hash[:] = found
        record.pending_file_id = self.session.storage.new_file_id()
        self.session.keyring.write(action, limits.SUBJECT, "key-%d" % record.pending_file_id)

    _do_save_key = Machine._save

    def _load_key(self):
        self.session.keyring.load(limits.SUBJECT, "key-%d" % self.record.pending_file_id)

    def _do_finalize(self, now, action):
        exchange = self.session.exchange
        identifiers = self.record.certificate.identifiers
        # Signed anew at each try: the request is not kept, the key is.
        size = csr.write(exchange.scratch, 0, self.session.keyring.signer, limits.SUBJECT, identifiers)
        size = order.write_finalize(exchange.payload, 0, exchange.scratch, size)
        exchange.post(action, message.needed(self._order.finalize, "finalize"), size)

    # The chain.

    def _do_chain(self, now, action):
        if not self.record.pending_file_id:
            # Valid, but the key was lost with the power: the certificate is of no use.
            return self._give_up_order()
        self._load_key()
        self._get_chain(action, self._order.certificate)

    def _do_alternate(self, now, action):
        self._get_chain(action, self._alternates[0])

    def _get_chain(self, action, url):
        self.session.exchange.post(action, url, 0, "application/pem-certificate-chain")

    def _read_chain(self, now, headers, body):
        wanted = self._policy.preferred_chain
        found = certificate.Chain(
            body, self.session.keyring.signer, limits.SUBJECT, self.record.certificate.identifiers, now
        )
        if self.state == states.CHAIN:
            self._alternates = []
            if wanted:
                self._alternates = features.part("alternates").alternates(headers, self.session.exchange.url)
            self._chain = found
            return states.ANOTHER_CHAIN if self._alternates else states.OK
        best = self._chain
        better = features.part("alternates").better
        if better(wanted, found.issuer, len(found.pem), best.issuer, len(best.pem)):
            self._chain = found
        return self._next_chain()

    _read_alternate = _read_chain

    def _next_chain(self):
        # A chain is at hand already: another one that cannot be had is no reason to fail.
        self._alternates.pop(0)
        return states.ANOTHER_CHAIN if self._alternates else states.OK

    def _do_save_chain(self, now, action):
        pem = self._chain.pem
        wanted = self._policy.preferred_chain
        if wanted not in ("", "smallest"):
            if not features.part("alternates").is_under(wanted, self._chain.issuer):
                self.session.outbox.notice(notices.CHAIN, self.record.identifiers_text.text(), wanted)
        action.write("chain-%d" % self.record.pending_file_id, pem, len(pem))

    def _do_commit(self, now, action):
        self._lineages.commit(self.record, self._chain, self.role, self._profile)
        presence.proved(self.record, now)
        # The plan is in the same write as the certificate: there is none without the other.
        self._planner.renewal(self.record, now)
        self._planner.poll(self.record, now, 0)
        self.session.outbox.issued += 1
        self.session.storage.write_journal(action)

    def _do_deploy(self, now, action):
        self._lineages.deploy(action, self.record, self._chain.pem)

    def _do_failed(self, now, action):
        self._chain = None  # up to 16 KB that the journal's encoder may need
        if self._not_reached:
            presence.not_valid(self.record)
        self._lineages.attempt_failed(self.record, now, self.failure)
        # The CA's word for when it has decided is often a day, and the certificate there in a minute.
        pause = min(self._pause, limits.HOUR) if self.failure == plan.SLOW else self._pause
        self._planner.retry(self.record, now, self.failure, pause)
        self.session.outbox.failures += 1
        return states.OK
