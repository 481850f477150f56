from typing import Any, Dict, List, Optional

from .account import Account
from .acme.exchange import Exchange
from .action import Action
from .configuration import Configuration
from .errors import Error
from .journal import Journal
from .keys import Keyring
from .notices import Outbox
from .planner import Planner
from .policy import Policy
from .port import Port as _Port
from .scheduler import Scheduler
from .split import Certificate
from .storage import Storage

class Device:
    port: _Port
    policy: Policy
    journal: Journal
    storage: Storage
    outbox: Outbox
    keyring: Keyring
    exchange: Exchange
    account: Account
    planner: Planner
    configuration: Configuration
    _scheduler: Scheduler
    def __init__(
        self, port: _Port, policy: Policy, certificates: List[Certificate], directory_url: str
    ) -> None: ...
    def next(self, now: Optional[int]) -> Action: ...
    def done(self, number: int) -> None: ...
    def response(self, number: int, status: int, headers: Dict[str, str], body: bytes) -> None: ...
    def failed(self, number: int, error: Error) -> None: ...
    def prepare(self, now: Optional[int]) -> None: ...
    def event(self, kind: str, value: Any) -> None: ...
    def consent_challenge(self) -> str: ...
    @property
    def activity(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def settled(self) -> bool: ...
    @property
    def issued(self) -> int: ...
    @property
    def failures(self) -> int: ...
    @property
    def errors(self) -> Dict[str, Optional[Error]]: ...
    @property
    def last_error(self) -> Optional[Error]: ...
    @last_error.setter
    def last_error(self, error: Optional[Error]) -> None: ...
