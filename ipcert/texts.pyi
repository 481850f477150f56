from typing import Tuple

NOTICES: Tuple[str, ...]
SCOPES: Tuple[Tuple[str, str], ...]

def notice(number: int, subject: str, detail: str) -> str: ...
def scope(kind: str) -> str: ...
