from typing import Callable, List, Optional, Tuple, Union

from .device import _Sha256
from .keys import Ring

_Bytes = Union[bytes, bytearray, memoryview]

VERSION: int
WHOLE: int
TORN: int
NEWER: int
ACTIVE: int
RETIRED: int

class Text:
    buf: bytes
    start: int
    n: int
    def __init__(self) -> None: ...
    def set(self, data: bytes) -> None: ...
    def get(self) -> bytes: ...
    def text(self) -> str: ...

class Record:
    state: int
    at: int
    lo: int
    hi: int
    why: int
    failures: int
    failed_at: int
    not_before: int
    not_after: int
    gen: int
    new_gen: int
    order_at: int
    poll_at: int
    window_end: int
    consent_at: int
    since: int
    revoke: int
    account: int
    key_hash: bytearray
    new_hash: bytearray
    chain_hash: bytearray
    ids: Text
    order: Text
    profile: Text
    ari: Text
    def __init__(self) -> None: ...
    def clear(self) -> None: ...

class Journal:
    floor: int
    account_gen: int
    other_gen: int
    role: int
    pending_gen: int
    generation: int
    told: int
    revoked_at: int
    device: bytearray
    account_hash: bytearray
    other_hash: bytearray
    ca_hash: bytearray
    consent_nonce: bytearray
    account: Text
    other: Text
    terms: Text
    ring: Ring
    most: int
    all: List[Record]
    count: int
    seq: int
    def __init__(self, ring: Ring, sha256: _Sha256, records: int = ...) -> None: ...
    def records(self) -> List[Record]: ...
    def new(self) -> Record: ...
    def drop(self, record: Record) -> None: ...
    def encode(self, out: bytearray) -> int: ...
    def check(self, buf: bytearray, n: int) -> int: ...
    def sequence(self, buf: _Bytes) -> int: ...
    def decode(self, buf: bytearray, n: int) -> bool: ...

class Slots:
    NAMES: Tuple[str, str]
    journal: Journal
    def __init__(self, journal: Journal, size: int = ...) -> None: ...
    def load(self, read: Callable[[str], Optional[bytes]]) -> bool: ...
    name: str
    data: bytearray
    def encode(self) -> int: ...
