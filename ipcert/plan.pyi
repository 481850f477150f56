from typing import Any, Callable, Optional, Protocol

LAST: int
GRACE: int
BACK: int
SOON: int
DAY: int
HOUR: int
MINUTE: int
MARGIN: int
RECOVERY: int
ADDRESS_START: int
ADDRESS_END: int
ADDRESS_LATEST: int
ADDRESS_LATE: int
NAME_START: int
NAME_END: int
NAME_LATEST: int
NAME_LATE: int
TRANSPORT: int
REFUSED: int
VALIDATION: int
LIMITED: int
SLOW: int
NONE: int
URGENT: int
FIRST: int
RENEWAL: int
STRICT: int
REST: int
VALID: int
HURRY: int
LAPSED: int
RETRY: int
ASKED: int
COLLISION: int
EMERGENCY: int
POLL: int
HELD: int
REVOKE: int
PROOF: int
LATER: int

class Planned(Protocol):
    planned_at: int
    window_start: int
    window_end: int
    reason: int

class Random(Protocol):
    def word(self) -> int: ...

class Plan:
    planned_at: int
    window_start: int
    window_end: int
    reason: int
    def __init__(self) -> None: ...
    def clear(self) -> None: ...

class Words:
    def __init__(self, fill: Callable[[bytearray], Any], size: int = ...) -> None: ...
    def word(self) -> int: ...

def below(words: Random, count: int) -> int: ...
def first(plan: Planned, words: Random, now: int, urgent: bool, window: int = ...) -> None: ...
def renewal(
    plan: Planned,
    words: Random,
    is_address: bool,
    not_before: int,
    not_after: int,
    now: int = ...,
    recovery: Optional[int] = ...,
) -> None: ...
def strict(
    plan: Planned,
    words: Random,
    is_address: bool,
    start: int,
    end: int,
    not_before: int,
    not_after: int,
    now: int = ...,
    recovery: Optional[int] = ...,
) -> None: ...
def is_missed(plan: Planned, now: int) -> bool: ...
def is_lost(plan: Planned, now: int, not_after: int) -> bool: ...
def missed(
    plan: Planned,
    words: Random,
    is_address: bool,
    now: int,
    not_before: int,
    not_after: int,
    recovery: Optional[int] = ...,
) -> None: ...
def retry(
    plan: Planned,
    words: Random,
    now: int,
    failures: int,
    failure: int,
    not_after: int,
    retry_after: int = ...,
    is_address: bool = ...,
    not_before: int = ...,
    recovery: Optional[int] = ...,
) -> None: ...
def collide(plan: Planned, words: Random, now: int) -> None: ...
def is_emergency(stored_end: int, fetched_end: int, not_before: int, not_after: int) -> bool: ...
def emergency(plan: Planned, words: Random, is_address: bool, now: int) -> None: ...
def poll(plan: Planned, words: Random, now: int, retry_after: int = ...) -> None: ...
def held(plan: Planned, words: Random, now: int, last_address_lasted: int, min_age: int = ...) -> None: ...
def proof(plan: Planned, words: Random, now: int, not_before: int) -> None: ...
def revocation(plan: Planned, words: Random, now: int, last: int) -> None: ...
