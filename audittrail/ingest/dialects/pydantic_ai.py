"""Pydantic AI: OpenTelemetry's conventions, and a few names of its own for the agent's run and its tools."""

from __future__ import annotations

from typing import Any

from audittrail.ingest.conversation import conversation
from audittrail.ingest.dialects.draft import Dialect, Draft
from audittrail.ingest.jsontext import structure
from audittrail.ingest.scalars import count, label, price
from audittrail.model.record import SpanRecord
from audittrail.model.span import Message

_NAMES = frozenset(
    [
        "agent_name",
        "model_name",
        "final_result",
        "tool_arguments",
        "tool_response",
        "all_messages_events",
        "operation.cost",
        "pydantic_ai.all_messages",
        "pydantic_ai.new_message_index",
    ]
)


def read(record: SpanRecord, draft: Draft) -> None:
    """Fills what is still unsaid after the gen_ai attributes."""
    a = record.attributes
    if draft.kind is None and record.name == "agent run":
        draft.kind = "agent"
    if draft.kind is None and record.name == "running tool":
        draft.kind = "tool"
    draft.agent = draft.agent or label(a.get("agent_name"))
    draft.model = draft.model or label(a.get("model_name"))
    if draft.cost is None:
        draft.cost = price(a.get("operation.cost"))
    if draft.args is None:
        draft.args = structure(a.get("tool_arguments"))
    if draft.result is None:
        draft.result = structure(a.get("tool_response"))
    if draft.input is None or draft.output is None:
        _run(a, draft)


def _run(a: dict[str, Any], draft: Draft) -> None:
    whole = structure(a.get("pydantic_ai.all_messages", a.get("all_messages_events")))
    turns = conversation(whole) or ()
    if draft.input is None and turns:
        draft.input = turns[: _answer(turns, count(a.get("pydantic_ai.new_message_index")) or 0)]
    if draft.output is None:
        draft.output = structure(a.get("final_result"))
        if draft.output is None and turns:
            draft.output = turns[-1:]


def _answer(turns: tuple[Message, ...], start: int) -> int:
    """Where the run's own answers begin: what was asked of it stands before, the earlier conversation included."""
    for at in range(min(start, len(turns)), len(turns)):
        if turns[at].role == "assistant":
            return at
    return len(turns)


DIALECT = Dialect("pydantic-ai", _NAMES, (), read)
