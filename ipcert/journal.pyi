from typing import Callable, List, Optional, Tuple, Union

from .keys import Ring
from .port import Sha256 as _Sha256
from .split import Certificate

_Bytes = Union[bytes, bytearray, memoryview]

VERSION: int
WHOLE: int
TORN: int
NEWER: int

_INTS: Tuple[str, ...]
_HASHES: Tuple[str, ...]
_TEXTS: Tuple[str, ...]
_RECORD_INTS: Tuple[str, ...]

class Text:
    buffer: bytes
    start: int
    size: int
    def __init__(self) -> None: ...
    def set(self, data: bytes) -> None: ...
    def get(self) -> bytes: ...
    def text(self) -> str: ...

class Record:
    planned_at: int
    window_start: int
    window_end: int
    reason: int
    failures: int
    failed_at: int
    not_before: int
    not_after: int
    file_id: int
    pending_file_id: int
    ordered_at: int
    ask_window_at: int
    ari_window_end: int
    consent_at: int
    created_at: int
    wanted_at: int
    presence: int
    doubted_at: int
    doubt_answers: int
    key_hash: bytearray
    pending_key_hash: bytearray
    chain_hash: bytearray
    identifiers_text: Text
    order_url: Text
    profile: Text
    ari_id: Text
    certificate: Certificate
    _failures: int
    _revocation: int
    _roles: int
    def __init__(self) -> None: ...
    def clear(self) -> None: ...
    def failures_by(self, kind: int) -> int: ...
    def add_failure(self, kind: int) -> None: ...
    def no_failures(self) -> None: ...
    @property
    def revocation_reason(self) -> Optional[int]: ...
    @revocation_reason.setter
    def revocation_reason(self, reason: Optional[int]) -> None: ...
    @property
    def certificate_role(self) -> int: ...
    @certificate_role.setter
    def certificate_role(self, role: int) -> None: ...
    @property
    def order_role(self) -> int: ...
    @order_role.setter
    def order_role(self, role: int) -> None: ...

class Journal:
    clock_floor: int
    account_file_id: int
    other_account_file_id: int
    account_role: int
    pending_account_file_id: int
    last_file_id: int
    told_notices: int
    revoked_at: int
    device_id: bytearray
    account_key_hash: bytearray
    other_account_key_hash: bytearray
    ca_hash: bytearray
    consent_nonce: bytearray
    account_url: Text
    other_account_url: Text
    terms: Text
    ring: Ring
    most: int
    all: List[Record]
    count: int
    sequence: int
    def __init__(self, ring: Ring, sha256: _Sha256, records: int = ...) -> None: ...
    def records(self) -> List[Record]: ...
    def new(self) -> Record: ...
    def drop(self, record: Record) -> None: ...
    def encode(self, out: bytearray) -> int: ...
    def check(self, buffer: bytearray, size: int) -> int: ...
    def sequence_of(self, buffer: _Bytes) -> int: ...
    def decode(self, buffer: bytearray, size: int) -> bool: ...

class Slots:
    NAMES: Tuple[str, str]
    journal: Journal
    def __init__(self, journal: Journal, size: int = ...) -> None: ...
    def load(self, read: Callable[[str], Optional[bytes]]) -> bool: ...
    name: str
    data: bytearray
    def encode(self) -> int: ...
