"""What the dialects fill in together: each finds what it can say, and leaves alone what one before it has said."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from audittrail.ingest.dialects.flattened import Branches
from audittrail.model.record import SpanRecord
from audittrail.model.span import Kind, Message


class Draft(msgspec.Struct):
    """A span's meaning so far. None: nobody has said."""

    kind: Kind | None = None
    agent: str | None = None
    session_id: str | None = None
    end_user: str | None = None
    model: str | None = None
    provider: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    cost: Decimal | None = None
    tool_name: str | None = None
    call_id: str | None = None
    args: Any = None
    result: Any = None
    input: tuple[Message, ...] | Any = None
    output: tuple[Message, ...] | Any = None
    error_type: str | None = None
    error_message: str | None = None
    failed: bool = False  # said by other means than the span's status
    blocked: bool = False  # a rule or a person kept it from being done
    branches: Branches = {}  # the attributes below each prefix of a dialect, by that prefix and the rest of their names


class Dialect(msgspec.Struct, frozen=True):
    """One way to write agents' spans down.

    A span speaks it when it has an attribute of such a name or prefix, or an event with that prefix; then `read` fills
    what is still None in the draft. A prefix is two steps with their dots, `llm.tools.`. Names and prefixes are also
    what counts as understood: the others are `Span.unmapped`.
    """

    name: str
    names: frozenset[str]
    prefixes: tuple[str, ...]
    read: Callable[[SpanRecord, Draft], None]
    event_prefixes: tuple[str, ...] = ()
