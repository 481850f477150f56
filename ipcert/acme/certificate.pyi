from typing import List, Tuple

from ..encoding.x509 import Fields
from ..identifiers import Identifier
from ..port import Signer as _Signer

def check(
    body: bytes, leaf: Fields, signer: _Signer, slot: int, identifiers: List[Identifier], now: int
) -> Tuple[bytes, bytes]: ...

class Chain:
    pem: bytes
    ari_id: bytes
    issuer: bytes
    not_before: int
    not_after: int
    def __init__(
        self, pem: bytes, signer: _Signer, slot: int, identifiers: List[Identifier], now: int
    ) -> None: ...
