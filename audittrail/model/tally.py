"""What a project received and refused over a time."""

from __future__ import annotations

import msgspec


class Received(msgspec.Struct, frozen=True):
    """Traces that began in the time, and what they are made of."""

    traces: int = 0
    spans: int = 0
    model_calls: int = 0
    tool_calls: int = 0


class RefusedReason(msgspec.Struct, frozen=True):
    """How many spans, and in how many requests, were refused for one reason."""

    signal: str  # traces, logs, metrics
    reason: str
    spans: int
    requests: int
