"""One span of a plan, what can go wrong in it, and what may have to be asked before it."""

from __future__ import annotations

from typing import Any

import msgspec


class Failure(msgspec.Struct, frozen=True):
    """What was raised, and where."""

    type: str
    message: str
    trace: str = ""


OVERLOADED = Failure(
    "OverloadedError",
    "529: the model is overloaded; try again later",
    'Traceback (most recent call last):\n  File "/srv/agents/models.py", line 71, in complete\n'
    "    response = await client.post(path, json=body)\n"
    '  File "/srv/agents/models.py", line 48, in post\n    raise OverloadedError(status, text)',
)


class Ask(msgspec.Struct, frozen=True):
    """A question to POST /api/v1/check before the next step, and what a person will say: None, nobody answers yet."""

    name: str
    args: Any
    answer: str | None = None
    reason: str = ""


class Piece(msgspec.Struct):
    """One span of the plan; times are seconds from the take's beginning."""

    name: str
    parent: int | None
    start: float
    end: float = 0.0
    attributes: dict[str, Any] = {}
    events: list[tuple[float, str, dict[str, Any]]] = []
    failure: Failure | None = None
    ask: Ask | None = None  # no span: the server writes one when it is asked
