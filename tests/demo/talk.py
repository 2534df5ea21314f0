"""A conversation with a model, in the parts of OpenTelemetry's conventions."""

from __future__ import annotations

import json
from typing import Any


class Talk:
    """A conversation with a model, which grows by what is said and what tools answer."""

    def __init__(self, system: str, user: str, overhead: int = 1400) -> None:
        self.system = system
        self.messages: list[dict[str, Any]] = [{"role": "user", "parts": [{"type": "text", "content": user}]}]
        self.weight = overhead + len(system) // 4 + len(user) // 4  # tokens; the tools' definitions are the overhead
        self.seen = 0  # of these, what the model has read before

    def add(self, role: str, parts: list[dict[str, Any]], weight: int = 0) -> None:
        """One turn more."""
        self.messages.append({"role": role, "parts": parts})
        self.weight += weight or len(json.dumps(parts)) // 4


def text(words: str) -> list[dict[str, Any]]:
    """The parts of a turn that only says something."""
    return [{"type": "text", "content": words}]
