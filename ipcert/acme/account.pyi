from typing import Any, Callable, Dict, Optional, Sequence, Tuple

VALID: int
DEACTIVATED: int
REVOKED: int
STATUS: Tuple[str, ...]

def write_new(
    buffer: bytearray,
    offset: int,
    contacts: Sequence[str],
    agree_terms: bool,
    bind: Optional[Callable[[bytearray, int], int]] = ...,
) -> int: ...
def write_contacts(buffer: bytearray, offset: int, contacts: Sequence[str]) -> int: ...
def write_existing(buffer: bytearray, offset: int) -> int: ...
def read(obj: Dict[str, Any], location: Optional[str]) -> str: ...
