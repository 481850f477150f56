from typing import Any, List, Optional, Tuple

def clean(text: Any, limit: int = ...) -> str: ...

class Problem:
    status: int
    type: str
    detail: str
    subproblems: List[Tuple[str, str, str]]
    def __init__(self, status: int, obj: Any, body: bytes = ...) -> None: ...

def error_member(obj: Any) -> Optional[Problem]: ...
