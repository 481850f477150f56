from typing import Any, Dict, Optional, Tuple

from .problem import Problem

PENDING: int
VALID: int
INVALID: int
DEACTIVATED: int
EXPIRED: int
REVOKED: int
STATUS: Tuple[str, ...]

class Authorization:
    status: int
    value: Any
    wildcard: bool
    url: Optional[str]
    problem: Optional[Problem]
    issuer: Optional[str]
    token: Optional[str]
    answered: bool
    listed: bool
    def __init__(self, obj: Dict[str, Any], kind: str, base: str = ...) -> None: ...

def is_token(value: Any) -> bool: ...
