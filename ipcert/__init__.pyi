from typing import List

from .device import Device as _Device
from .device import _Port
from .identifiers import Identifier
from .policy import Policy

__version__: str

def Device(port: _Port, policy: Policy, identifiers: List[Identifier], directory_url: str) -> _Device: ...
