"""What is done with an account or a certificate besides ordering one (RFC 8555 7.3.2, 7.3.5, 7.3.6, 7.5.2, 7.6).

What holds. Each operation is a small machine of its own over one table. It sends one request (deauthorization: one for each
authorization), changes the journal when the CA has done it, and has that written before it is over. Power may go in between:
then the operation is done again, or asked for again, and a refusal that says "this was done before" is a success.

What must never happen: an account's new key that the CA knows and we do not. It is durable, as the pending key, before the CA
hears of it; whether the CA has heard of it is asked at the next start (`states.FIND_ACCOUNT`).

The file is loaded when the first operation is asked for, and a firmware that needs none leaves it out.
"""

from .. import limits, notices, pending_key
from ..acme import account as account_resource
from ..acme import key_change, message, order
from ..action import OPERATION
from ..encoding import base64url, p256, x509
from ..encoding.buffer import put
from ..errors import LocalError
from . import states
from .machine import Machine
from .request import CONTACTS, DEACTIVATION, DEAUTHORIZATION, RECOVERY, ROLLOVER

# RFC 5280 5.3.1, those that a subscriber may give (RFC 8555 7.6 leaves it to the CA).
REASONS = (0, 1, 3, 4, 5)
_DEACTIVATED = b'{"status":"deactivated"}'


class Operation(Machine):
    """What the operations share: no new key, one request, and its success written to the journal."""

    table = states.OPERATION_TABLE
    activity = OPERATION

    def finished(self):
        """FAILED for an operation on the account; success shows by itself."""
        if self.error is not None:
            self.session.outbox.notice(notices.FAILED, "the account", str(self.error))

    def _do_begin(self, now, action):
        return states.NO_NEW_KEY

    def _read_operation(self, now, headers, body):
        return self._succeed()

    def _way_on(self, problem, status):
        if self.state in (states.OPERATION, states.GIVE_BACK):
            if self._was_done(problem.type, status):
                self.session.exchange.problem = None
                self.error = None
                return self._succeed()
            # A request that is signed by a certificate's key names no account, so none is lost.
            if problem.type == "accountDoesNotExist" and self.needs_account:
                return self._lose_account()
        return super()._way_on(problem, status)

    def _was_done(self, kind, status):
        # Whether a refusal says that power went before we could note the success of an earlier time.
        return False

    def _succeed(self):
        # The CA did it: change the journal, which is written next.
        return states.OK

    _do_save_pending_key = _do_save_operation = Machine._save


class Contacts(Operation):
    """Send the contacts of the policy (7.3.2)."""

    def __init__(self, session, role, now, contacts):
        super().__init__(session, None, role, now)
        self._contacts = contacts

    def _do_operation(self, now, action):
        exchange = self.session.exchange
        size = account_resource.write_contacts(exchange.payload, 0, self._contacts)
        exchange.post(action, self.session.account.url(), size)


class Rollover(Operation):
    """Change the account's key (7.3.5)."""

    def _do_begin(self, now, action):
        message.needed(self.session.exchange.directory.key_change, "keyChange")
        pending_key.make(self.session.account, action)

    def _do_operation(self, now, action):
        # The inner JWS is signed by the new key and says which account; the outer one is signed by the old key.
        account, signer = self.session.account, self.session.keyring.signer
        exchange = self.session.exchange
        point = bytearray(p256.POINT)
        signer.public(limits.SPARE, point, 0)
        payload = bytearray(limits.URL + 200)
        size = key_change.write_payload(payload, 0, account.url().encode(), account.point, 0)
        body = bytearray(limits.URL * 3 + 900)
        url = exchange.directory.key_change
        size = key_change.write(body, 0, signer, limits.SPARE, point, url.encode(), payload, size)
        exchange.post_payload(action, url, body, size)

    def _succeed(self):
        pending_key.adopt(self.session.account)
        return states.OK


class Recovery(Operation):
    """Use the account of a key from elsewhere, which is the pending one: the machine's beginning asks the CA for it."""

    def _do_operation(self, now, action):
        return states.OK

    def _way_on(self, problem, status):
        event = super()._way_on(problem, status)
        # Where the key has no account, there is nothing to recover.
        return None if event == states.ACCOUNT_UNKNOWN else event


class Deactivation(Operation):
    """End the account for good (7.3.6)."""

    def __init__(self, session, role, now, lineages):
        super().__init__(session, None, role, now)
        self._lineages = lineages

    def _do_operation(self, now, action):
        exchange = self.session.exchange
        exchange.post(action, self.session.account.url(), put(exchange.payload, 0, _DEACTIVATED))

    def _was_done(self, kind, status):
        return kind == "unauthorized" and status in (401, 403)  # 7.3.6

    def _succeed(self):
        self.session.account.end()
        self._lineages.account_ended()
        return states.OK


