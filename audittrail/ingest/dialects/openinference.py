"""OpenInference (Arize Phoenix): messages flattened into attribute names, inputs and outputs as `input.value`.

https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audittrail.ingest.conversation import call, conversation, part
from audittrail.ingest.dialects.draft import Dialect, Draft, TokenNames
from audittrail.ingest.dialects.flattened import rows, tree
from audittrail.ingest.jsontext import structure
from audittrail.ingest.scalars import first_label, label, price
from audittrail.model.record import SpanRecord
from audittrail.model.span import Kind, Message, Part

_KINDS: dict[str, Kind] = {
    "LLM": "llm",
    "EMBEDDING": "embedding",
    "RETRIEVER": "retriever",
    "RERANKER": "reranker",
    "TOOL": "tool",
    "AGENT": "agent",
    "CHAIN": "chain",
    "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluator",
    "PROMPT": "other",
    "UNKNOWN": "other",
}
_MODEL = (
    "llm.response.model_name",
    "llm.model_name",
    "llm.request.model_name",
    "embedding.model_name",
    "reranker.model_name",
)
_CALL_ID = ("tool_call.id", "tool.id", "message.tool_call_id")
_COUNT = "llm.token_count."
_TOKENS = TokenNames(
    (_COUNT + "prompt",),
    (_COUNT + "completion",),
    (_COUNT + "prompt_details.cache_read", _COUNT + "prompt_details.cache_input"),
    (_COUNT + "prompt_details.cache_write",),
    (_COUNT + "completion_details.reasoning",),
)
_NAMES = frozenset(
    [
        "openinference.span.kind",
        "input.value",
        "input.mime_type",
        "output.value",
        "output.mime_type",
        "llm.provider",
        "llm.system",
        "llm.invocation_parameters",
        "llm.finish_reason",
        "llm.function_call",
        "embedding.invocation_parameters",
        "tool.name",
        "tool.description",
        "tool.parameters",
        "tool.json_schema",
        "reranker.query",
        "reranker.top_k",
        "agent.name",
        "graph.node.id",
        "graph.node.name",
        "graph.node.parent_id",
        "metadata",
        "tag.tags",
        "session.id",
        "user.id",
    ]
).union(_MODEL, _CALL_ID)
_PREFIXES = (
    "llm.input_messages.",
    "llm.output_messages.",
    "llm.token_count.",
    "llm.cost.",
    "llm.tools.",
    "llm.prompts.",
    "llm.choices.",
    "llm.prompt_template.",
    "retrieval.documents.",
    "embedding.embeddings.",
    "reranker.input_documents.",
    "reranker.output_documents.",
)

Branch = dict[str, Any] | None


def read(record: SpanRecord, draft: Draft) -> None:
    """Fills what OpenInference can say of the span."""
    a = record.attributes
    kind = label(a.get("openinference.span.kind"))
    draft.kind = draft.kind or (_KINDS.get(kind.upper()) if kind else None)
    draft.session_id = draft.session_id or label(a.get("session.id"))
    draft.end_user = draft.end_user or label(a.get("user.id"))
    draft.agent = draft.agent or first_label(a, ("agent.name", "graph.node.name"))
    draft.model = draft.model or first_label(a, _MODEL) or _requested_model(a)
    draft.provider = draft.provider or first_label(a, ("llm.provider", "llm.system"))
    _usage(a, draft)
    if draft.kind == "tool":
        _tool(a, draft)
        return
    get = draft.branches.get
    if draft.input is None:
        draft.input = (
            _messages(get("llm.input_messages."))
            or _embedded(get("embedding.embeddings."))
            or _reranked(a, get("reranker.input_documents."))
            or _value(a, "input")
        )
    if draft.output is None:
        draft.output = (
            _messages(get("llm.output_messages."))
            or _documents(get("retrieval.documents."))
            or _documents(get("reranker.output_documents."))
            or _value(a, "output")
        )


def _requested_model(a: Mapping[str, Any]) -> str | None:
    # A call that failed has no response to take the model from.
    for name in ("llm.invocation_parameters", "embedding.invocation_parameters"):
        given = structure(a.get(name))
        if isinstance(given, dict) and (found := first_label(given, ("model", "model_name"))):
            return found
    return None


def _usage(a: Mapping[str, Any], draft: Draft) -> None:
    _TOKENS.read(a, draft)
    if draft.cost is None:
        draft.cost = price(a.get("llm.cost.total"))
        if draft.cost is None:
            halves = [price(a.get("llm.cost.prompt")), price(a.get("llm.cost.completion"))]
            known = [half for half in halves if half is not None]
            draft.cost = sum(known[1:], known[0]) if known else None


def _tool(a: Mapping[str, Any], draft: Draft) -> None:
    draft.tool_name = draft.tool_name or label(a.get("tool.name"))
    draft.call_id = draft.call_id or first_label(a, _CALL_ID)
    # tool.parameters are the arguments to some and the schema to others; the input is always what the call was given.
    if draft.args is None:
        draft.args = structure(a["input.value"] if a.get("input.value") is not None else a.get("tool.parameters"))
    if draft.result is None:
        draft.result = structure(a.get("output.value"))


def _value(a: Mapping[str, Any], side: str) -> Any:
    value = a.get(side + ".value")
    if value is None or value == "":
        return None
    kind = a.get(side + ".mime_type")
    if isinstance(kind, str) and "json" not in kind:
        return value
    value = structure(value)
    return conversation(value) or value


def _messages(branch: Branch) -> tuple[Message, ...] | None:
    if branch is None:
        return None
    turns = [_message(row.get("message")) for row in rows(tree(branch))]
    found = tuple(turn for turn in turns if turn is not None)
    # LangGraph's root has a role and nothing else; then the plain input says more.
    return found if any(turn.parts for turn in found) else None


def _message(node: Any) -> Message | None:
    if not isinstance(node, dict):
        return None
    role = label(node.get("role")) or "user"
    content = node.get("content")
    if len(node) == 2 and isinstance(content, str) and content and role != "tool":
        return Message(role, (Part("text", content),))  # a role and a text: nine messages of ten
    calls = [_call(row.get("tool_call")) for row in rows(node.get("tool_calls"))]
    if node.get("function_call_name") is not None:
        calls.append(
            call(None, {"name": node["function_call_name"], "arguments": node.get("function_call_arguments_json")})
        )
    # Where both are given, `content` repeats the texts of `contents`, and `contents` the calls of `tool_calls`.
    parts = [piece for row in rows(node.get("contents")) if (piece := _content(row, bool(calls))) is not None]
    if content is not None and content != "" and not parts:
        parts.append(Part("text", content) if isinstance(content, str) else part(content))
    answers = label(node.get("tool_call_id"))
    if (answers is not None or role == "tool") and parts:
        value = parts[0].text if len(parts) == 1 and parts[0].text is not None else [p.text or p.value for p in parts]
        parts = [Part("tool_result", id=answers, name=label(node.get("name")), value=value)]
    return Message(role, tuple(parts + calls), label(node.get("finish_reason")))


def _content(row: dict[str, Any], calls_are_known: bool) -> Part | None:
    if isinstance(row.get("tool_call"), dict):
        return None if calls_are_known else _call(row["tool_call"])
    node = row.get("message_content")
    if not isinstance(node, dict):
        return None
    text = node.get("text")
    if isinstance(text, str):
        return Part("reasoning" if node.get("type") in ("reasoning", "thinking") else "text", text)
    if node.get("type") == "tool_use" and calls_are_known:
        return None
    return Part("media" if "image" in node or "audio" in node else "data", value=dict(node))


def _call(node: Any) -> Part:
    inner = node if isinstance(node, dict) else {}
    return call(inner.get("id"), inner.get("function"))


def _embedded(branch: Branch) -> list[Any] | None:
    if branch is None:
        return None
    found = [row.get("embedding") for row in rows(tree(branch))]
    return [node["text"] for node in found if isinstance(node, dict) and "text" in node] or None


def _reranked(a: Mapping[str, Any], branch: Branch) -> dict[str, Any] | None:
    documents = _documents(branch)
    return {"query": a.get("reranker.query"), "documents": documents} if documents else None


def _documents(branch: Branch) -> list[dict[str, Any]] | None:
    if branch is None:
        return None
    found = []
    for row in rows(tree(branch)):
        node = row.get("document")
        if isinstance(node, dict):
            found.append({key: structure(node[key]) for key in ("id", "score", "content", "metadata") if key in node})
    return found or None


DIALECT = Dialect("openinference", _NAMES, _PREFIXES, read)
