from typing import Dict, List, Optional, Tuple

from .errors import Error

INFO: int
WARNING: int
ALERT: int
SEVERITY: Tuple[str, str, str]
COMBINED: int
IPV6_PUBLISHED: int
FAMILIES_IN_ONE: int
BOTH_FAMILIES: int
NAME_POINTS_HERE: int
EUI64: int
BOTH_URGENT: int
CONSENT_NEEDED: int
CONSENT_GIVEN: int
ISSUED: int
FAILED: int
LIMITED: int
LAPSED: int
EMERGENCY: int
CLOCK: int
CLONED: int
RETIRED: int
HELD: int
TERMS: int
PROFILE: int
ADDRESS_PUBLISHED: int
REVOKED: int
ACCOUNT_LOST: int
CA_CHANGED: int
DOUBTED: int
WAITS: int
CHAIN: int
CODES: Tuple[str, ...]

def code(number: int) -> str: ...
def severity(number: int) -> int: ...
def text(number: int, subject: str, detail: str = ...) -> str: ...

class Notice:
    number: int
    subject: str
    text: str
    def __init__(self, number: int, subject: str, text: str) -> None: ...

class Outbox:
    _waiting: List[Notice]
    last_error: Optional[Error]
    errors: Dict[str, Optional[Error]]
    issued: int
    failures: int
    def __init__(self) -> None: ...
    def notice(self, number: int, subject: str, text: str = ...) -> None: ...
    def next(self) -> Optional[Notice]: ...
