from typing import Any, Callable, Protocol, Tuple

LAST: int
GRACE: int
BACK: int
SOON: int
DAY: int
HOUR: int
MINUTE: int
IP_LO: int
IP_HI: int
IP_FAR: int
IP_LATE: int
NAME_LO: int
NAME_HI: int
NAME_FAR: int
NAME_LATE: int
TRANSPORT: int
REFUSED: int
VALIDATION: int
LIMITED: int
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

def below(rng: Random, n: int) -> int: ...
def first(p: Planned, rng: Random, now: int, urgent: bool, window: int = ...) -> None: ...
def renewal(
    p: Planned, rng: Random, ip: bool, not_before: int, not_after: int, now: int = ..., recovery: int = ...
) -> None: ...
def strict(
    p: Planned,
    rng: Random,
    ip: bool,
    start: int,
    end: int,
    not_before: int,
    not_after: int,
    now: int = ...,
    recovery: int = ...,
) -> None: ...
def is_missed(p: Planned, now: int) -> bool: ...
def is_lost(p: Planned, now: int, not_after: int) -> bool: ...
def missed(
    p: Planned, rng: Random, ip: bool, now: int, not_before: int, not_after: int, recovery: int = ...
) -> None: ...
def retry(
    p: Planned,
    rng: Random,
    now: int,
    failures: int,
    kind: int,
    not_after: int,
    retry_after: int = ...,
    ip: bool = ...,
    not_before: int = ...,
    recovery: int = ...,
) -> None: ...
def collide(p: Planned, rng: Random, now: int) -> None: ...
def is_emergency(stored_end: int, fetched_end: int, not_before: int, not_after: int) -> bool: ...
def emergency(p: Planned, rng: Random, ip: bool, now: int) -> None: ...
def poll(p: Planned, rng: Random, now: int, retry_after: int = ...) -> None: ...
def held(p: Planned, rng: Random, now: int, last_address_lasted: int, min_age: int = ...) -> None: ...
def revocation(p: Planned, rng: Random, now: int, last: int) -> None: ...
def reason_text(code: int) -> str: ...
def settings() -> Tuple[Tuple[str, str, str], ...]: ...
