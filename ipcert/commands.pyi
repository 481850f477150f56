from typing import Any, List, Optional

from .account import Account
from .configuration import Configuration
from .journal import Record
from .lineage import Lineages
from .notices import Outbox
from .planner import Planner
from .port import Sha256 as _Sha256
from .storage import Storage

class Revocation:
    text: str
    reason: int
    by_key: bool
    def __init__(self, text: str, reason: int, by_key: bool = ...) -> None: ...

def _operations() -> Any: ...

class _Wish:
    record: Record
    kind: int
    def __init__(self, record: Record, kind: int) -> None: ...

class Commands:
    _wishes: List[_Wish]
    def __init__(
        self,
        sha256: _Sha256,
        storage: Storage,
        configuration: Configuration,
        lineages: Lineages,
        planner: Planner,
        account: Account,
        outbox: Outbox,
    ) -> None: ...
    def event(self, now: int, kind: str, value: Any, in_flight: Optional[Record]) -> None: ...
    def plan(self, now: int) -> bool: ...
    def waiting(self) -> bool: ...
    def consent_challenge(self) -> str: ...
