from collections.abc import Sequence
from typing import Any, Dict, List, Optional, Tuple, Union

from ..identifiers import Identifier
from .problem import Problem

_Bytes = Union[bytes, bytearray, memoryview]

PENDING: int
READY: int
PROCESSING: int
VALID: int
INVALID: int
STATUS: Tuple[str, ...]
MOVES: Tuple[Tuple[int, int], ...]

def may_move(old: int, new: int, moves: Tuple[Tuple[int, int], ...] = ...) -> bool: ...

class Order:
    status: int
    authorizations: Sequence[str]
    finalize: Optional[str]
    certificate: Optional[str]
    problem: Optional[Problem]
    def __init__(self, obj: Dict[str, Any], base: str = ..., known: Optional[Order] = ...) -> None: ...

def write_new(
    buffer: bytearray, offset: int, identifiers: List[Identifier], profile: bytes, replaces: bytes
) -> int: ...
def write_finalize(buffer: bytearray, offset: int, csr: _Bytes, size: int) -> int: ...
