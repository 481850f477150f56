from typing import Optional, Sequence

class Policy:
    urgent: str
    spread: int
    setting: str
    combined: bool
    first_delay: int
    recovery: int
    strict_ari: bool
    min_ip_age: int
    profile_name: str
    profile_ip: str
    test_ca: bool
    compress: int
    contacts: Sequence[str]
    agree_terms: bool
    challenge_name: str
    challenge_ip: str
    preferred_chain: str
    eab_kid: str
    eab_key: bytes
    accounturi: bool
    def __init__(
        self,
        urgent: str = ...,
        setting: str = ...,
        combined: bool = ...,
        first_delay: Optional[int] = ...,
        recovery: int = ...,
        strict_ari: bool = ...,
        min_ip_age: int = ...,
        profile_name: str = ...,
        profile_ip: str = ...,
        test_ca: bool = ...,
        compress: int = ...,
        contacts: Sequence[str] = ...,
        agree_terms: bool = ...,
        challenge_name: str = ...,
        challenge_ip: str = ...,
        preferred_chain: Optional[str] = ...,
        eab_kid: str = ...,
        eab_key: bytes = ...,
        spread: int = ...,
        accounturi: Optional[bool] = ...,
    ) -> None: ...
