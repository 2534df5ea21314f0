"""LangSmith's OpenTelemetry export: gen_ai attributes that hold whole bodies, and the truth about the kind beside them.

https://docs.langchain.com/langsmith/trace-with-opentelemetry
"""

from __future__ import annotations

from typing import Any

from audittrail.ingest.dialects.draft import Dialect, Draft
from audittrail.ingest.jsontext import structure
from audittrail.ingest.scalars import count, first_label, label
from audittrail.model.record import SpanRecord
from audittrail.model.span import Kind

# gen_ai.operation.name says "embeddings" of a retriever here, and "chain".
_KINDS: dict[str, Kind] = {
    "llm": "llm",
    "chain": "chain",
    "tool": "tool",
    "retriever": "retriever",
    "embedding": "embedding",
    "prompt": "other",
    "parser": "other",
}
_M = "langsmith.metadata."
_SESSION = tuple(_M + name for name in ("session_id", "thread_id", "conversation_id"))
_NAMES = frozenset(["gen_ai.serialized.name", "gen_ai.serialized.signature", "gen_ai.serialized.doc"])
_PREFIXES = ("langsmith.span.", "langsmith.trace.", "langsmith.metadata.", "langsmith.internal.")


def read(record: SpanRecord, draft: Draft) -> None:
    """Fills what LangSmith says otherwise than OpenTelemetry's conventions would."""
    a = record.attributes
    kind = label(a.get("langsmith.span.kind"))
    draft.kind = draft.kind or (_KINDS.get(kind.lower()) if kind else None)
    draft.session_id = draft.session_id or first_label(a, _SESSION)
    draft.end_user = draft.end_user or label(a.get(_M + "user_id"))
    usage = structure(a.get(_M + "usage_metadata"))
    if isinstance(usage, dict):
        given, got = _details(usage, "input_token_details"), _details(usage, "output_token_details")
        draft.cache_read = count(given.get("cache_read")) if draft.cache_read is None else draft.cache_read
        draft.cache_write = count(given.get("cache_creation")) if draft.cache_write is None else draft.cache_write
        draft.reasoning = count(got.get("reasoning")) if draft.reasoning is None else draft.reasoning
    if draft.kind == "tool":
        draft.args = structure(a.get("gen_ai.prompt")) if draft.args is None else draft.args
        draft.result = _output(a) if draft.result is None else draft.result
    elif draft.kind != "llm" and draft.output is None:
        draft.output = _output(a)


def _details(usage: dict[str, Any], name: str) -> dict[str, Any]:
    found = usage.get(name)
    return found if isinstance(found, dict) else {}


def _output(a: dict[str, Any]) -> Any:
    """What a function returned is wrapped, so that it is an object."""
    value = structure(a.get("gen_ai.completion"))
    return value["output"] if isinstance(value, dict) and value.keys() == {"output"} else value


DIALECT = Dialect("langsmith", _NAMES, _PREFIXES, read)
