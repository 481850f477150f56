from typing import List, Union

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
