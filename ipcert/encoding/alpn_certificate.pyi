from ..identifiers import Identifier
from ..port import Signer as _Signer

SIZE: int

def write(
    buffer: bytearray, offset: int, signer: _Signer, slot: int, identifier: Identifier, digest: bytearray
) -> int: ...
def server_name(identifier: Identifier) -> str: ...
