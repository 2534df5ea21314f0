"""The Vercel AI SDK's own telemetry: `ai.*`, with a span for the whole call and one for each request to a model.

https://ai-sdk.dev/docs/ai-sdk-core/telemetry
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audittrail.ingest.conversation import call, conversation
from audittrail.ingest.dialects.draft import Dialect, Draft, TokenNames
from audittrail.ingest.jsontext import structure, unquoted
from audittrail.ingest.scalars import first_label, label
from audittrail.model.record import SpanRecord
from audittrail.model.span import Kind, Message, Part

# The calls that may take several steps, beside those that each make one request (`.doGenerate`, `.doStream`).
_WHOLE = frozenset(["ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"])
_REQUESTS: dict[str, Kind] = {"doGenerate": "llm", "doStream": "llm", "doEmbed": "embedding"}
_SESSION = ("ai.telemetry.metadata.sessionId", "ai.telemetry.metadata.session_id", "ai.settings.context.sessionId")
_USER = ("ai.telemetry.metadata.userId", "ai.telemetry.metadata.user_id", "ai.settings.context.userId")
_U = "ai.usage."
_INPUT = (_U + "inputTokens", _U + "promptTokens", _U + "tokens")
_OUTPUT = (_U + "outputTokens", _U + "completionTokens")
_CACHE_READ = (_U + "inputTokenDetails.cacheReadTokens", _U + "cachedInputTokens")
_CACHE_WRITE = (_U + "inputTokenDetails.cacheWriteTokens",)
_REASONING = (_U + "outputTokenDetails.reasoningTokens", _U + "reasoningTokens")
_TOKENS = TokenNames(_INPUT, _OUTPUT, _CACHE_READ, _CACHE_WRITE, _REASONING)
_NAMES = frozenset(
    "ai." + name
    for name in [
        "operationId",
        "prompt",
        "value",
        "values",
        "embedding",
        "embeddings",
        "documents",
        "ranking",
        "ranking.type",
        "finishReason",
        "schema",
    ]
)
_GROUPS = ("usage", "response", "result", "prompt", "model", "settings", "telemetry", "request", "toolCall", "stream")
_PREFIXES = tuple(f"ai.{group}." for group in (*_GROUPS, "schema"))


def read(record: SpanRecord, draft: Draft) -> None:
    """Fills what is still unsaid after the gen_ai attributes, which the SDK writes beside its own."""
    a = record.attributes
    draft.kind = draft.kind or _kind(label(a.get("ai.operationId")) or record.name)
    draft.agent = draft.agent or label(a.get("ai.telemetry.functionId"))
    draft.session_id = draft.session_id or first_label(a, _SESSION)
    draft.end_user = draft.end_user or first_label(a, _USER)
    draft.model = draft.model or first_label(a, ("ai.response.model", "ai.model.id"))
    provider = label(a.get("ai.model.provider"))
    # `openai.chat`, `google.vertex.chat`: the part of its API is not the provider; gen_ai.system says it likewise.
    if provider is not None and draft.provider in (None, provider):
        draft.provider = provider.partition(".")[0] or provider
    _TOKENS.read(a, draft)
    if draft.kind == "tool":
        draft.tool_name = draft.tool_name or label(a.get("ai.toolCall.name"))
        draft.call_id = draft.call_id or label(a.get("ai.toolCall.id"))
        draft.args = unquoted(a.get("ai.toolCall.args")) if draft.args is None else draft.args
        draft.result = unquoted(a.get("ai.toolCall.result")) if draft.result is None else draft.result
        return
    if draft.input is None:
        draft.input = _asked(a)
    if draft.output is None:
        draft.output = _answered(a)


def _kind(operation: str) -> Kind | None:
    if operation == "ai.toolCall":
        return "tool"
    if operation in _WHOLE:
        return "agent"
    if operation.startswith("ai.rerank"):
        return "reranker" if operation == "ai.rerank.doRerank" else "chain"
    if operation in ("ai.embed", "ai.embedMany"):
        return "chain"  # it repeats the tokens of its .doEmbed
    return _REQUESTS.get(operation.rpartition(".")[2]) if operation.startswith("ai.") else None


def _asked(a: Mapping[str, Any]) -> Any:
    value = structure(a.get("ai.prompt.messages"))
    if value is None:
        value = structure(a.get("ai.prompt"))
        if isinstance(value, dict):
            return _prompt(value)
    if value is None:
        texts = a.get("ai.values")
        value = [unquoted(text) for text in texts] if isinstance(texts, list) else unquoted(a.get("ai.value"))
    return conversation(value) or value


def _prompt(value: dict[str, Any]) -> Any:
    """What a whole call was given: system, and a prompt or messages."""
    said = value.get("messages")
    if said is None:
        said = value.get("prompt")
    turns = conversation([{"role": "user", "content": said}] if isinstance(said, str) else said)
    if turns is None:
        return value
    system = value.get("system")
    if isinstance(system, str) and system:
        return (Message("system", (Part("text", system),)), *turns)
    return turns


def _answered(a: Mapping[str, Any]) -> Any:
    found: list[Part] = []
    thought = _either(a, "reasoning")
    if isinstance(thought, str) and thought:
        found.append(Part("reasoning", thought))
    text = _either(a, "text")
    if isinstance(text, str) and text:
        found.append(Part("text", text))
    calls = structure(_either(a, "toolCalls"))
    for one in calls if isinstance(calls, list) else ():
        found.append(call(one.get("toolCallId"), one) if isinstance(one, dict) else call(None, one))
    if found:
        return (Message("assistant", tuple(found), label(a.get("ai.response.finishReason"))),)
    made = structure(_either(a, "object"))
    if made is not None:
        return made
    vectors = a.get("ai.embeddings", a.get("ai.embedding"))
    return [structure(one) for one in vectors] if isinstance(vectors, list) else structure(vectors)


def _either(a: Mapping[str, Any], name: str) -> Any:
    """Under today's name or under that of the SDK's versions before 4."""
    value = a.get("ai.response." + name)
    return a.get("ai.result." + name) if value is None else value


DIALECT = Dialect("vercel", _NAMES, _PREFIXES, read)
