from typing import Dict, Optional, Union

from ..action import Action
from ..device import Device
from ..errors import Error
from ..journal import Record

ISSUE: int
ASK_WINDOW: int
REVOKE: int
DEAUTHORIZE: int

class Issuance:
    step: int
    record: Optional[Record]
    error: Optional[Error]
    def __init__(self, dev: Device) -> None: ...
    purpose: int
    started: int
    def start(
        self,
        now: int,
        record: Optional[Record],
        purpose: int = ...,
        role: int = ...,
        what: Union[None, bool, str] = ...,
    ) -> None: ...
    def next(self, now: int, it: Action) -> bool: ...
    def answer(self, event: int) -> None: ...
    def limited(self) -> bool: ...
    def fault(self, error: Error) -> None: ...
    def response(self, now: int, status: int, headers: Dict[str, str], body: bytes) -> None: ...
