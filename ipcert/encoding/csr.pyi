from collections.abc import Sequence
from typing import Protocol

from ..identifiers import Identifier

class _Signer(Protocol):
    def public(self, slot: int, buffer: bytearray, offset: int) -> int: ...
    def sign(
        self, slot: int, buffer: bytearray | memoryview, start: int, end: int, out: bytearray, offset: int
    ) -> int: ...

def write(
    buffer: bytearray | memoryview, offset: int, signer: _Signer, slot: int, identifiers: Sequence[Identifier]
) -> int: ...
