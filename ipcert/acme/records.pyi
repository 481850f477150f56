from typing import Any

from ..action import Action
from ..identifiers import Identifier
from .challenge import Publisher, Type

def answer(
    row: Type, publisher: Publisher, action: Action, identifier: Identifier, authorization: Any
) -> None: ...
def _lasting(publisher: Publisher, identifier: Identifier, authorization: Any) -> str: ...
def _label(publisher: Publisher) -> str: ...
