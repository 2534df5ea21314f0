"""OpenLLMetry (Traceloop): OpenTelemetry's names for model calls, and its own for what calls them.

https://github.com/traceloop/openllmetry
"""

from __future__ import annotations

from typing import Any

from audittrail.ingest.conversation import conversation
from audittrail.ingest.dialects.called import given
from audittrail.ingest.dialects.draft import Dialect, Draft, TokenNames
from audittrail.ingest.jsontext import unquoted
from audittrail.ingest.scalars import first_label, label
from audittrail.model.record import SpanRecord
from audittrail.model.span import Kind

_KINDS: dict[str, Kind] = {"workflow": "chain", "task": "chain", "agent": "agent", "tool": "tool"}
_REQUESTS: dict[str, Kind] = {"chat": "llm", "completion": "llm", "embedding": "embedding", "rerank": "reranker"}
_OPERATIONS: dict[str, Kind] = {"execute_task": "chain", "vector_db_retrieve": "retriever"}
# Databases of vectors, as `db.system` and the names of their spans call them: a query of one is a retrieval.
_VECTORS = frozenset(["chroma", "pinecone", "qdrant", "weaviate", "milvus", "lancedb", "marqo", "elasticsearch"])
_P = "traceloop.association.properties."
_SESSION = tuple(_P + name for name in ("session_id", "thread_id", "conversation_id"))
_TOKENS = TokenNames(
    cache_read=("llm.usage.cache_read_input_tokens",),
    cache_write=("llm.usage.cache_creation_input_tokens",),
    reasoning=("llm.usage.reasoning_tokens",),
)
_NAMES = frozenset(
    [
        "traceloop.span.kind",
        "traceloop.workflow.name",
        "llm.request.type",
        "llm.usage.total_tokens",
        "llm.usage.reasoning_tokens",
        "llm.usage.cache_read_input_tokens",
        "llm.usage.cache_creation_input_tokens",
        "llm.is_streaming",
        "llm.headers",
        "llm.user",
        "gen_ai.is_streaming",
        "gen_ai.user",
        "gen_ai.task.input",
        "gen_ai.task.output",
        "gen_ai.task.name",
        "gen_ai.task.id",
        "gen_ai.task.parent.id",
        "gen_ai.task.status",
        "openai.response.service_tier",
    ]
)
_PREFIXES = (
    "traceloop.entity.",
    "traceloop.association.",
    "traceloop.prompt.",
    "llm.request.",
    "llm.chat.",
    "llm.openai.",
)


def read(record: SpanRecord, draft: Draft) -> None:
    """Fills what is still unsaid after the gen_ai attributes."""
    a = record.attributes
    draft.kind = draft.kind or _kind(a)
    name = label(a.get("traceloop.entity.name"))
    if draft.kind == "agent":
        draft.agent = draft.agent or name
    draft.session_id = draft.session_id or first_label(a, _SESSION)
    draft.end_user = draft.end_user or first_label(a, (_P + "user_id", "gen_ai.user", "llm.user"))
    _TOKENS.read(a, draft)
    asked, answered = unquoted(a.get("traceloop.entity.input")), unquoted(a.get("traceloop.entity.output"))
    if draft.kind == "tool":
        draft.tool_name = draft.tool_name or name
        # gen_ai.tool.call.arguments and .result hold what the entity's do, envelope and all.
        draft.args = _given(asked if draft.args is None else draft.args)
        draft.result = _returned(answered if draft.result is None else draft.result)
        return
    if draft.input is None:
        asked = _given(asked)
        draft.input = conversation(asked) or asked
    if draft.output is None:
        answered = _gave(answered)
        draft.output = conversation(answered) or answered


def _kind(a: dict[str, Any]) -> Kind | None:
    operation = label(a.get("gen_ai.operation.name"))
    if operation in _OPERATIONS:
        return _OPERATIONS[operation]
    kind = label(a.get("traceloop.span.kind"))
    if kind in _KINDS:
        return _KINDS[kind]
    request = label(a.get("llm.request.type"))
    if request in _REQUESTS:
        return _REQUESTS[request]
    database = label(a.get("db.system"))
    return "retriever" if database and database.lower() in _VECTORS else None


def _given(value: Any) -> Any:
    """LangChain's callbacks are told tags and metadata of their own beside what was given."""
    if isinstance(value, dict) and "inputs" in value and "metadata" in value:
        return value["inputs"]
    return given(value)


def _gave(value: Any) -> Any:
    if isinstance(value, dict) and "kwargs" in value and len(value) == 2:
        return value.get("outputs", value.get("output", value))
    return value


def _returned(value: Any) -> Any:
    """What a tool gave, also out of the message that LangChain puts it into."""
    value = _gave(value)
    if isinstance(value, dict) and value.get("lc") == 1 and isinstance(value.get("kwargs"), dict):
        return unquoted(value["kwargs"].get("content", value))
    return value


DIALECT = Dialect("openllmetry", _NAMES, _PREFIXES, read)
