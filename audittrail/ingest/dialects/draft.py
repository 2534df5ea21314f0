"""What the dialects fill in together: each finds what it can say, and leaves alone what one before it has said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from audittrail.ingest.dialects.flattened import Branches
from audittrail.ingest.scalars import first_count
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


class TokenNames(msgspec.Struct, frozen=True):
    """What a dialect calls the five counts; of each the first that is one."""

    input_tokens: tuple[str, ...] = ()
    output_tokens: tuple[str, ...] = ()
    cache_read: tuple[str, ...] = ()
    cache_write: tuple[str, ...] = ()
    reasoning: tuple[str, ...] = ()

    def read(self, said: Mapping[str, Any], draft: Draft) -> None:
        """Fills those that are still None."""
        if draft.input_tokens is None:
            draft.input_tokens = first_count(said, self.input_tokens)
        if draft.output_tokens is None:
            draft.output_tokens = first_count(said, self.output_tokens)
        if draft.cache_read is None:
            draft.cache_read = first_count(said, self.cache_read)
        if draft.cache_write is None:
            draft.cache_write = first_count(said, self.cache_write)
        if draft.reasoning is None:
            draft.reasoning = first_count(said, self.reasoning)


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
