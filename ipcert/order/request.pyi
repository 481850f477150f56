from typing import Optional

from ..journal import Record

CONTACTS: int
ROLLOVER: int
DEACTIVATION: int
RECOVERY: int
REVOCATION: int
DEAUTHORIZATION: int

class Request:
    kind: int
    role: int
    record: Optional[Record]
    by_key: bool
    order_url: str
    def __init__(self, kind: int, role: int) -> None: ...
