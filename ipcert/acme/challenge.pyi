from typing import List, Tuple

from ..action import Action
from ..device import Device
from ..identifiers import Identifier
from .authorization import Authorization

HTTP: str
DNS: str
PERSIST: str
ALPN: str
FOR_NAMES: Tuple[str, ...]
FOR_ADDRESSES: Tuple[str, ...]

def identifier_of(identifiers: List[Identifier], auth: Authorization) -> Identifier: ...
def publish(dev: Device, it: Action, kind: str, identifier: Identifier, auth: Authorization) -> None: ...
def check(kind: str, identifiers: List[Identifier]) -> None: ...
