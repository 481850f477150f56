from typing import Dict, List, Tuple

from ..device import _Signer
from ..encoding.x509 import Fields
from ..identifiers import Identifier

def check(
    body: bytes, leaf: Fields, signer: _Signer, slot: int, identifiers: List[Identifier], now: int
) -> Tuple[bytes, bytes]: ...
def alternates(headers: Dict[str, str]) -> List[str]: ...
def better(wanted: str, issuer: bytes, size: int, best_issuer: bytes, best_size: int) -> bool: ...
