from typing import Optional, Tuple

from ..action import Action
from ..device import Device
from ..journal import Record

REVOKE: int
CONTACTS: int
ROLLOVER: int
DEACTIVATE: int
RECOVER: int
DEAUTHORIZE: int
REASONS: Tuple[int, ...]

def make_key(dev: Device, it: Action) -> None: ...
def send(dev: Device, it: Action, purpose: int, record: Optional[Record], by_key: bool) -> None: ...
def give_back(dev: Device, it: Action, url: str) -> None: ...
def finish(dev: Device, purpose: int, record: Optional[Record]) -> None: ...
def is_done(purpose: int, kind: str, status: int) -> bool: ...