class Deauthorization(Operation):
    """Have the CA forget what an order proved (7.5.2): nobody is told of a failure, because nothing hangs on it."""

    def __init__(self, session, role, now, order_url):
        super().__init__(session, None, role, now)
        self._order_url = order_url
        self._index = 0

    def finished(self):
        """Nothing to tell."""

    def _do_operation(self, now, action):
        self._index = 0  # the account may have been lost in between, and all of it begins anew
        self.session.exchange.post(action, self._order_url)

    def _read_operation(self, now, headers, body):
        self._order = order.Order(message.parse(body), self.session.exchange.url)
        return states.ANOTHER_AUTHORIZATION if self._order.authorizations else states.OK

    def _do_give_back(self, now, action):
        exchange = self.session.exchange
        url = self._order.authorizations[self._index]
        exchange.post(action, url, put(exchange.payload, 0, _DEACTIVATED))

    def _read_give_back(self, now, headers, body):
        return self._succeed()

    def _was_done(self, kind, status):
        # The order or the authorization is gone, or in no state to be given back.
        return status in (403, 404) or kind == "accountDoesNotExist"

    def _succeed(self):
        if self.state == states.OPERATION:  # there is no order any more
            return states.OK
        self._index += 1
        return states.ANOTHER_AUTHORIZATION if self._index < len(self._order.authorizations) else states.OK


class Revocation(Operation):
    """Revoke a record's certificate (7.6), signed by the account that ordered it.

    With `by_key` the certificate's own key signs, for whoever lost the account.
    """

    def __init__(self, session, record, now, lineages, planner, by_key=False):
        super().__init__(session, record, record.certificate_role, now)
        self._lineages = lineages
        self._planner = planner
        self._by_key = by_key
        self.needs_account = not by_key

    def finished(self):
        """FAILED or LIMITED; success is told by REVOKED, when it is written down."""
        self.session.outbox.errors[self.record.identifiers_text.text()] = self.error
        if self.error is not None:
            self._tell_failure(self.record.identifiers_text.text())

    def _do_operation(self, now, action):
        record = self.record
        exchange, keyring = self.session.exchange, self.session.keyring
        pem = self.session.storage.read("chain-%d" % record.file_id)
        if pem is None:
            raise LocalError(
                "revoke", "The certificate for %s is not there any more." % record.identifiers_text.text()
            )
        # The leaf alone, read from the file: the chain above it belongs to the CA.
        leaf = bytearray(limits.CERTIFICATE)
        walk = x509.Pem()
        walk.load(pem, 0, len(pem))
        end = walk.next(leaf, 0)
        payload = bytearray(end * 4 // 3 + 64)
        size = put(payload, 0, b'{"certificate":"')
        size = base64url.write_url(payload, size, leaf, 0, end)
        size = put(payload, size, b'","reason":%d}' % (record.revocation_reason or 0))
        slot = limits.ACCOUNT
        if self._by_key:
            slot = limits.SUBJECT
            keyring.load(slot, "key-%d" % record.file_id)
            # No account is named: whoever holds the certificate's key may revoke it (7.6).
            point = bytearray(p256.POINT)
            keyring.signer.public(slot, point, 0)
            exchange.jws.set_jwk(point)
        url = message.needed(exchange.directory.revoke, "revokeCert")
        exchange.post_payload(action, url, payload, size, slot)

    def _was_done(self, kind, status):
        return kind == "alreadyRevoked"

    def _succeed(self):
        self._lineages.revoked(self.record, self._now)
        for record in self.session.storage.journal.records():
            if (
                record.revocation_reason is not None
            ):  # two revocations of one home are kept apart (docs/privacy.md#p14)
                self._planner.revocation(record, self._now)
        self.session.outbox.notice(notices.REVOKED, self.record.identifiers_text.text())
        return states.OK

    def _do_failed(self, now, action):
        self._lineages.attempt_failed(self.record, now, self.failure)
        self._planner.retry(self.record, now, self.failure, self._pause)
        self.session.outbox.failures += 1
        return states.OK


def machine(request, session, now, lineages, planner, policy):
    """The machine that carries out a `request.Request`."""
    kind, role = request.kind, request.role
    if kind == CONTACTS:
        return Contacts(session, role, now, policy.contacts)
    if kind == ROLLOVER:
        return Rollover(session, None, role, now)
    if kind == DEACTIVATION:
        return Deactivation(session, role, now, lineages)
    if kind == RECOVERY:
        return Recovery(session, None, role, now)
    if kind == DEAUTHORIZATION:
        return Deauthorization(session, role, now, request.order_url)
    return Revocation(session, request.record, now, lineages, planner, request.by_key)
