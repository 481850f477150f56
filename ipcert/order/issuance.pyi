from typing import Any, List, Optional

from ..acme.challenge import Publisher
from ..action import Publication
from ..journal import Record
from ..lineage import Lineages
from ..planner import Planner
from ..policy import Policy
from .machine import Machine, Session

class Issuance(Machine):
    record: Record
    _order: Any  # the `acme.order.Order` as far as it is known, or None
    _authorization: Any  # the `acme.authorization.Authorization` read last
    _publication: Optional[Publication]
    _chain: Any  # an `acme.certificate.Chain`, the best one so far; None once it is not needed
    _alternates: List[str]
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
