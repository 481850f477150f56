from typing import Any, Dict

def url(base: str, certificate: str) -> str: ...

class RenewalInfo:
    start: int
    end: int
    explanation: str
    def __init__(self, obj: Dict[str, Any]) -> None: ...
