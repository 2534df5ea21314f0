"""OpenTelemetry's conventions for generative AI, today's and the deprecated ones that are still sent.

https://opentelemetry.io/docs/specs/semconv/gen-ai/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audittrail.ingest.conversation import conversation, parts, turn
from audittrail.ingest.dialects import otel_events
from audittrail.ingest.dialects.draft import Dialect, Draft, TokenNames
from audittrail.ingest.dialects.flattened import rows, tree
from audittrail.ingest.jsontext import structure
from audittrail.ingest.scalars import first_label, label, price
from audittrail.model.record import SpanRecord
from audittrail.model.span import Kind, Message

OPERATIONS: dict[str, Kind] = {
    "chat": "llm",
    "text_completion": "llm",
    "generate_content": "llm",
    "embeddings": "embedding",
    "retrieval": "retriever",
    "search_memory": "retriever",
    "execute_tool": "tool",
    "invoke_agent": "agent",
    "create_agent": "agent",
    "invoke_workflow": "chain",
    "plan": "chain",
    "apply_guardrail": "guardrail",
}
_USAGE = "gen_ai.usage."
_INPUT = (_USAGE + "input_tokens", _USAGE + "prompt_tokens")
_OUTPUT = (_USAGE + "output_tokens", _USAGE + "completion_tokens")
_CACHE_READ = (
    _USAGE + "cache_read.input_tokens",
    _USAGE + "cache_read_input_tokens",
    _USAGE + "details.cache_read_tokens",
    _USAGE + "details.cache_read_input_tokens",
)
_CACHE_WRITE = (
    _USAGE + "cache_write.input_tokens",
    _USAGE + "cache_creation.input_tokens",
    _USAGE + "cache_creation_input_tokens",
    _USAGE + "cache_write_input_tokens",
    _USAGE + "details.cache_write_tokens",
    _USAGE + "details.cache_creation_input_tokens",
)
_REASONING = (
    _USAGE + "reasoning.output_tokens",
    _USAGE + "reasoning_tokens",
    _USAGE + "reasoning_output_tokens",
    _USAGE + "details.reasoning_tokens",
)
_TOKENS = TokenNames(_INPUT, _OUTPUT, _CACHE_READ, _CACHE_WRITE, _REASONING)
_MODEL = ("gen_ai.response.model", "gen_ai.request.model")
_NAMES = frozenset(
    "gen_ai." + name
    for name in [
        "operation.name",
        "provider.name",
        "system",
        "agent.name",
        "agent.id",
        "agent.description",
        "agent.version",
        "conversation.id",
        "output.type",
        "input.messages",
        "output.messages",
        "system_instructions",
        "prompt",
        "completion",
        "retrieval.query.text",
        "retrieval.documents",
        "data_source.id",
        "tool.name",
        "tool.type",
        "tool.description",
        "tool.definitions",
        "tool.call.id",
        "tool.call.arguments",
        "tool.call.result",
        "usage.total_tokens",
        "usage.cost",
        "embeddings.dimension.count",
        "token.type",
    ]
).union(_INPUT, _OUTPUT, _CACHE_READ, _CACHE_WRITE, _REASONING)
_PREFIXES = (
    "gen_ai.request.",
    "gen_ai.response.",
    "gen_ai.prompt.",
    "gen_ai.completion.",
    "gen_ai.guardrail.",
    "gen_ai.openai.",
)

Branch = dict[str, Any] | None


def read(record: SpanRecord, draft: Draft) -> None:
    """Fills what the gen_ai attributes and events can say of the span."""
    a = record.attributes
    operation = label(a.get("gen_ai.operation.name"))
    draft.kind = draft.kind or (OPERATIONS.get(operation) if operation else None)
    draft.agent = draft.agent or label(a.get("gen_ai.agent.name"))
    # session.id is the whole visit, the conversation one thread of it; where both are set the first is the session.
    draft.session_id = draft.session_id or first_label(a, ("session.id", "gen_ai.conversation.id"))
    draft.model = draft.model or first_label(a, _MODEL)
    draft.provider = draft.provider or first_label(a, ("gen_ai.provider.name", "gen_ai.system"))
    _usage(a, draft)
    if draft.kind is None and record.name.startswith("execute_tool "):
        draft.kind = "tool"
    if draft.kind == "tool" or draft.kind is None:  # a dialect after this one may say that it is a tool
        _tool(record, draft)
    if draft.kind == "tool":
        return
    if draft.input is None:
        draft.input = _input(a, draft.branches.get("gen_ai.prompt."))
    if draft.output is None:
        draft.output = _output(a, draft.branches.get("gen_ai.completion."))
    if record.events and (draft.input is None or draft.output is None):
        asked, answered = otel_events.read_messages(record.events)
        draft.input = asked if draft.input is None else draft.input
        draft.output = answered if draft.output is None else draft.output


def _usage(a: Mapping[str, Any], draft: Draft) -> None:
    _TOKENS.read(a, draft)
    if draft.cost is None and _USAGE + "cost" in a:
        draft.cost = price(a[_USAGE + "cost"])


def _tool(record: SpanRecord, draft: Draft) -> None:
    a = record.attributes
    draft.tool_name = draft.tool_name or label(a.get("gen_ai.tool.name"))
    draft.call_id = draft.call_id or label(a.get("gen_ai.tool.call.id"))
    if draft.args is None:
        draft.args = structure(a.get("gen_ai.tool.call.arguments"))
    if draft.result is None:
        draft.result = structure(a.get("gen_ai.tool.call.result"))
    if draft.kind == "tool" and record.events and (draft.args is None or draft.result is None):
        given, got = otel_events.read_tool(record.events)
        draft.args = given if draft.args is None else draft.args
        draft.result = got if draft.result is None else draft.result


def _input(a: Mapping[str, Any], flat: Branch) -> Any:
    found = messages(a.get("gen_ai.input.messages"))
    if found is None:
        found = messages(a.get("gen_ai.prompt"))
    if found is None:
        found = _flat(flat, "user")
    found = instructed(found, a.get("gen_ai.system_instructions"))
    return label(a.get("gen_ai.retrieval.query.text")) if found is None else found


def _output(a: Mapping[str, Any], flat: Branch) -> Any:
    found = messages(a.get("gen_ai.output.messages"))
    if found is None:
        found = messages(a.get("gen_ai.completion"))
    if found is None:
        found = _flat(flat, "assistant")
    return structure(a.get("gen_ai.retrieval.documents")) if found is None else found


def messages(value: Any) -> Any:
    """An attribute that should hold messages: as turns if it does, else as it is. Limits cut JSON text in two."""
    if value is None or value == "":
        return None
    value = structure(value)
    return conversation(value) or value


def instructed(found: Any, instructions: Any) -> Any:
    """The conversation with the system's instructions in front, unless it begins with them."""
    if instructions is None or not (found is None or isinstance(found, tuple)):
        return found
    first = Message("system", tuple(parts(structure(instructions))))
    if not first.parts or (found and found[0].role == "system" and found[0].parts == first.parts):
        return found
    return (first, *(found or ()))


def _flat(branch: Branch, role: str) -> tuple[Message, ...] | None:
    found = []
    for row in rows(tree(branch)) if branch else ():
        content = structure(row.get("content"))
        found.append(
            turn(label(row.get("role")) or role, {**row, "content": content, "tool_calls": rows(row.get("tool_calls"))})
        )
    return tuple(found) or None


DIALECT = Dialect("otel-genai", _NAMES, _PREFIXES, read, ("gen_ai.",))
