from typing import Callable, Optional, Tuple

from .acme.challenge import Publisher
from .action import Action
from .commands import Commands
from .configuration import Configuration
from .deployment import Deployments
from .journal import Record
from .lineage import Lineages
from .order.machine import Machine, Session
from .planner import Planner
from .policy import Policy

NOTHING: int
FILLED: int
AGAIN: int

class Scheduler:
    machine: Optional[Machine]
    now: int
    asking: Optional[Machine]
    def __init__(
        self,
        session: Session,
        configuration: Configuration,
        commands: Commands,
        lineages: Lineages,
        deployments: Deployments,
        planner: Planner,
        policy: Policy,
        publisher: Publisher,
    ) -> None: ...
    def fill(self, now: Optional[int], action: Action) -> None: ...
    def under_way(self) -> Optional[Machine]: ...
    def settled(self) -> bool: ...
    def in_flight(self) -> Optional[Record]: ...

PRIORITIES: Tuple[Callable[[Scheduler, Optional[int], Action], int], ...]
