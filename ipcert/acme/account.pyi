from typing import Callable, Optional, Sequence, Tuple

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
def read(body: bytes, location: Optional[str], base: str = ...) -> str: ...
