"""One span as it was sent, understood: whatever it holds, a Span comes out, and never an exception."""

from __future__ import annotations

import re
from typing import Any

from audittrail.ingest.dialects import Draft, spoken
from audittrail.ingest.dialects.otel_genai import OPERATIONS
from audittrail.ingest.jsontext import INT_MAX
from audittrail.ingest.scalars import first_label, label
from audittrail.model.record import SpanRecord
from audittrail.model.span import Kind, Span, SpanError, Status, Tokens, Tool

# `chat gpt-4o` is a model's call, `chat with the customer` is not: only these two may name something with spaces.
_NAMED = re.compile(r"(invoke_agent|create_agent|execute_tool) (.+)", re.DOTALL)
_PLAIN = re.compile(r"(chat|text_completion|generate_content|embeddings) (\S+)")


def normalise(record: SpanRecord) -> Span:
    """What the span means, read in every dialect it speaks; nothing is cut off, and nothing of it is changed."""
    dialects, branches, unmapped = spoken(record)
    draft = Draft(branches=branches)
    for dialect in dialects:
        dialect.read(record, draft)
    a = record.attributes
    _by_name(record.name, draft)
    kind = draft.kind or ("chain" if _is_plain_step(record, bool(dialects), unmapped) else "other")
    started = _microseconds(record.started_ns)
    ended = None if record.ended_ns is None else _microseconds(record.ended_ns)
    notes: tuple[str, ...] = ()
    if ended is not None and ended < started:
        notes = (f"It was sent with an end {started - ended} µs before its start; the start is shown as both.",)
        ended = started
    tokens, note = _tokens(draft)
    failed = draft.failed or record.status_code == 2
    status: Status = "error" if failed else "blocked" if draft.blocked else "running" if ended is None else "ok"
    tool, given, got = _payload(kind, record.name, draft)
    return Span(
        trace_id=record.trace_id,
        span_id=record.span_id,
        parent_id=record.parent_id,
        kind=kind,
        name=record.name,
        status=status,
        started_us=started,
        ended_us=ended,
        agent=draft.agent or (label(record.name) if kind == "agent" else None),
        session_id=draft.session_id or first_label(a, ("session.id", "gen_ai.conversation.id")),
        end_user=draft.end_user or first_label(a, ("user.id", "enduser.id")),
        model=draft.model,
        provider=draft.provider,
        tokens=tokens,
        cost=draft.cost,
        tool=tool,
        input=given,
        output=got,
        error=_error(record, draft) if failed else None,
        attributes=a,
        unmapped=unmapped,
        notes=notes + note,
        events=record.events,
        links=record.links,
        resource=record.resource,
        service=_service(record.resource),
        dialect="+".join([dialect.name for dialect in dialects]),
        pii=record.pii,
    )


def _microseconds(ns: int) -> int:
    return min(max(ns // 1000, 0), INT_MAX)


def _is_plain_step(record: SpanRecord, has_dialect: bool, unmapped: tuple[str, ...]) -> bool:
    """Whether someone just wrapped a step of the program in a span: internal, with a name and nothing more."""
    return record.otel_kind == 1 and not has_dialect and not unmapped


def _by_name(name: str, draft: Draft) -> None:
    """What the conventions put into a span's name, for what no attribute says."""
    found = _NAMED.fullmatch(name) or _PLAIN.fullmatch(name)
    if found is None:
        return
    operation, subject = found[1], label(found[2])
    if draft.kind is None:
        draft.kind = OPERATIONS[operation]
    if operation in ("invoke_agent", "create_agent") and draft.kind == "agent":
        draft.agent = draft.agent or subject
    elif operation == "execute_tool" and draft.kind == "tool":
        draft.tool_name = draft.tool_name or subject


def _payload(kind: Kind, name: str, draft: Draft) -> tuple[Tool | None, Any, Any]:
    """Tool, input and output. What a tool was given and gave is said once, in the tool."""
    args, result, given, got = draft.args, draft.result, draft.input, draft.output
    if kind != "tool":
        return None, args if given is None else given, result if got is None else got
    args = given if args is None else args
    result = got if result is None else result
    tool = Tool(draft.tool_name or label(name), draft.call_id, args, result)
    return tool, None if given == args else given, None if got == result else got


def _tokens(draft: Draft) -> tuple[Tokens, tuple[str, ...]]:
    given, cached = draft.input_tokens, (draft.cache_read or 0) + (draft.cache_write or 0)
    note: tuple[str, ...] = ()
    if given is not None and cached > given:
        # OpenTelemetry counts the cache as part of the input; Anthropic's API, and who copies from it, does not.
        note = (f"The input of {given} tokens was sent without the {cached} of the cache; they are added.",)
        given = min(given + cached, INT_MAX)
    return Tokens(given, draft.output_tokens, draft.cache_read, draft.cache_write, draft.reasoning), note


def _error(record: SpanRecord, draft: Draft) -> SpanError:
    # The last exception is the one that went up; earlier ones may have been caught.
    raised = next((e.attributes for e in reversed(record.events) if e.name == "exception"), {})
    a = record.attributes
    kind = draft.error_type or label(a.get("error.type")) or label(raised.get("exception.type"))
    message = draft.error_message or record.status_message or _text(raised.get("exception.message"))
    return SpanError(message or _text(a.get("error.message")), kind or "", _text(raised.get("exception.stacktrace")))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _service(resource: dict[str, Any]) -> str | None:
    name = label(resource.get("service.name"))
    # The SDKs' stand-in for a name that nobody set: unknown_service, unknown_service:python.
    return None if name is None or name.startswith("unknown_service") else name
