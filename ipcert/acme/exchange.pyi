from typing import Dict, Optional, Union

from ..action import Action
from ..device import _Signer
from ..encoding.jws import Jws
from .directory import Directory
from .problem import Problem

_Bytes = Union[bytes, bytearray, memoryview]

BODY_OVERHEAD: int
OK: int
AGAIN: int
REFUSED: int
LIMITED: int
BUSY: int

def retry_after(headers: Dict[str, str], now: int) -> int: ...
def is_number(text: str) -> bool: ...

class Exchange:
    jws: Jws
    problem: Optional[Problem]
    pause: int
    def __init__(self, signer: _Signer, jws: Jws, out: bytearray) -> None: ...
    def forget(self) -> None: ...
    def get(self, action: Action, url: str) -> None: ...
    def post(
        self,
        action: Action,
        directory: Directory,
        url: str,
        payload: _Bytes,
        size: int,
        accept: str = ...,
        slot: int = ...,
    ) -> None: ...
    def take(self, now: int, status: int, headers: Dict[str, str], body: bytes) -> int: ...
