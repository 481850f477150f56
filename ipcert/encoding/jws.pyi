from typing import Protocol

class _Signer(Protocol):
    def jws(
        self,
        __slot: int,
        __parts: list[bytes | bytearray | memoryview],
        __payload: bytes | bytearray | memoryview,
        __size: int,
        __out: bytearray,
        __offset: int,
    ) -> int: ...

class _Hasher(Protocol):
    def sha256(
        self,
        __buffer: bytes | bytearray | memoryview,
        __start: int,
        __end: int,
        __out: bytearray,
        __offset: int,
    ) -> int: ...

THUMBPRINT_SIZE: int

def _bytes(data: str | bytes | bytearray) -> bytes: ...
def plain(data: str | bytes | bytearray, limit: int, member: str) -> bytes: ...
def is_nonce(nonce: str | bytes | bytearray) -> bool: ...
def thumbprint(
    buffer: bytearray | memoryview,
    offset: int,
    signer: _Hasher,
    point: bytes | bytearray | memoryview,
    start: int,
    scratch: bytearray,
) -> int: ...

class Jws:
    jwk: bytearray
    with_kid: list[bytes | bytearray | memoryview]
    with_jwk: list[bytes | bytearray | memoryview]
    parts: list[bytes | bytearray | memoryview]
    def __init__(self) -> None: ...
    def set_kid(self, url: str | bytes) -> None: ...
    def set_jwk(self, point: bytes | bytearray | memoryview, start: int = 0) -> None: ...
    def write(
        self,
        out: bytearray,
        offset: int,
        signer: _Signer,
        slot: int,
        url: str | bytes,
        nonce: str | bytes,
        payload: bytes | bytearray | memoryview,
        size: int,
    ) -> int: ...
