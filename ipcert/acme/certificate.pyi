from typing import Dict, List, Union

from ..identifiers import Identifier
from ..port import Signer as _Signer

class Chain:
    pem: bytearray
    ari_id: bytes
    issuer: bytes
    not_before: int
    not_after: int
    def __init__(
        self,
        body: Union[bytes, bytearray],
        signer: _Signer,
        slot: int,
        identifiers: List[Identifier],
        now: int,
    ) -> None: ...
    def suits_better(self, wanted: str, other: Chain) -> bool: ...

def alternates(headers: Dict[str, str], base: str = ...) -> List[str]: ...
def is_under(wanted: str, issuer: bytes) -> bool: ...
def better(wanted: str, issuer: bytes, size: int, best_issuer: bytes, best_size: int) -> bool: ...
