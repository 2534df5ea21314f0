"""The made-up spans, traces and actions of a rule's own tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from audittrail.constitution.document import Node
from audittrail.constitution.faults import Fault
from audittrail.constitution.form import Form
from audittrail.model.span import KINDS, STATUSES, Kind, Message, Part, Span, SpanError, Status, Tokens, Tool
from audittrail.model.summary import TraceRow
from audittrail.model.verdict import Action

_START = 1_795_000_000_000_000
SPAN_KEYS = [
    "kind",
    "name",
    "status",
    "agent",
    "session_id",
    "end_user",
    "model",
    "provider",
    "duration_ms",
    "tokens",
    "cost",
    "tool",
    "input",
    "output",
    "error",
    "pii",
    "attributes",
]
TRACE_KEYS = [
    "name",
    "status",
    "agent",
    "session_id",
    "end_user",
    "duration_ms",
    "span_count",
    "llm_calls",
    "tool_calls",
    "errors",
    "tokens",
    "cost",
]
ACTION_KEYS = ["kind", "name", "args", "agent", "model", "provider", "session_id", "end_user", "pii"]


def span(node: Node, faults: list[Fault]) -> Span:
    """A span from the keys of section `tests` in docs/rules.md. It took one second, unless told otherwise."""
    form = Form(node, faults, SPAN_KEYS, "a test's span")
    default: Status = "error" if form.has("error") else "ok"
    status = form.choice("status", STATUSES, default)
    duration = form.whole("duration_ms", 1_000, most=10**12) or 0
    kind: Kind = "tool" if form.has("tool") else "other"
    return Span(
        trace_id="0" * 31 + "1",
        span_id="0" * 15 + "1",
        kind=form.choice("kind", KINDS, kind),
        name=form.text("name"),
        status=status,
        started_us=_START,
        ended_us=None if status == "running" else _START + duration * 1_000,
        agent=form.text("agent") or None,
        session_id=form.text("session_id") or None,
        end_user=form.text("end_user") or None,
        model=form.text("model") or None,
        provider=form.text("provider") or None,
        tokens=_tokens(form),
        cost=_cost(form),
        tool=_tool(form),
        input=_payload(form, "input"),
        output=_payload(form, "output"),
        error=_error(form),
        attributes=_mapping(form, "attributes"),
        pii=_pii(form),
    )


def trace(node: Node, faults: list[Fault]) -> TraceRow:
    """A trace's row."""
    form = Form(node, faults, TRACE_KEYS, "a test's trace")
    tokens = _tokens(form)
    status = form.choice("status", STATUSES, "ok")
    duration = form.whole("duration_ms", 1_000, most=10**12) or 0
    return TraceRow(
        trace_id="0" * 31 + "1",
        name=form.text("name"),
        status=status,
        started_us=_START,
        ended_us=None if status == "running" else _START + duration * 1_000,
        agent=form.text("agent") or None,
        session_id=form.text("session_id") or None,
        end_user=form.text("end_user") or None,
        span_count=form.whole("span_count", 1) or 0,
        error_count=form.whole("errors", 0) or 0,
        llm_calls=form.whole("llm_calls", 0) or 0,
        tool_calls=form.whole("tool_calls", 0) or 0,
        input_tokens=tokens.input,
        output_tokens=tokens.output,
        cost=_cost(form),
    )


def action(node: Node, faults: list[Fault]) -> Action:
    """What an agent would ask to do."""
    form = Form(node, faults, ACTION_KEYS, "a test's action")
    return Action(
        kind=form.choice("kind", KINDS, "tool"),
        name=form.text("name"),
        args=form.fields["args"].plain() if form.has("args") else None,
        agent=form.text("agent") or None,
        model=form.text("model") or None,
        provider=form.text("provider") or None,
        session_id=form.text("session_id") or None,
        end_user=form.text("end_user") or None,
        pii=_pii(form),
    )


def action_of(span: Span) -> Action:
    """The action that a test's span would have been before it was done."""
    tool = span.tool
    return Action(
        kind=span.kind,
        name=(tool.name if tool else None) or span.name,
        args=tool.args if tool else span.input,
        agent=span.agent,
        model=span.model,
        provider=span.provider,
        session_id=span.session_id,
        end_user=span.end_user,
        pii=span.pii,
    )


def _tokens(form: Form) -> Tokens:
    if not form.has("tokens"):
        return Tokens()
    inner = Form(form.fields["tokens"], form.faults, ("input", "output"), "tokens")
    return Tokens(inner.whole("input"), inner.whole("output"))


def _tool(form: Form) -> Tool | None:
    if not form.has("tool"):
        return None
    inner = Form(form.fields["tool"], form.faults, ("name", "args", "result"), "tool")
    args, result = (inner.fields[key].plain() if inner.has(key) else None for key in ("args", "result"))
    return Tool(inner.text("name") or None, None, args, result)


def _error(form: Form) -> SpanError | None:
    if not form.has("error"):
        return None
    inner = Form(form.fields["error"], form.faults, ("message", "type"), "error")
    return SpanError(inner.text("message"), inner.text("type"))


def _cost(form: Form) -> Decimal | None:
    if not form.has("cost"):
        return None
    node = form.fields["cost"]
    if isinstance(node.value, bool) or not isinstance(node.value, int | float) or not 0 <= node.value < 10**12:
        form.fault(node, f'"cost" should be US dollars, a number from 0 up, and is {node.kind}')
        return None
    return Decimal(str(node.value))


def _mapping(form: Form, key: str) -> dict[str, Any]:
    if not form.has(key):
        return {}
    node = form.fields[key]
    if not isinstance(node.value, dict):
        form.fault(node, f'"{key}" should be a mapping and is {node.kind}')
        return {}
    found: dict[str, Any] = node.plain()
    return found


def _pii(form: Form) -> dict[str, int]:
    found = _mapping(form, "pii")
    for key, number in found.items():
        if isinstance(number, bool) or not isinstance(number, int) or number < 0:
            form.fault(form.fields["pii"].value[key], f'"pii" counts by type: "{key}" should be a whole number')
            return {}
    return found


def _payload(form: Form, key: str) -> Any:
    """A list of mappings with a role is a conversation, as it is for recorded spans."""
    value = form.fields[key].plain() if form.has(key) else None
    if isinstance(value, list) and value and all(isinstance(item, dict) and "role" in item for item in value):
        return tuple(_message(item) for item in value)
    return value


def _message(item: dict[str, Any]) -> Message:
    """`{role, content}`; a tool's result has `name`; `calls` are the tools that the model calls."""
    role, content = str(item["role"]), item.get("content")
    parts: list[Part] = []
    if role == "tool":
        parts.append(Part("tool_result", name=str(item.get("name", "")), value=content))
    elif content is not None:
        parts.append(Part("text", str(content)))
    calls = item.get("calls")
    parts += [Part("tool_call", name=str(name)) for name in (calls if isinstance(calls, list) else [])]
    reason = item.get("finish_reason")
    return Message(role, tuple(parts), str(reason) if reason is not None else None)
