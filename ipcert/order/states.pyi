from typing import Tuple

IDLE: int
DIRECTORY: int
ACCOUNT: int
RESUME: int
NEW_ORDER: int
SAVE_ORDER: int
ROUTE: int
AUTHORIZATION: int
PUBLISH: int
ANSWER: int
CHALLENGE_WAIT: int
CHALLENGE_POLL: int
WITHDRAW: int
NEXT: int
KEY: int
SAVE_KEY: int
FINALIZE: int
ORDER_WAIT: int
ORDER_POLL: int
CHAIN: int
SAVE_CHAIN: int
COMMIT: int
DEPLOY: int
CLEAN: int
FAILED: int
SAVE_FAILED: int
SAVE_DIRECTORY: int
ACCOUNT_KEY: int
SAVE_ACCOUNT: int
PURPOSE: int
ASK: int
SAVE_WINDOW: int
OPERATION_KEY: int
SAVE_PENDING: int
OPERATION: int
SAVE_OPERATION: int
ALTERNATE: int
STEPS: Tuple[str, ...]
PENDING: int
READY: int
PROCESSING: int
VALID: int
INVALID: int
OK: int
AGAIN: int
MORE: int
NONE: int
REFUSED: int
LIMITED: int
BROKEN: int
OURS: int
NO_ACCOUNT: int
GONE: int
NO_REPLACES: int
NOT_READY: int
DO: int
EVENTS: Tuple[str, ...]
TABLE: bytes
ANYWHERE: bytes

def follow(step: int, event: int) -> int: ...
