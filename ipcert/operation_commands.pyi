from typing import Any, List, Optional

from .commands import Commands
from .journal import Record
from .order.request import Request

class Revocation:
    text: str
    reason: int
    by_key: bool
    def __init__(self, text: str, reason: int, by_key: bool = ...) -> None: ...

def event(commands: Commands, kind: str, value: Any, in_flight: Optional[Record]) -> None: ...
def _queue(commands: Commands, requests: List[Request]) -> None: ...
