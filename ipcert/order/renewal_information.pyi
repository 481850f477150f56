from ..journal import Record
from ..planner import Planner
from .machine import Machine, Session

class RenewalInformation(Machine):
    record: Record
    def __init__(self, session: Session, record: Record, now: int, planner: Planner) -> None: ...
