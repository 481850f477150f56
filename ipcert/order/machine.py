"""What the machines share: how a table is run, and the beginning of each, directory and account (RFC 8555 7.1.1, 7.3).

The action of a state is the method `_do_` with the state's name. It either fills the device's Action and returns None,
or returns the event that it decided on. What comes back from the CA is read by the method `_read_` with the state's name,
which returns an event too. `states` says where each event leads; nothing else changes `state`.

Every Error that comes out of an action or a reader becomes the event REMOTE_ERROR or LOCAL_ERROR here, so no machine has to
catch one: garbage from outside ends an attempt, never the program.

A CA that is busy for some seconds is waited for, and asked again, in the same state; a few times, because what else is due must
not wait for a CA that is always busy.
"""

from .. import features, limits, notices, plan
from ..acme import exchange, message
from ..acme.account import read as read_account
from ..acme.directory import Directory
from ..errors import Error, RemoteError
from . import states


class Session:
    """What every machine needs to talk to the CA: its parts are the device's, and live as long.

    exchange (`acme.exchange.Exchange`), account (`account.Account`), storage (`storage.Storage`), keyring (`keys.Keyring`),
    outbox (`notices.Outbox`)
    """

    def __init__(self, exchange, account, storage, keyring, outbox):
        self.exchange = exchange
        self.account = account
        self.storage = storage
        self.keyring = keyring
        self.outbox = outbox


