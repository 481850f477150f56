from typing import Union

_Bytes = Union[bytes, bytearray, memoryview]

BOOLEAN: int
INTEGER: int
BIT_STRING: int
OCTET_STRING: int
OBJECT_IDENTIFIER: int
UTC_TIME: int
GENERALIZED_TIME: int
SEQUENCE: int
SET: int
EXPLICIT_0: int
EXPLICIT_3: int
IMPLICIT_0: int
IMPLICIT_1: int
IMPLICIT_2: int
IMPLICIT_7: int

def size(content: int) -> int: ...
def head(buffer: Union[bytearray, memoryview], offset: int, tag: int, content: int) -> int: ...

class Reader:
    buffer: _Bytes
    position: int
    limit: int
    tag: int
    header: int
    start: int
    end: int
    def __init__(self) -> None: ...
    def load(self, buffer: _Bytes, start: int, end: int) -> None: ...
    def next(self) -> bool: ...
    def expect(self, tag: int) -> None: ...
    def only(self, tag: int) -> None: ...
    def length(self) -> int: ...
    def finish(self) -> None: ...
