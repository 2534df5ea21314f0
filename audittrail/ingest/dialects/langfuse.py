"""Langfuse's SDKs: one namespace, values as JSON texts, the usage in whatever words the provider has for it.

https://langfuse.com/integrations/native/opentelemetry
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audittrail.ingest.conversation import conversation
from audittrail.ingest.dialects.called import given
from audittrail.ingest.dialects.draft import Dialect, Draft, TokenNames
from audittrail.ingest.jsontext import INT_MAX, structure, unquoted
from audittrail.ingest.scalars import count, first_count, first_label, label, price
from audittrail.model.record import SpanRecord
from audittrail.model.span import Kind

_KINDS: dict[str, Kind] = {
    "generation": "llm",
    "embedding": "embedding",
    "agent": "agent",
    "tool": "tool",
    "chain": "chain",
    "span": "chain",
    "retriever": "retriever",
    "guardrail": "guardrail",
    "evaluator": "evaluator",
    "event": "other",
}
_O = "langfuse.observation."
_SESSION = ("session.id", "langfuse.session.id", "langfuse.trace.session_id")
_USER = ("user.id", "langfuse.user.id", "langfuse.trace.user_id")
_NAMES = frozenset(
    "langfuse." + name for name in ["environment", "release", "version", "session.id", "user.id", "public_key"]
)
_PREFIXES = ("langfuse.observation.", "langfuse.trace.", "langfuse.internal.", "langfuse.experiment.")
# Langfuse's own keys count what the others leave over: `input` is without the cache, `output` without the reasoning.
# The words of OpenAI, Anthropic, Bedrock and LangChain are passed on as the provider has them.
_INPUT = ("input", "prompt_tokens", "input_tokens", "promptTokens", "inputTokens")
_OUTPUT = ("output", "completion_tokens", "output_tokens", "completionTokens", "outputTokens")
_CACHE_READ = (
    "input_cached_tokens",
    "input_cache_read",
    "cache_read_input_tokens",
    "cacheReadInputTokens",
    "prompt_tokens_details.cached_tokens",
    "input_tokens_details.cached_tokens",
    "input_token_details.cache_read",
)
_CACHE_WRITE = (
    "input_cache_creation",
    "input_cache_write",
    "cache_creation_input_tokens",
    "cacheWriteInputTokens",
    "input_token_details.cache_creation",
)
_REASONING = (
    "output_reasoning_tokens",
    "output_reasoning",
    "reasoning_tokens",
    "completion_tokens_details.reasoning_tokens",
    "output_tokens_details.reasoning_tokens",
    "output_token_details.reasoning",
)
_TOKENS = TokenNames(_INPUT, _OUTPUT, _CACHE_READ, _CACHE_WRITE, _REASONING)
# Those that Langfuse's server itself takes out of `input` and `output`.
_APART_IN = ("input_cached_tokens", "input_cache_read", "input_cache_creation", "input_cache_write")
_APART_OUT = ("output_reasoning_tokens", "output_reasoning")


def read(record: SpanRecord, draft: Draft) -> None:
    """Fills what Langfuse's attributes say of the span, and of the trace where the span stands for it."""
    a = record.attributes
    kind = label(a.get(_O + "type"))
    draft.kind = draft.kind or (_KINDS.get(kind.lower()) if kind else None)
    draft.session_id = draft.session_id or first_label(a, _SESSION)
    draft.end_user = draft.end_user or first_label(a, _USER)
    draft.model = draft.model or label(unquoted(a.get(_O + "model.name")))
    if label(a.get(_O + "level")) == "ERROR":
        draft.failed = True
        draft.error_message = draft.error_message or label(a.get(_O + "status_message"))
    usage = structure(a.get(_O + "usage_details"))
    if isinstance(usage, dict):
        _usage(_flat(usage), draft)
    costs = structure(a.get(_O + "cost_details"))
    if draft.cost is None and isinstance(costs, dict):
        draft.cost = _cost(costs)
    asked, answered = _value(a, "input"), _value(a, "output")
    if draft.kind == "tool":
        draft.tool_name = draft.tool_name or label(record.name)
        draft.args = given(asked) if draft.args is None else draft.args
        draft.result = answered if draft.result is None else draft.result
        return
    if draft.input is None:
        draft.input = _said(asked)
    if draft.output is None:
        draft.output = _said(answered)


def _value(a: Mapping[str, Any], side: str) -> Any:
    value = a.get(_O + side)
    if value is None:
        value = a.get("langfuse.trace." + side)
    return None if value == "" else unquoted(value)


def _said(value: Any) -> Any:
    """Messages where it holds some: also those of a request that stand beside its tools."""
    found = conversation(value)
    if found is None and isinstance(value, dict):
        found = conversation(value.get("messages"))
    return given(value) if found is None else found


def _flat(usage: dict[str, Any]) -> dict[str, Any]:
    flat = dict(usage)
    for key, value in usage.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{name}": number for name, number in value.items()}
    return flat


def _usage(u: dict[str, Any], draft: Draft) -> None:
    asked, answered = first_count(u, _INPUT), first_count(u, _OUTPUT)
    if draft.input_tokens is None and asked is not None:
        draft.input_tokens = _with(asked, u, _APART_IN) if "input" in u else asked
    if draft.output_tokens is None and answered is not None:
        draft.output_tokens = _with(answered, u, _APART_OUT) if "output" in u else answered
    _TOKENS.read(u, draft)


def _with(number: int, u: dict[str, Any], names: tuple[str, ...]) -> int:
    return min(number + sum(count(u.get(name)) or 0 for name in names), INT_MAX)


def _cost(costs: dict[str, Any]) -> Any:
    whole = price(costs.get("total"))
    if whole is not None:
        return whole
    known = [found for value in costs.values() if (found := price(value)) is not None]
    return sum(known[1:], known[0]) if known else None


DIALECT = Dialect("langfuse", _NAMES, _PREFIXES, read)
