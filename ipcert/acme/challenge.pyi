from typing import Any, Callable, List, Protocol, Tuple

from ..action import Action
from ..identifiers import Identifier
from ..port import Port as _Port
from .authorization import Authorization

HTTP: str
DNS: str
ACCOUNT: str
PERSIST: str
ALPN: str

class _Account(Protocol):
    thumbprint: bytearray
    def url(self) -> str: ...

class Publisher:
    port: _Port
    account: _Account
    def __init__(self, port: _Port, account: _Account) -> None: ...
    def key_authorization(self, authorization: Any) -> bytes: ...
    def digest(self, data: bytes) -> bytearray: ...

class _Answer(Protocol):
    def __call__(
        self,
        row: Type,
        publisher: Publisher,
        action: Action,
        identifier: Identifier,
        authorization: Authorization,
    ) -> None: ...

class Type:
    name: str
    addresses: bool
    wildcards: bool
    record: str
    lasting: bool
    names_account: bool
    resolves: bool
    load: Callable[[], _Answer]
    def __init__(
        self,
        name: str,
        addresses: bool,
        wildcards: bool,
        record: str,
        lasting: bool,
        names_account: bool,
        resolves: bool,
        load: Callable[[], _Answer],
    ) -> None: ...

TABLE: Tuple[Type, ...]
FOR_NAMES: Tuple[str, ...]
FOR_ADDRESSES: Tuple[str, ...]

def find(name: str) -> Type: ...
def identifier_of(identifiers: List[Identifier], authorization: Authorization) -> Identifier: ...
def publish(
    publisher: Publisher, action: Action, kind: str, identifier: Identifier, authorization: Authorization
) -> None: ...
def check(kind: str, identifiers: List[Identifier]) -> None: ...
