from typing import Union

_Bytes = Union[bytes, bytearray, memoryview]
_Buffer = Union[bytearray, memoryview]

SCALAR: int
POINT: int
SIGNATURE: int
PAIR: int
SPKI: int
PKCS8: int
PKCS8_SCALAR: int
PKCS8_POINT: int
JWK: int
JWS_ALGORITHM: bytes
ECDSA_SHA256: bytes

def write_spki(buffer: _Buffer, offset: int, point: _Bytes, start: int) -> int: ...
def write_pkcs8(buffer: _Buffer, offset: int, scalar: _Bytes, point: _Bytes) -> int: ...
def write_jwk(buffer: _Buffer, offset: int, point: _Bytes, start: int) -> int: ...
def signature_size(signature: _Bytes, start: int) -> int: ...
def write_signature(buffer: _Buffer, offset: int, signature: _Bytes, start: int) -> int: ...
def signed_size(signature: _Bytes) -> int: ...
def write_signed(buffer: _Buffer, offset: int, signature: _Bytes) -> int: ...
