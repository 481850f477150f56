from collections.abc import Callable, Sequence
from typing import Protocol

class _Signer(Protocol):
    def jws(
        self,
        slot: int,
        parts: Sequence[bytes | bytearray],
        payload: bytes | bytearray | memoryview,
        n: int,
        out: bytearray,
        offset: int,
    ) -> int: ...

class _Hasher(Protocol):
    def sha256(
        self, buffer: bytes | bytearray | memoryview, start: int, end: int, out: bytearray, offset: int
    ) -> int: ...

THUMBPRINT_SIZE: int

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
    with_kid: list[bytes | bytearray]
    with_jwk: list[bytes | bytearray]
    inner: list[bytes | bytearray]
    parts: list[bytes | bytearray]
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
    def write_inner(
        self,
        out: bytearray,
        offset: int,
        signer: _Signer,
        slot: int,
        url: str | bytes,
        payload: bytes | bytearray | memoryview,
        size: int,
    ) -> int: ...

def write_key_change(
    buffer: bytearray | memoryview,
    offset: int,
    account: str | bytes,
    point: bytes | bytearray | memoryview,
    start: int,
) -> int: ...
def write_binding(
    out: bytearray | memoryview,
    offset: int,
    hmac: Callable[[bytearray | memoryview, int, int, bytearray, int], int],
    kid: str | bytes,
    url: str | bytes,
    point: bytes | bytearray | memoryview,
    point_start: int,
    scratch: bytearray,
) -> int: ...
