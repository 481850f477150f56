"""The protocol as tables of (state, event, next state).

What holds. One task is under way at a time: an issuance, a question about a renewal window, or an account operation.
Each is a small machine. All of them first look at the directory and, where they need one, at the account: SESSION_TABLE has
those rows. What is theirs alone stands in a table of their own. A machine in a state carries out that state's action,
which either asks the outside for something and waits for the answer, or decides by itself; both end in an event, and
the tables say where the event leads. No code beside the tables chooses a state.

Why tables. A reader can see the whole protocol on one page, a test can walk every pair, and the drawing in the
documentation cannot be wrong. An event has one name and one meaning: KEY_EXISTS is said where a key is there already,
ORDER_RESUMABLE where an earlier attempt's order may go on. OK alone is general: what the state's action asked for is done.

What must never happen.
- A request before what it relies on is durable: between making and using something there is always a SAVE state
  (an account's key before it is registered, an order before it is answered, a subject key before the CSR, a chain before
  it is deployed). tests/cpython/core/test_mutations.py takes these states away and sees that it is noticed.
- A published challenge that stays: every failure goes through CLEAN, which withdraws it.
- A failure that is planned for and not written down: FAILED plans the next attempt, SAVE_FAILED writes it, then IDLE.
- A pair that stands nowhere. `next_state` raises LocalError("state"), because it is a mistake of ours.

Failures mean the same everywhere, so ANYWHERE has them once. An event may still have a row of its own, which wins:
NO_ACCOUNT after a new order leads to the account, and nowhere else.

Whose fault is an invalid order? That depends on something that no step of ours shows: whether this attempt made the order,
or resumes one that an earlier attempt left, whose challenges the CA may have looked at while nothing was published.
ORIGIN_TABLE is that second, tiny machine, as h11 has one for each end of a connection. Where the origin is EARLIER, the
CA's INVALID is the event ORDER_GONE: a new order is made, and nobody is blamed.
"""

from ..errors import LocalError

# States, by the order of their names.
(
    IDLE, DIRECTORY, SAVE_DIRECTORY, SIGN_IN, ACCOUNT_KEY, SAVE_ACCOUNT, ACCOUNT, FIND_ACCOUNT, BEGIN,
    CHOOSE_ORDER, REPLACEMENT_ORDER, NEW_ORDER, SAVE_ORDER, ORDER_STATUS,
    AUTHORIZATION, PUBLISH, ANSWER, CHALLENGE_WAIT, CHALLENGE_POLL, ANSWERED_WAIT, ANSWERED_POLL, WITHDRAW,
    NEXT_AUTHORIZATION,
    SUBJECT_KEY, SAVE_KEY, FINALIZE, ORDER_WAIT, ORDER_POLL, CHAIN, ALTERNATE, SAVE_CHAIN, COMMIT, DEPLOY,
    SAVE_WINDOW,
    SAVE_PENDING_KEY, OPERATION, GIVE_BACK, SAVE_OPERATION,
    CLEAN, FAILED, SAVE_FAILED,
) = range(41)  # fmt: skip
STATES = (
    "idle", "directory", "save_directory", "sign_in", "account_key", "save_account", "account", "find_account", "begin",
    "choose_order", "replacement_order", "new_order", "save_order", "order_status",
    "authorization", "publish", "answer", "challenge_wait", "challenge_poll", "answered_wait", "answered_poll", "withdraw",
    "next_authorization",
    "subject_key", "save_key", "finalize", "order_wait", "order_poll", "chain", "alternate", "save_chain", "commit", "deploy",
    "save_window",
    "save_pending_key", "operation", "give_back", "save_operation",
    "clean", "failed", "save_failed",
)  # fmt: skip

# Events, by the order of their names (`event_names`); each means one thing.
(
    # The CA's word about the order or authorization that was asked for: `acme.order.STATUS`, in its order.
    PENDING, READY, PROCESSING, VALID, INVALID,
    OK,  # what the state's action asked for is done
    AGAIN,  # only a nonce came: the same state once more
    DIRECTORY_FRESH,  # the directory at hand is young enough
    ACCOUNT_NEEDED, ACCOUNT_UNNEEDED,  # whether this task is signed by our account
    KEY_EXISTS,  # the key that is wanted is there already
    NO_NEW_KEY,  # this operation makes no key
    KEY_PENDING,  # a change of the account's key was cut short
    ACCOUNT_KNOWN,  # we know our account's URL
    ACCOUNT_UNKNOWN,  # the CA has no account for the pending key
    NO_ACCOUNT,  # the CA does not know our account any more
    ORDER_RESUMABLE, REPLACEMENT, NO_ORDER,  # an earlier attempt's order goes on, or a new one is made, replacing or not
    REPLACES_REFUSED,  # the CA does not want to hear what a new order replaces
    ORDER_GONE,  # the order is not there any more, or of no use
    ALREADY_ANSWERED,  # an earlier attempt answered this challenge
    ANOTHER_AUTHORIZATION, ALL_AUTHORIZED,
    NOT_READY,  # finalized too early
    ANOTHER_CHAIN,  # there is one more chain to choose from
    WINDOW_UNAVAILABLE,  # the CA suggests no window for this certificate
    REFUSED, LIMITED,  # a problem document; a rate limit
    REMOTE_ERROR,  # the way there failed, or garbage came
    LOCAL_ERROR,  # a mistake or a lack of ours
) = range(31)  # fmt: skip

