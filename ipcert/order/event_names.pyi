from typing import Tuple

EVENTS: Tuple[str, ...]