class Machine:
    """One task with the CA, from its start to IDLE. Made for the task, and thrown away behind it.

    activity  what the task is, one of `action`'s; state: where it stands, an index into `states.STATES`
    record    the lineage that it is about (`journal.Record`), or None for the account itself
    role      of the account that signs (`account.Account.role_of`)
    error     the Error that ended it, or None; failure: its kind, `plan.TRANSPORT` to `plan.SLOW`
    """

    table = b""
    activity = 0
    needs_account = True

    def __init__(self, session, record, role, now):
        self.session = session
        self.record = record
        self.role = role
        self.state = states.DIRECTORY
        self.error = None
        self.failure = plan.TRANSPORT
        self._started = self._now = now
        self._pause = 0  # what the CA asked for with its last answer, seconds
        self._resume_at = 0  # the second at which the state's action is due; 0: at once
        self._restarts = self._delays = 0
        session.exchange.forget_nonce()  # the last task may be days ago, and nonces do not last

    def next(self, now, action):
        """Fill the action; False when the task is over."""
        self._now = now
        while self.state != states.IDLE:
            if now < self._resume_at:
                action.wait(self._resume_at, True)
                return True
            try:
                event = getattr(self, "_do_" + states.STATES[self.state])(now, action)
            except Error as error:
                event = self._event_of(error)
            if event is None:
                return True
            self._follow(event)
        return False

    def done(self):
        """The outside did what the action asked for."""
        self._follow(states.OK)

    def failed(self, error):
        """The outside could not do what the action asked for."""
        self._follow(self._event_of(error))

    def response(self, now, status, headers, body):
        """The CA's answer to a SEND."""
        self._now = now
        try:
            event = self._read(now, status, headers, body)
        except Error as error:
            event = self._event_of(error)
        except MemoryError:
            event = self._event_of(
                RemoteError("too-large", "There is not enough memory for the CA's answer.")
            )
        self._follow(event)

    def finished(self):
        """What the owner is told of the end; called once, when `next` said that it is over."""

    def _tell_failure(self, subject):
        number = notices.LIMITED if self.failure in (plan.LIMITED, plan.SLOW) else notices.FAILED
        self.session.outbox.notice(number, subject, str(self.error))

    def _follow(self, event):
        if event != states.AGAIN:
            self._resume_at = 0
        self.state = states.next_state(self.table, self.state, event)

    def _event_of(self, error):
        self.error = self.session.outbox.last_error = error
        if isinstance(error, RemoteError):
            self.failure = plan.SLOW if error.code == "undecided" else plan.TRANSPORT
            return states.REMOTE_ERROR
        self.failure = plan.REFUSED
        return states.LOCAL_ERROR

    def _read(self, now, status, headers, body):
        found = self.session.exchange.read(now, status, headers, body)
        self._pause = self.session.exchange.pause
        if found == exchange.AGAIN:
            return states.AGAIN
        if found == exchange.OK:
            return getattr(self, "_read_" + states.STATES[self.state])(now, headers, body)
        # A rate limit is never gone round; other refusals may mean that there is nothing left to do.
        problem = self.session.exchange.problem
        if found != exchange.REFUSED and 0 < self._pause <= limits.PAUSE and self._delays < limits.PATIENCE:
            self._delays += 1
            self._resume_at = now + self._pause
            return states.AGAIN
        if found in (exchange.REFUSED, exchange.BUSY):
            event = self._way_on(problem, status)
            if event is not None:
                return event
        self.error = self.session.outbox.last_error = RemoteError(
            problem.type or "refused", "The CA refused: %s" % problem
        )
        if found == exchange.LIMITED:
            self.failure = plan.LIMITED
            return states.LIMITED
        if found == exchange.BUSY:
            self.failure = plan.TRANSPORT
            return states.REMOTE_ERROR
        self.failure = plan.REFUSED
        return states.REFUSED

    def _way_on(self, problem, status):
        # The event of a refusal that the machine can go on after, or None.
        if self.state == states.FIND_ACCOUNT and problem.type == "accountDoesNotExist":
            features.part("pending_key").drop(self.session.account)
            return states.ACCOUNT_UNKNOWN
        return None

    def _restart(self):
        # The CA sends us back to the beginning; a CA that always does must not keep us busy for ever.
        self._restarts += 1
        if self._restarts > limits.REPLAYS:
            raise RemoteError("restarts", "The CA sent us back to the beginning %d times." % limits.REPLAYS)

    def _lose_account(self):
        self._restart()
        self.session.account.lose()
        return states.NO_ACCOUNT

    def _save(self, now, action):
        self.session.storage.write_journal(action)

    # The directory. It is kept in a file for a day, so that a restart costs no request.

    def _do_directory(self, now, action):
        exchange = self.session.exchange
        if exchange.directory is not None and 0 <= now - exchange.directory_at < limits.DIRECTORY_TIME:
            return states.DIRECTORY_FRESH
        exchange.get(action, exchange.directory_url)

    def _read_directory(self, now, headers, body):
        journal = self.session.storage.journal
        directory = Directory(message.parse(body), self.session.exchange.url)
        self.session.exchange.keep_directory(directory, journal.ca_hash, now, body)
        terms = (directory.terms or "").encode()
        # Told when they change, not when they are first seen: the owner agreed to those.
        if journal.terms.get() != terms:
            if journal.terms.size:
                self.session.outbox.notice(notices.TERMS, directory.terms or "none")
            journal.terms.set(terms)
        return states.OK

    def _do_save_directory(self, now, action):
        self.session.exchange.write_directory(action)

    # The account.

    def _do_sign_in(self, now, action):
        return states.ACCOUNT_NEEDED if self.needs_account else states.ACCOUNT_UNNEEDED

    def _do_account_key(self, now, action):
        account = self.session.account
        account.use(self.role)
        if account.load():
            return states.KEY_EXISTS
        account.make_key(action)

    def _do_account(self, now, action):
        account = self.session.account
        if account.is_pending():
            return states.KEY_PENDING
        if account.is_known():
            return states.ACCOUNT_KNOWN
        account.register(action)

    def _read_account(self, now, headers, body):
        self.session.account.set_url(read_account(body, headers.get("location"), self.session.exchange.url))
        return states.OK

    def _do_find_account(self, now, action):
        # A change of the key was cut short: does the CA know the new one?
        features.part("pending_key").find(self.session.account, action)

    def _read_find_account(self, now, headers, body):
        self._read_account(now, headers, body)
        features.part("pending_key").adopt(self.session.account)
        return states.OK

    _do_save_account = _save

    # How it ends without success.

    def _do_clean(self, now, action):
        return states.OK

    def _do_failed(self, now, action):
        return states.OK

    _do_save_failed = _save