# Directory and account, the beginning of every machine; it hands over in BEGIN.
SESSION_TABLE = bytes(
    (
        DIRECTORY, OK, SAVE_DIRECTORY,
        DIRECTORY, DIRECTORY_FRESH, SIGN_IN,
        SAVE_DIRECTORY, OK, SIGN_IN,
        SIGN_IN, ACCOUNT_NEEDED, ACCOUNT_KEY,
        SIGN_IN, ACCOUNT_UNNEEDED, BEGIN,
        ACCOUNT_KEY, OK, SAVE_ACCOUNT,
        ACCOUNT_KEY, KEY_EXISTS, ACCOUNT,
        SAVE_ACCOUNT, OK, ACCOUNT,
        ACCOUNT, OK, BEGIN,
        ACCOUNT, ACCOUNT_KNOWN, BEGIN,
        ACCOUNT, KEY_PENDING, FIND_ACCOUNT,
        FIND_ACCOUNT, OK, ACCOUNT_KEY,
        FIND_ACCOUNT, ACCOUNT_UNKNOWN, ACCOUNT_KEY,
    )
)  # fmt: skip

# A certificate, from the order to what serves it.
ISSUANCE_TABLE = bytes(
    (
        BEGIN, OK, CHOOSE_ORDER,
        CHOOSE_ORDER, ORDER_RESUMABLE, ORDER_POLL,
        CHOOSE_ORDER, REPLACEMENT, REPLACEMENT_ORDER,
        CHOOSE_ORDER, NO_ORDER, NEW_ORDER,
        REPLACEMENT_ORDER, OK, SAVE_ORDER,
        REPLACEMENT_ORDER, REPLACES_REFUSED, NEW_ORDER,
        REPLACEMENT_ORDER, NO_ACCOUNT, ACCOUNT,
        NEW_ORDER, OK, SAVE_ORDER,
        NEW_ORDER, NO_ACCOUNT, ACCOUNT,
        SAVE_ORDER, OK, ORDER_STATUS,
        ORDER_STATUS, PENDING, AUTHORIZATION,
        ORDER_STATUS, READY, SUBJECT_KEY,
        ORDER_STATUS, PROCESSING, ORDER_WAIT,
        ORDER_STATUS, VALID, CHAIN,
        AUTHORIZATION, PENDING, PUBLISH,
        AUTHORIZATION, VALID, NEXT_AUTHORIZATION,
        AUTHORIZATION, ORDER_GONE, CHOOSE_ORDER,
        PUBLISH, OK, ANSWER,
        ANSWER, OK, CHALLENGE_WAIT,
        ANSWER, ALREADY_ANSWERED, ANSWERED_WAIT,
        CHALLENGE_WAIT, OK, CHALLENGE_POLL,
        CHALLENGE_POLL, PENDING, CHALLENGE_WAIT,
        CHALLENGE_POLL, VALID, WITHDRAW,
        CHALLENGE_POLL, ORDER_GONE, WITHDRAW,
        ANSWERED_WAIT, OK, ANSWERED_POLL,
        ANSWERED_POLL, PENDING, ANSWERED_WAIT,
        ANSWERED_POLL, VALID, WITHDRAW,
        ANSWERED_POLL, ORDER_GONE, WITHDRAW,
        WITHDRAW, OK, NEXT_AUTHORIZATION,
        NEXT_AUTHORIZATION, ANOTHER_AUTHORIZATION, AUTHORIZATION,
        NEXT_AUTHORIZATION, ALL_AUTHORIZED, SUBJECT_KEY,
        NEXT_AUTHORIZATION, ORDER_GONE, CHOOSE_ORDER,
        SUBJECT_KEY, OK, SAVE_KEY,
        SUBJECT_KEY, KEY_EXISTS, FINALIZE,
        SAVE_KEY, OK, FINALIZE,
        FINALIZE, PENDING, ORDER_WAIT,
        FINALIZE, READY, ORDER_WAIT,
        FINALIZE, PROCESSING, ORDER_WAIT,
        FINALIZE, VALID, CHAIN,
        FINALIZE, NOT_READY, ORDER_WAIT,
        ORDER_WAIT, OK, ORDER_POLL,
        ORDER_POLL, PENDING, ORDER_STATUS,
        ORDER_POLL, READY, ORDER_STATUS,
        ORDER_POLL, PROCESSING, ORDER_WAIT,
        ORDER_POLL, VALID, CHAIN,
        ORDER_POLL, ORDER_GONE, CHOOSE_ORDER,
        ORDER_POLL, NO_ACCOUNT, ACCOUNT,
        CHAIN, OK, SAVE_CHAIN,
        CHAIN, ANOTHER_CHAIN, ALTERNATE,
        CHAIN, ORDER_GONE, CHOOSE_ORDER,
        ALTERNATE, OK, SAVE_CHAIN,
        ALTERNATE, ANOTHER_CHAIN, ALTERNATE,
        SAVE_CHAIN, OK, COMMIT,
        COMMIT, OK, DEPLOY,
        DEPLOY, OK, IDLE,
        DEPLOY, REMOTE_ERROR, IDLE,
        DEPLOY, LOCAL_ERROR, IDLE,
    )
)  # fmt: skip

