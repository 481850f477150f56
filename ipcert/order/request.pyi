from typing import Any

CONTACTS: int
ROLLOVER: int
DEACTIVATION: int
RECOVERY: int
REVOCATION: int
DEAUTHORIZATION: int

class Request:
    kind: int
    role: int
    record: Any  # a journal.Record for REVOCATION, else None
    by_key: bool
    order_url: str
    def __init__(self, kind: int, role: int) -> None: ...
