from collections.abc import Sequence

from ..identifiers import Identifier
from . import der

ARI_SIZE: int

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
    san_start: int
    san_end: int
    is_ca: bool
    def __init__(self) -> None: ...
    def clear(self) -> None: ...

def read(buf: bytes | bytearray | memoryview, start: int, end: int, f: Fields) -> None: ...
def match_san(buf: bytes | bytearray | memoryview, f: Fields, identifiers: Sequence[Identifier]) -> bool: ...
def check_chain_order(buf: bytes | bytearray | memoryview, child: Fields, parent: Fields) -> None: ...
def ari_id(buf: bytearray | memoryview, off: int, src: bytes | bytearray | memoryview, f: Fields) -> int: ...

class Pem:
    buf: bytes | bytearray | memoryview
    pos: int
    end: int
    count: int
    def __init__(self) -> None: ...
    def load(self, buf: bytes | bytearray | memoryview, start: int, end: int) -> None: ...
    def next(self, out: bytearray | memoryview, off: int) -> int: ...

def pem_to_der(buf: bytes | bytearray | memoryview, n: int, out: bytearray | memoryview) -> list[int]: ...
