from typing import Dict, List, Tuple

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
    def suits_better(self, wanted: str, other: Chain) -> bool: ...

def alternates(headers: Dict[str, str]) -> List[str]: ...
def better(wanted: str, issuer: bytes, size: int, best_issuer: bytes, best_size: int) -> bool: ...
