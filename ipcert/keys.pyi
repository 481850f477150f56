from typing import Union

from .device import _Signer
from .journal import Journal

_Bytes = Union[bytes, bytearray, memoryview]

def fingerprint(signer: _Signer, slot: int, out: bytearray, off: int) -> int: ...

class Ring:
    data: bytearray
    next: int
    def __init__(self) -> None: ...
    def add(self, buf: _Bytes, off: int) -> None: ...
    def holds(self, buf: _Bytes, off: int) -> bool: ...

def check_new(signer: _Signer, slot: int, journal: Journal) -> bytearray: ...
