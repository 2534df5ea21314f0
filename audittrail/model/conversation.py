"""A session: traces that belong to one conversation."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

import msgspec

from audittrail.model.filters import PAGE_SIZE, RANGES, Cursor, check_size, one_of
from audittrail.model.span import Status


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """A session in one line. Sums are over all of its traces."""

    session_id: str
    started_us: int  # of its first trace
    latest_us: int  # start of its latest trace
    latest_trace_id: str
    name: str  # of its latest trace
    status: Status  # of its latest trace
    agent: str | None  # of its latest trace
    end_user: str | None
    traces: int
    errors: int  # traces that settled as errors
    span_count: int
    input_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None


class ConversationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """A list of sessions as it was asked for."""

    range: str = ""  # whose latest trace began in it
    after: Cursor | None = None
    size: int = PAGE_SIZE

    @classmethod
    def parse(cls, *, range: str = "", after: str = "", size: int = PAGE_SIZE) -> Self:
        """From a URL's parameters. Raises Invalid, naming what is allowed."""
        check_size(size)
        return cls(
            range=one_of("time range", range, RANGES) or "",
            after=Cursor.parse(after) if after else None,
            size=size,
        )


class AgentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An agent, and what its traces of a range add up to. Durations are in microseconds."""

    agent: str
    connected: bool  # its spans arrived within the last five minutes
    last_seen_us: int  # when the last span of its newest trace arrived
    traces: int
    errors: int
    error_rate: float | None  # errors among what has settled; None: nothing has
    average_us: int | None
    p95_us: int | None
    input_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None
    unpriced_calls: int
    series: tuple[int, ...] = ()  # traces in each step of the range
