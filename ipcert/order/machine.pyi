from typing import Dict, Optional

from ..account import Account
from ..acme.exchange import Exchange
from ..action import Action
from ..errors import Error
from ..journal import Record
from ..keys import Keyring
from ..notices import Outbox
from ..storage import Storage

class Session:
    exchange: Exchange
    account: Account
    storage: Storage
    keyring: Keyring
    outbox: Outbox
    def __init__(
        self, exchange: Exchange, account: Account, storage: Storage, keyring: Keyring, outbox: Outbox
    ) -> None: ...

class Machine:
    table: bytes
    activity: int
    needs_account: bool
    session: Session
    record: Optional[Record]
    role: int
    state: int
    error: Optional[Error]
    failure: int
    def __init__(self, session: Session, record: Optional[Record], role: int, now: int) -> None: ...
    def next(self, now: int, action: Action) -> bool: ...
    def done(self) -> None: ...
    def failed(self, error: Error) -> None: ...
    def response(self, now: int, status: int, headers: Dict[str, str], body: bytes) -> None: ...
    def finished(self) -> None: ...
