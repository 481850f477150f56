from typing import Any, Optional, Tuple, Union

from .journal import Record

_Bytes = Union[bytes, bytearray, memoryview]

WAIT: int
SEND: int
PUBLISH: int
WITHDRAW: int
WRITE: int
ERASE: int
DEPLOY: int
NOTIFY: int
NAMES: Tuple[str, ...]

NOTHING: int
ISSUANCE: int
RENEWAL_INFORMATION: int
OPERATION: int

class Publication:
    challenge: str
    subject: str
    name: str
    token: str
    text: bytes
    def __init__(self, challenge: str, subject: str, name: str, token: str, text: bytes) -> None: ...

class Action:
    number: int
    kind: int
    until: Optional[int]
    busy: bool
    method: str
    body: bytes
    size: int
    record: Optional[Record]
    key: bytes
    notice: int
    def __init__(self) -> None: ...
    def wait(self, until: Optional[int], busy: bool) -> None: ...
    url: str
    accept: str
    def send(self, method: str, url: str, body: _Bytes, size: int, accept: str = ...) -> None: ...
    challenge: str
    subject: str
    name: str
    token: str
    text: Any
    def publish(self, challenge: str, subject: str, name: str, token: str, text: bytes) -> None: ...
    publication: Optional[Publication]
    def withdraw(self, publication: Publication) -> None: ...
    def write(self, name: str, body: _Bytes, size: int) -> None: ...
    def erase(self, name: str) -> None: ...
    chain: bytes
    def deploy(self, record: Record, key: bytes, chain: bytes) -> None: ...
    def notify(self, notice: int, subject: str, text: str) -> None: ...
