"""The steps of one issuance as a table of (step, event, next step).

A pair that is in neither TABLE nor ANYWHERE is a mistake of ours and raises LocalError("state"). `issuance` has the action of
each step; `tools/states` draws the table.
"""

from ..errors import LocalError

# Steps, by the order of their names.
(
    IDLE, DIRECTORY, ACCOUNT, RESUME, NEW_ORDER, SAVE_ORDER, ROUTE, AUTHORIZATION, PUBLISH, ANSWER,
    CHALLENGE_WAIT, CHALLENGE_POLL, WITHDRAW, NEXT, KEY, SAVE_KEY, FINALIZE, ORDER_WAIT, ORDER_POLL, CHAIN,
    SAVE_CHAIN, COMMIT, DEPLOY, CLEAN, FAILED, SAVE_FAILED, SAVE_DIRECTORY, ACCOUNT_KEY, SAVE_ACCOUNT,
    PURPOSE, ASK, SAVE_WINDOW, OPERATION_KEY, SAVE_PENDING, OPERATION, SAVE_OPERATION, ALTERNATE,
) = range(37)  # fmt: skip
STEPS = (
    "idle", "directory", "account", "resume", "new-order", "save-order", "route", "authorization", "publish",
    "answer", "challenge-wait", "challenge-poll", "withdraw", "next", "key", "save-key", "finalize",
    "order-wait", "order-poll", "chain", "save-chain", "commit", "deploy", "clean", "failed", "save-failed",
    "save-directory", "account-key", "save-account", "purpose", "ask", "save-window",
    "operation-key", "save-pending", "operation", "save-operation",
    "alternate",
)  # fmt: skip

# Events, by the order of their names. The first five are `order.STATUS`; AGAIN: the same step once more; BROKEN: the way
# there, or garbage; OURS: an error of ours; GONE: the order is not there any more; DO: an operation.
(
    PENDING, READY, PROCESSING, VALID, INVALID, OK, AGAIN, MORE, NONE, REFUSED, LIMITED, BROKEN, OURS,
    NO_ACCOUNT, GONE, NO_REPLACES, NOT_READY, DO,
) = range(18)  # fmt: skip
EVENTS = (
    "pending", "ready", "processing", "valid", "invalid", "ok", "again", "more", "none", "refused",
    "limited", "broken", "ours", "no-account", "gone", "no-replaces", "not-ready", "do",
)  # fmt: skip

TABLE = bytes(
    (
        DIRECTORY, OK, SAVE_DIRECTORY,
        DIRECTORY, NONE, PURPOSE,
        SAVE_DIRECTORY, OK, PURPOSE,
        PURPOSE, OK, ACCOUNT_KEY,
        PURPOSE, MORE, ASK,
        PURPOSE, DO, OPERATION,
        ASK, OK, SAVE_WINDOW,
        ASK, NONE, SAVE_WINDOW,
        SAVE_WINDOW, OK, IDLE,
        ACCOUNT_KEY, OK, SAVE_ACCOUNT,
        ACCOUNT_KEY, NONE, ACCOUNT,
        SAVE_ACCOUNT, OK, ACCOUNT,
        ACCOUNT, OK, RESUME,
        ACCOUNT, MORE, ACCOUNT_KEY,
        RESUME, MORE, ORDER_POLL,
        RESUME, NONE, NEW_ORDER,
        RESUME, DO, OPERATION_KEY,
        OPERATION_KEY, OK, SAVE_PENDING,
        OPERATION_KEY, NONE, OPERATION,
        SAVE_PENDING, OK, OPERATION,
        OPERATION, OK, SAVE_OPERATION,
        OPERATION, NO_ACCOUNT, ACCOUNT,
        SAVE_OPERATION, OK, IDLE,
        NEW_ORDER, OK, SAVE_ORDER,
        NEW_ORDER, NO_REPLACES, NEW_ORDER,
        NEW_ORDER, NO_ACCOUNT, ACCOUNT,
        SAVE_ORDER, OK, ROUTE,
        ROUTE, PENDING, AUTHORIZATION,
        ROUTE, READY, KEY,
        ROUTE, PROCESSING, ORDER_WAIT,
        ROUTE, VALID, CHAIN,
        AUTHORIZATION, PENDING, PUBLISH,
        AUTHORIZATION, VALID, NEXT,
        AUTHORIZATION, GONE, NEW_ORDER,
        PUBLISH, OK, ANSWER,
        ANSWER, OK, CHALLENGE_WAIT,
        CHALLENGE_WAIT, OK, CHALLENGE_POLL,
        CHALLENGE_POLL, PENDING, CHALLENGE_WAIT,
        CHALLENGE_POLL, VALID, WITHDRAW,
        CHALLENGE_POLL, GONE, WITHDRAW,
        WITHDRAW, OK, NEXT,
        NEXT, MORE, AUTHORIZATION,
        NEXT, NONE, KEY,
        NEXT, GONE, NEW_ORDER,
        KEY, OK, SAVE_KEY,
        KEY, NONE, FINALIZE,
        SAVE_KEY, OK, FINALIZE,
        FINALIZE, PENDING, ORDER_WAIT,
        FINALIZE, READY, ORDER_WAIT,
        FINALIZE, PROCESSING, ORDER_WAIT,
        FINALIZE, VALID, CHAIN,
        FINALIZE, NOT_READY, ORDER_WAIT,
        ORDER_WAIT, OK, ORDER_POLL,
        ORDER_POLL, PENDING, ROUTE,
        ORDER_POLL, READY, ROUTE,
        ORDER_POLL, PROCESSING, ORDER_WAIT,
        ORDER_POLL, VALID, CHAIN,
        ORDER_POLL, GONE, NEW_ORDER,
        ORDER_POLL, NO_ACCOUNT, ACCOUNT,
        CHAIN, OK, SAVE_CHAIN,
        CHAIN, GONE, NEW_ORDER,
        CHAIN, MORE, ALTERNATE,
        ALTERNATE, MORE, ALTERNATE,
        ALTERNATE, OK, SAVE_CHAIN,
        SAVE_CHAIN, OK, COMMIT,
        COMMIT, OK, DEPLOY,
        DEPLOY, OK, IDLE,
        DEPLOY, BROKEN, IDLE,
        DEPLOY, OURS, IDLE,
        CLEAN, OK, FAILED,
        FAILED, OK, SAVE_FAILED,
        SAVE_FAILED, OK, IDLE,
    )
)  # fmt: skip

# Events that mean the same wherever the table does not say otherwise.
ANYWHERE = bytes((INVALID, CLEAN, REFUSED, CLEAN, LIMITED, CLEAN, BROKEN, CLEAN, OURS, CLEAN, NO_ACCOUNT, CLEAN,
                  GONE, CLEAN, NO_REPLACES, CLEAN, NOT_READY, CLEAN))  # fmt: skip


def follow(step, event):
    """The next step. AGAIN stays. Raises LocalError("state") for a pair that cannot be."""
    if event == AGAIN:
        return step
    k = 0
    while k < len(TABLE):
        if TABLE[k] == step and TABLE[k + 1] == event:
            return TABLE[k + 2]
        k += 3
    k = 0
    while k < len(ANYWHERE):
        if ANYWHERE[k] == event and step not in (IDLE, CLEAN, FAILED, SAVE_FAILED):
            return ANYWHERE[k + 1]
        k += 2
    raise LocalError("state", "Step %s cannot answer %s; report this." % (STEPS[step], EVENTS[event]))
