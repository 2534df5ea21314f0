"""MLflow Tracing: every value is JSON text, also a name.

https://mlflow.org/docs/latest/genai/tracing/
"""

from __future__ import annotations

from typing import Any

from audittrail.ingest.conversation import conversation
from audittrail.ingest.dialects.draft import Dialect, Draft, TokenNames
from audittrail.ingest.jsontext import unquoted
from audittrail.ingest.scalars import label, price
from audittrail.model.record import SpanRecord
from audittrail.model.span import Kind

_KINDS: dict[str, Kind] = {
    "LLM": "llm",
    "CHAT_MODEL": "llm",
    "EMBEDDING": "embedding",
    "RETRIEVER": "retriever",
    "RERANKER": "reranker",
    "TOOL": "tool",
    "AGENT": "agent",
    "CHAIN": "chain",
    "WORKFLOW": "chain",
    "TASK": "chain",
    "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluator",
    "PARSER": "other",
    "MEMORY": "other",
    "UNKNOWN": "other",
}
_TOKENS = TokenNames(
    ("input_tokens",),
    ("output_tokens",),
    ("cache_read_input_tokens",),
    ("cache_creation_input_tokens",),
    ("reasoning_tokens", "reasoning_output_tokens"),
)
_NAMES = frozenset(
    "mlflow." + name
    for name in [
        "spanType",
        "spanInputs",
        "spanOutputs",
        "spanFunctionName",
        "spanLogLevel",
        "traceRequestId",
        "experimentId",
        "modelId",
    ]
)
_PREFIXES = ("mlflow.chat.", "mlflow.llm.", "mlflow.message.", "mlflow.trace.", "mlflow.traceTag.", "mlflow.spanType.")


def read(record: SpanRecord, draft: Draft) -> None:
    """Fills what MLflow can say of the span."""

    def said(name: str) -> Any:
        return unquoted(record.attributes.get("mlflow." + name))

    kind = label(said("spanType"))
    draft.kind = draft.kind or (_KINDS.get(kind.upper()) if kind else None)
    draft.session_id = draft.session_id or label(said("trace.session"))
    draft.end_user = draft.end_user or label(said("trace.user"))
    draft.model = draft.model or label(said("llm.model"))
    draft.provider = draft.provider or label(said("llm.provider"))
    usage, cost = said("chat.tokenUsage"), said("llm.cost")
    if isinstance(usage, dict):
        _TOKENS.read(usage, draft)
    if draft.cost is None and isinstance(cost, dict):
        draft.cost = price(cost.get("total_cost"))
    asked, answered = said("spanInputs"), said("spanOutputs")
    if draft.kind == "tool":
        draft.tool_name = draft.tool_name or label(record.name)
        draft.args = asked if draft.args is None else draft.args
        draft.result = answered if draft.result is None else draft.result
        return
    if draft.input is None:
        draft.input = conversation(asked) or asked
    if draft.output is None:
        draft.output = conversation(answered) or answered


DIALECT = Dialect("mlflow", _NAMES, _PREFIXES, read)
