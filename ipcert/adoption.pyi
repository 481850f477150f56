from .journal import Record
from .keys import Ring

class Adoption:
    text: str
    not_before: int
    not_after: int
    key_hash: bytes
    def __init__(self, text: str, not_before: int, not_after: int, key_hash: bytes) -> None: ...

def adopt(adoption: Adoption, record: Record, ring: Ring) -> None: ...
