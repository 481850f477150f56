from typing import Union

from ..port import Sha256 as _Sha256

_Bytes = Union[bytes, bytearray, memoryview]

def hmac(
    sha256: _Sha256, key: _Bytes, data: _Bytes, start: int, end: int, out: bytearray, offset: int
) -> int: ...
