"""A span as AuditTrail understands it, whatever dialect it was written in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, get_args

import msgspec

from audittrail.model.record import Event, Link

Kind = Literal[
    "agent",
    "chain",
    "llm",
    "tool",
    "retriever",
    "embedding",
    "reranker",
    "guardrail",
    "evaluator",
    "human",
    "event",
    "other",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Status = Literal["running", "ok", "error", "blocked"]
STATUSES: tuple[Status, ...] = get_args(Status)


class Tokens(msgspec.Struct, frozen=True, gc=False):
    """Usage as OpenTelemetry counts it: input includes both cache counts, output reasoning. None: not reported."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


class Tool(msgspec.Struct, frozen=True, gc=False):
    """A tool's call: what was asked of it, and what it gave back."""

    name: str | None = None
    call_id: str | None = None
    args: Any = None
    result: Any = None


class Cost(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a call cost in US dollars, and how that is known."""

    amount: Decimal
    source: Literal["sent", "genai-prices"]  # sent: the client said so, and it wins
    version: str = ""  # of the price list
    model: str = ""  # as the price list calls it
    provider: str = ""
    rates: dict[str, str] = {}  # US dollars per million tokens by bucket; empty where they depend on the input's length
    tokens: dict[str, int] = {}  # by bucket: input (without cache), cache_read, cache_write, output


class Part(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A piece of a message. `text` and `reasoning` carry text; `tool_call` and `tool_result` carry id, name and value;
    `media` carries what is known of an image, sound or file; `data` is any other JSON."""

    type: Literal["text", "reasoning", "tool_call", "tool_result", "media", "data"]
    text: str | None = None
    id: str | None = None
    name: str | None = None
    value: Any = None


class Message(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One turn of a conversation. Role is as sent: system, user, assistant, tool, developer, …"""

    role: str
    parts: tuple[Part, ...] = ()
    finish_reason: str | None = None


class SpanError(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Why a span failed."""

    message: str = ""
    type: str = ""
    stacktrace: str = ""


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One step of an agent. `input` and `output`: a tuple of Message for a conversation, else text or a JSON value."""

    trace_id: str
    span_id: str
    parent_id: str | None = None
    kind: Kind = "other"
    name: str = ""
    status: Status = "ok"
    started_us: int = 0  # UTC microseconds since 1970
    ended_us: int | None = None  # never before started_us
    agent: str | None = None
    session_id: str | None = None
    end_user: str | None = None
    model: str | None = None
    provider: str | None = None
    tokens: Tokens = Tokens()
    cost: Decimal | None = None  # US dollars; None: unpriced, which is not 0
    cost_basis: Cost | None = None  # how the cost is known
    tool: Tool | None = None
    input: Any = None
    output: Any = None
    error: SpanError | None = None
    attributes: dict[str, Any] = {}
    unmapped: tuple[str, ...] = ()  # names of attributes that no dialect claimed
    notes: tuple[str, ...] = ()  # what had to be mended to understand it, in words
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    resource: dict[str, Any] = {}
    service: str | None = None
    dialect: str = ""  # the dialects that were read, in order of precedence, joined by "+"
    pii: dict[str, int] = {}  # how much of each type was redacted
