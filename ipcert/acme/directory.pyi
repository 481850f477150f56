from typing import Any, Dict, List, Optional

class Directory:
    new_nonce: str
    new_account: str
    new_order: str
    revoke: Optional[str]
    key_change: Optional[str]
    renewal_info: Optional[str]
    terms: Optional[str]
    external_account: bool
    profiles: List[str]
    def __init__(self, obj: Dict[str, Any], base: str = ...) -> None: ...

def choose_profile(profiles: List[str], for_address: bool, wanted: str, before: str) -> str: ...
