from ..device import _Signer
from ..identifiers import Identifier

SIZE: int

def write(
    buffer: bytearray, offset: int, signer: _Signer, slot: int, identifier: Identifier, digest: bytearray
) -> int: ...
def server_name(identifier: Identifier) -> str: ...
