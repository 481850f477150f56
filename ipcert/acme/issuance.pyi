from typing import Dict, Optional, Tuple

from ..device import Device
from ..errors import Error
from ..intention import Intention
from ..journal import Record

ISSUE: int
ASK_WINDOW: int
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
ERRAND_KEY: int
SAVE_PENDING: int
ERRAND: int
SAVE_ERRAND: int
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

class Issuance:
    step: int
    record: Optional[Record]
    error: Optional[Error]
    def __init__(self, dev: Device) -> None: ...
    purpose: int
    started: int
    def start(self, record: Optional[Record], now: int, purpose: int = ..., by_key: bool = ...) -> None: ...
    def next(self, now: int, it: Intention) -> bool: ...
    def answer(self, event: int) -> None: ...
    def limited(self) -> bool: ...
    def fault(self, error: Error) -> None: ...
    def response(self, now: int, status: int, headers: Dict[str, str], body: bytes) -> None: ...
