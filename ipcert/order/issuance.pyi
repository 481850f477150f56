from ..acme.challenge import Publisher
from ..journal import Record
from ..lineage import Lineages
from ..planner import Planner
from ..policy import Policy
from .machine import Machine, Session

class Issuance(Machine):
    record: Record
    def __init__(
        self,
        session: Session,
        record: Record,
        now: int,
        lineages: Lineages,
        planner: Planner,
        policy: Policy,
        publisher: Publisher,
    ) -> None: ...
    def finished(self) -> None: ...