# The question when the CA would like a certificate renewed.
RENEWAL_TABLE = bytes(
    (
        BEGIN, OK, SAVE_WINDOW,
        BEGIN, WINDOW_UNAVAILABLE, SAVE_WINDOW,
        SAVE_WINDOW, OK, IDLE,
    )
)  # fmt: skip

# Everything else that is done with an account or a certificate. GIVE_BACK: one authorization after the other.
OPERATION_TABLE = bytes(
    (
        BEGIN, OK, SAVE_PENDING_KEY,
        BEGIN, NO_NEW_KEY, OPERATION,
        SAVE_PENDING_KEY, OK, OPERATION,
        OPERATION, OK, SAVE_OPERATION,
        OPERATION, NO_ACCOUNT, ACCOUNT,
        OPERATION, ANOTHER_AUTHORIZATION, GIVE_BACK,
        GIVE_BACK, OK, SAVE_OPERATION,
        GIVE_BACK, NO_ACCOUNT, ACCOUNT,
        GIVE_BACK, ANOTHER_AUTHORIZATION, GIVE_BACK,
        SAVE_OPERATION, OK, IDLE,
    )
)  # fmt: skip

# How each of them ends without success.
FAILURE_TABLE = bytes(
    (
        CLEAN, OK, FAILED,
        FAILED, OK, SAVE_FAILED,
        SAVE_FAILED, OK, IDLE,
    )
)  # fmt: skip

# Events that mean the same wherever the machine's own rows do not say otherwise.
ANYWHERE = bytes(
    (
        INVALID, CLEAN,
        REFUSED, CLEAN,
        LIMITED, CLEAN,
        REMOTE_ERROR, CLEAN,
        LOCAL_ERROR, CLEAN,
        NO_ACCOUNT, CLEAN,
        ORDER_GONE, CLEAN,
        REPLACES_REFUSED, CLEAN,
        NOT_READY, CLEAN,
    )
)  # fmt: skip
# Where a failure has been dealt with, or nothing is under way, nothing can fail.
_ENDS = (IDLE, CLEAN, FAILED, SAVE_FAILED)

# The second machine: where the order comes from, and which of our events changes that.
THIS_ATTEMPT, EARLIER = 0, 1
ORIGIN_TABLE = bytes(
    (
        THIS_ATTEMPT, ORDER_RESUMABLE, EARLIER,
        EARLIER, REPLACEMENT, THIS_ATTEMPT,
        EARLIER, NO_ORDER, THIS_ATTEMPT,
    )
)  # fmt: skip


def find(table, state, event):
    """Where a table of three columns leads, or -1."""
    row = 0
    while row < len(table):
        if table[row] == state and table[row + 1] == event:
            return table[row + 2]
        row += 3
    return -1


def next_state(table, state, event):
    """The next state of the machine with this table. AGAIN stays. Raises LocalError("state") for a pair that cannot be."""
    if event == AGAIN:
        return state
    for rows in (table, SESSION_TABLE, FAILURE_TABLE):
        found = find(rows, state, event)
        if found >= 0:
            return found
    row = 0
    while row < len(ANYWHERE) and state not in _ENDS:
        if ANYWHERE[row] == event:
            return ANYWHERE[row + 1]
        row += 2
    raise LocalError(
        "state",
        "State %s cannot answer event %d: a mistake in ipcert. Please report it with the log around it."
        % (STATES[state], event),
    )
