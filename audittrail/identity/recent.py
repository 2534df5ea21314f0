"""What is remembered of many names in bounded memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

V = TypeVar("V")
ENTRIES = 10_000  # about 3 MB of addresses or accounts


class Recent(OrderedDict[str, V]):
    """Values by name; of more than `entries` names, the one that was quiet longest is forgotten first."""

    def __init__(self, entries: int = ENTRIES) -> None:
        super().__init__()
        self._entries = entries

    def keep(self, name: str, value: V) -> None:
        """Remembers the value, and that the name was heard of just now."""
        self[name] = value
        self.move_to_end(name)
        if len(self) > self._entries:
            self.popitem(last=False)
