from collections.abc import Sequence
from typing import Protocol

from ..identifiers import Identifier

class _Signer(Protocol):
    def public(self, slot: int, buf: bytearray, off: int) -> int: ...
    def sign(
        self, slot: int, buf: bytearray | memoryview, start: int, end: int, out: bytearray, off: int
    ) -> int: ...

def write(
    buf: bytearray | memoryview, off: int, signer: _Signer, slot: int, identifiers: Sequence[Identifier]
) -> int: ...
