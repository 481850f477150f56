from collections.abc import Callable

from ..account import Account
from ..policy import Policy

def binding(account: Account, policy: Policy) -> Callable[[bytearray, int], int]: ...
def write(
    out: bytearray | memoryview,
    offset: int,
    hmac_of: Callable[[bytearray | memoryview, int, int, bytearray, int], int],
    kid: str | bytes,
    url: str | bytes,
    point: bytes | bytearray | memoryview,
    point_start: int,
    scratch: bytearray,
) -> int: ...
