from typing import List, Optional

from .consent import Consent
from .journal import Record
from .lineage import Lineages
from .notices import Outbox
from .planner import Planner
from .policy import Policy
from .port import Port as _Port
from .split import Certificate
from .storage import Storage

class Configuration:
    policy: Policy
    wanted: List[Certificate]
    applied: bool
    consent: Optional[Consent]
    def __init__(
        self,
        port: _Port,
        policy: Policy,
        storage: Storage,
        lineages: Lineages,
        planner: Planner,
        outbox: Outbox,
    ) -> None: ...
    def change(self, certificates: List[Certificate]) -> None: ...
    def apply(self, now: int) -> None: ...
    def let_go(self, now: int) -> bool: ...
    def may_order(self, record: Record) -> bool: ...
