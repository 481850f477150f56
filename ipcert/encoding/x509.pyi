from collections.abc import Sequence

from ..identifiers import Identifier
from . import der

ARI_SIZE: int

def san_size(identifiers: Sequence[Identifier]) -> int: ...
def write_san(buffer: bytearray | memoryview, offset: int, identifiers: Sequence[Identifier]) -> int: ...

class Fields:
    outer: der.Reader
    middle: der.Reader
    inner: der.Reader
    not_before: int
    not_after: int
    serial_start: int
    serial_end: int
    issuer_start: int
    issuer_end: int
    subject_start: int
    subject_end: int
    spki_start: int
    spki_end: int
    aki_start: int
    aki_end: int
    ski_start: int
    ski_end: int
    san_start: int
    san_end: int
    is_ca: bool
    def __init__(self) -> None: ...
    def clear(self) -> None: ...

def read(buffer: bytes | bytearray | memoryview, start: int, end: int, fields: Fields) -> None: ...
def match_san(
    buffer: bytes | bytearray | memoryview, fields: Fields, identifiers: Sequence[Identifier]
) -> bool: ...
def is_named(buffer: bytes | bytearray | memoryview, child: Fields, parent: Fields) -> bool: ...
def is_issuer(buffer: bytes | bytearray | memoryview, child: Fields, parent: Fields) -> bool: ...
def ari_id(
    buffer: bytearray | memoryview, offset: int, source: bytes | bytearray | memoryview, fields: Fields
) -> int: ...

class Pem:
    buffer: bytes | bytearray
    position: int
    end: int
    count: int
    def __init__(self) -> None: ...
    def load(self, buffer: bytes | bytearray, start: int, end: int) -> None: ...
    def next(self, out: bytearray | memoryview, offset: int) -> int: ...

def pem_size(size: int) -> int: ...
def write_pem(
    buffer: bytearray | memoryview, offset: int, source: bytes | bytearray | memoryview, start: int, end: int
) -> int: ...
def pem_to_der(buffer: bytes | bytearray, size: int, out: bytearray | memoryview) -> list[int]: ...
