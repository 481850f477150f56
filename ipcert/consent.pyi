from typing import List

from .journal import Record
from .notices import Outbox
from .planner import Planner
from .port import Port as _Port
from .split import Certificate
from .storage import Storage

class Consent:
    def __init__(
        self,
        certificates: List[Certificate],
        port: _Port,
        storage: Storage,
        planner: Planner,
        outbox: Outbox,
    ) -> None: ...
    def covers(self, record: Record) -> bool: ...
    def ask(self) -> None: ...
    def _wanted(self) -> str: ...
    def challenge(self) -> str: ...
    def answered(self, answer: str) -> List[Record]: ...
