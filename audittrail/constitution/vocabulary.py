"""Every variable that a condition or a message can name: a closed list, each with one type and a value that is never
missing. What is not known is '', 0, false or an empty list; a `has_…` beside it says so where that could mislead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from audittrail.constitution.facts import SpanFacts, whole
from audittrail.constitution.sql import ALL_ROWS
from audittrail.constitution.text import sound
from audittrail.model.span import KINDS, STATUSES

Type = Literal["text", "int", "double", "bool", "texts", "counts"]


class Variable(msgspec.Struct, frozen=True, gc=False):
    """A name of the vocabulary, how it is worked out, and what it means."""

    name: str
    type: Type
    get: Callable[[Any], Any]
    meaning: str


def _text(value: str | None) -> str:
    return sound(value) if value else ""


def _texts(values: list[str]) -> list[str]:
    return [sound(value) for value in values]


def _ms(started_us: int, ended_us: int | None) -> int:
    return 0 if ended_us is None else whole(max(ended_us - started_us, 0) // 1000)


def _counts(f: SpanFacts) -> dict[str, int]:
    """By type in lower case: a rule that asks for `card` must not miss `CARD`, and would do so silently."""
    found: dict[str, int] = {}
    for key, number in list(f.span.pii.items())[:200]:
        name = sound(key).lower()
        found[name] = whole(found.get(name, 0) + number)
    return found


def _cost(value: Any) -> float:
    # A signalling NaN is no float, and a NaN no price: neither is a cost.
    return float(value) if value is not None and value.is_finite() else 0.0


def _known(counts: Any) -> bool:
    return counts.input is not None or counts.output is not None


def _total(counts: Any) -> int:
    return whole((counts.input or 0) + (counts.output or 0))


SPAN: tuple[Variable, ...] = (
    Variable("stage", "text", lambda f: f.stage, "`before` an action, or `after` it was recorded"),
    Variable("span.kind", "text", lambda f: f.span.kind, "one of " + ", ".join(KINDS)),
    Variable("span.name", "text", lambda f: _text(f.span.name), "the span's name; before an action, the action's"),
    Variable(
        "span.status", "text", lambda f: f.span.status, "one of " + ", ".join(STATUSES) + "; before an action, running"
    ),
    Variable("span.agent", "text", lambda f: _text(f.span.agent), "who acted"),
    Variable("span.session_id", "text", lambda f: _text(f.span.session_id), "the session or conversation"),
    Variable("span.end_user", "text", lambda f: _text(f.span.end_user), "the person the agent works for"),
    Variable("span.model", "text", lambda f: _text(f.span.model), "the model, as it answered or was asked for"),
    Variable("span.provider", "text", lambda f: _text(f.span.provider), "who serves the model"),
    Variable("span.duration_ms", "int", lambda f: _ms(f.span.started_us, f.span.ended_us), "0 while it runs"),
    Variable("span.has_ended", "bool", lambda f: f.span.ended_us is not None, "whether it has ended"),
    Variable("span.tool.name", "text", lambda f: _text(f.tool.name), "the tool that is called"),
    Variable(
        "span.tool.words",
        "texts",
        lambda f: _texts(f.words),
        "its name in lower-case words: bulkDelete_rows is bulk, delete, rows",
    ),
    Variable("span.tool.args_text", "text", lambda f: f.args_text, "its arguments as JSON"),
    Variable(
        "span.affected_rows",
        "int",
        lambda f: whole(f.rows),
        f"how many rows the call names; {ALL_ROWS:,} where it names all of a table",
    ),
    Variable("span.has_affected_rows", "bool", lambda f: f.rows is not None, "whether anything tells how many"),
    Variable(
        "span.sql.verb",
        "text",
        lambda f: f.sql.verb,
        "the gravest statement of SQL in the arguments: drop, truncate, delete, update, alter, insert, select",
    ),
    Variable("span.input_text", "text", lambda f: f.input_text, "what went in; of a tool's call its arguments"),
    Variable("span.output_text", "text", lambda f: f.output_text, "what came out; of a tool's call its result"),
    Variable("span.has_output", "bool", lambda f: bool(f.output_text), "whether any text came out"),
    Variable("span.attributes_text", "text", lambda f: f.attributes_text, "all attributes as they were sent, as JSON"),
    Variable("span.requested_tools", "texts", lambda f: _texts(f.requested), "the tools that a model's answer calls"),
    Variable("span.finish_reason", "text", lambda f: _text(f.finish_reason), "why a model stopped"),
    Variable("span.sources", "int", lambda f: f.sources, "how many retrieved texts a model was given"),
    Variable(
        "span.citations",
        "int",
        lambda f: f.citations,
        "how many times the output names a source: [1], (policy 4.2), a URL, …",
    ),
    Variable("span.tokens.input", "int", lambda f: whole(f.span.tokens.input), "with what the cache held"),
    Variable("span.tokens.output", "int", lambda f: whole(f.span.tokens.output), "with reasoning"),
    Variable("span.tokens.total", "int", lambda f: _total(f.span.tokens), "input and output"),
    Variable("span.has_tokens", "bool", lambda f: _known(f.span.tokens), "whether usage was reported"),
    Variable("span.cost", "double", lambda f: _cost(f.span.cost), "US dollars"),
    Variable("span.has_cost", "bool", lambda f: f.span.cost is not None, "whether a price is known"),
    Variable("span.error.type", "text", lambda f: _text(f.span.error and f.span.error.type), "the exception's type"),
    Variable("span.error.message", "text", lambda f: _text(f.span.error and f.span.error.message), "what it said"),
    Variable(
        "span.has_error", "bool", lambda f: f.span.error is not None or f.span.status == "error", "whether it failed"
    ),
    Variable(
        "span.pii",
        "counts",
        _counts,
        "what was redacted, by type in lower case; read it with `span.pii.count('email')`",
    ),
    Variable("span.pii_total", "int", lambda f: whole(sum(f.span.pii.values())), "everything that was redacted"),
)
TRACE: tuple[Variable, ...] = (
    Variable("stage", "text", lambda f: f.stage, "`before` an action of the trace, or `after` it changed"),
    Variable("trace.name", "text", lambda f: _text(f.trace.name), "the root's name"),
    Variable("trace.status", "text", lambda f: f.trace.status, "one of " + ", ".join(STATUSES)),
    Variable("trace.agent", "text", lambda f: _text(f.trace.agent), "the agent of the root"),
    Variable("trace.agents", "texts", lambda f: _texts(f.agents), "every agent that took part"),
    Variable("trace.tools", "texts", lambda f: _texts(f.tools), "every tool that was called"),
    Variable("trace.models", "texts", lambda f: _texts(f.models), "every model that answered"),
    Variable("trace.session_id", "text", lambda f: _text(f.trace.session_id), "the session or conversation"),
    Variable("trace.end_user", "text", lambda f: _text(f.trace.end_user), "the person the agent works for"),
    Variable("trace.span_count", "int", lambda f: f.trace.span_count, "how many spans it has so far"),
    Variable("trace.llm_calls", "int", lambda f: f.trace.llm_calls, "how many calls of models"),
    Variable("trace.tool_calls", "int", lambda f: f.trace.tool_calls, "how many calls of tools"),
    Variable("trace.errors", "int", lambda f: f.trace.error_count, "how many spans failed"),
    Variable("trace.duration_ms", "int", lambda f: _ms(f.trace.started_us, f.trace.ended_us), "0 while it runs"),
    Variable("trace.has_ended", "bool", lambda f: f.trace.ended_us is not None, "whether its root has ended"),
    Variable(
        "trace.has_root", "bool", lambda f: any(s.parent_id is None for s in f.spans), "whether its root has come"
    ),
    Variable("trace.tokens.input", "int", lambda f: whole(f.trace.input_tokens), "summed over calls of models"),
    Variable("trace.tokens.output", "int", lambda f: whole(f.trace.output_tokens), "summed over calls of models"),
    Variable(
        "trace.tokens.total",
        "int",
        lambda f: whole((f.trace.input_tokens or 0) + (f.trace.output_tokens or 0)),
        "input and output",
    ),
    Variable(
        "trace.has_tokens",
        "bool",
        lambda f: f.trace.input_tokens is not None or f.trace.output_tokens is not None,
        "whether usage was reported",
    ),
    Variable("trace.cost", "double", lambda f: _cost(f.trace.cost), "US dollars, of the calls whose price is known"),
    Variable("trace.has_cost", "bool", lambda f: f.trace.cost is not None, "whether any price is known"),
    Variable(
        "trace.unpriced_calls",
        "int",
        lambda f: sum(1 for s in f.leaves if s.cost is None),
        "calls whose price is not known",
    ),
)
BY_SCOPE: dict[str, dict[str, Variable]] = {
    "span": {variable.name: variable for variable in SPAN},
    "trace": {variable.name: variable for variable in TRACE},
}
