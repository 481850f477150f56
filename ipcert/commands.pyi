from typing import Any, List, Optional

from .account import Account
from .configuration import Configuration
from .journal import Record
from .lineage import Lineages
from .planner import Planner
from .storage import Storage

RENEW: int
CONSENTED: int
REVOKE: int

class _Wish:
    record: Record
    kind: int
    def __init__(self, record: Record, kind: int) -> None: ...

class Commands:
    storage: Storage
    lineages: Lineages
    account: Account
    _wishes: List[_Wish]
    def __init__(
        self,
        storage: Storage,
        configuration: Configuration,
        lineages: Lineages,
        planner: Planner,
        account: Account,
    ) -> None: ...
    def event(self, now: int, kind: str, value: Any, in_flight: Optional[Record]) -> None: ...
    def find(self, text: str, in_flight: Optional[Record], code: str, sentence: str) -> Record: ...
    def wish(self, record: Record, kind: int) -> None: ...
    def plan(self, now: int) -> bool: ...
    def waiting(self) -> bool: ...
    def consent_challenge(self) -> str: ...
