from typing import Sequence, Tuple

from ..acme.order import Order
from ..journal import Record
from ..lineage import Lineages
from ..planner import Planner
from ..policy import Policy
from .machine import Machine, Session
from .request import Request

REASONS: Tuple[int, ...]

class Operation(Machine):
    def finished(self) -> None: ...

class Contacts(Operation):
    def __init__(self, session: Session, role: int, now: int, contacts: Sequence[str]) -> None: ...

class Rollover(Operation): ...
class Recovery(Operation): ...

class Deactivation(Operation):
    def __init__(self, session: Session, role: int, now: int, lineages: Lineages) -> None: ...

class Deauthorization(Operation):
    _order: Order
    def __init__(self, session: Session, role: int, now: int, order_url: str) -> None: ...
    def finished(self) -> None: ...

class Revocation(Operation):
    record: Record
    def __init__(
        self,
        session: Session,
        record: Record,
        now: int,
        lineages: Lineages,
        planner: Planner,
        by_key: bool = ...,
    ) -> None: ...
    def finished(self) -> None: ...

def machine(
    request: Request, session: Session, now: int, lineages: Lineages, planner: Planner, policy: Policy
) -> Machine: ...
