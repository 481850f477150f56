from ..port import Signer as _Signer

def write_payload(
    buffer: bytearray | memoryview,
    offset: int,
    account: str | bytes,
    point: bytes | bytearray | memoryview,
    start: int,
) -> int: ...
def write(
    out: bytearray,
    offset: int,
    signer: _Signer,
    slot: int,
    point: bytes | bytearray | memoryview,
    url: str | bytes,
    payload: bytes | bytearray | memoryview,
    size: int,
) -> int: ...
