from typing import List

from .device import Device as _Device
from .policy import Policy
from .port import Port as _Port
from .split import Certificate

__version__: str

def Device(port: _Port, policy: Policy, certificates: List[Certificate], directory_url: str) -> _Device: ...
