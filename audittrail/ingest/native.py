"""AuditTrail's own JSON: one span, or a trace with its spans, as an agent without OpenTelemetry sends them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec

from audittrail.ingest.jsontext import TooDeep, clean, parse
from audittrail.ingest.otlp.decoded import Decoded
from audittrail.model.batch import Refusal
from audittrail.model.errors import Invalid
from audittrail.model.record import Event, Link, Scope, SpanRecord
from audittrail.model.span import Kind, Status

SCOPE = Scope(name="audittrail.native")
LAST_US = (2**64 - 1) // 1000  # what a record's nanoseconds hold
MAX_SPANS = 10_000  # of one request

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Time = Annotated[int, msgspec.Meta(ge=0, le=LAST_US)]


class NativeTokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Usage. `input` includes both cache counts, `output` includes `reasoning`."""

    input: Count | None = None
    output: Count | None = None
    cache_read: Count | None = None
    cache_write: Count | None = None
    reasoning: Count | None = None


class NativeTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool's call; `args` and `result` are any JSON."""

    name: str | None = None
    call_id: str | None = None
    args: Any = None
    result: Any = None


class NativeError(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the span failed; its status is then `error` unless another is sent."""

    message: str = ""
    type: str = ""
    stacktrace: str = ""


class NativeEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happened inside the span."""

    name: str
    time_us: Time = 0
    attributes: dict[str, Any] = {}


class NativeLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A span that this one refers to, usually of another trace."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any] = {}


class NativeSpan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step. Send it when it starts and, whole, again when it ends; in any order, and again when unsure.

    Ids are OpenTelemetry's, 32 and 16 hex digits, or UUIDs. Times are UTC: microseconds since 1970 (`started_us`)
    or RFC 3339 text (`started_at`). Without an end the span is running.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    name: str = ""
    kind: Kind = "other"
    status: Status | None = None
    started_us: Time | None = None
    ended_us: Time | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    agent: str | None = None
    session_id: str | None = None
    end_user: str | None = None
    model: str | None = None
    provider: str | None = None
    tokens: NativeTokens = NativeTokens()
    cost: Annotated[Decimal, msgspec.Meta(description="US dollars; wins over what AuditTrail would compute")] | None = (
        None
    )
    tool: NativeTool | None = None
    input: Any = None
    output: Any = None
    error: NativeError | str | None = None
    attributes: dict[str, Any] = {}
    events: list[NativeEvent] = []
    links: list[NativeLink] = []


class NativeSpans(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several spans, of one trace or of many."""

    spans: list[NativeSpan]


class NativeTrace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trace with its spans. What it says of session, end user and agent holds for the spans that do not say."""

    trace_id: str
    session_id: str | None = None
    end_user: str | None = None
    agent: str | None = None
    spans: list[NativeSpan]


class _Unfit(Exception):
    """This one span cannot be taken."""


def decode_spans(body: bytes) -> Decoded:
    """Of a span, a list of spans, or {"spans": […]}. Raises Invalid when the body is none of these."""
    return _records(_items(_loads(body), "spans"))


def decode_trace(body: bytes) -> Decoded:
    """Of {"trace_id": …, "spans": […]}. Raises Invalid when the body is no such thing."""
    value = _loads(body)
    if not isinstance(value, dict):
        raise Invalid('The body is not a trace: send {"trace_id": …, "spans": […]}.')
    shared = {name: value.get(name) for name in ("trace_id", "session_id", "end_user", "agent") if name in value}
    # Not which: the sentence is counted among the refusals, and a name may be anything.
    if set(value) - {"trace_id", "session_id", "end_user", "agent", "spans"}:
        raise Invalid("A trace has trace_id, session_id, end_user, agent and spans, and no other field.")
    if not isinstance(value.get("trace_id"), str):
        raise Invalid("The trace has no trace_id: send 32 hex digits or a UUID.")
    spans = [(shared | span) if isinstance(span, dict) else span for span in _items(value, "spans")]
    return _records(spans)


def _loads(body: bytes) -> Any:
    try:
        return parse(body)
    except ValueError:
        raise Invalid("The body is not JSON; send Content-Type: application/json with a JSON body.") from None


def _items(value: Any, name: str) -> list[Any]:
    if isinstance(value, dict) and name in value:
        value = value[name]
        if not isinstance(value, list):
            raise Invalid(f"`{name}` is not a list.")
    items = value if isinstance(value, list) else [value]
    if len(items) > MAX_SPANS:
        raise Invalid(f"The request has more than {MAX_SPANS:,} spans; send smaller batches.")
    return items


def _records(items: Sequence[Any]) -> Decoded:
    records: list[SpanRecord] = []
    refused: list[Refusal] = []
    for i, item in enumerate(items):
        try:
            records.append(record_of(msgspec.convert(clean(item), NativeSpan)))
        except TooDeep:
            refused.append(Refusal("It is nested more deeply than 64 levels.", f"spans[{i}]"))
        except _Unfit as error:
            refused.append(Refusal(str(error), f"spans[{i}]"))
        except msgspec.ValidationError as error:
            refused.append(_explained(str(error), f"spans[{i}]"))
    return Decoded(records, refused)


def _explained(message: str, place: str) -> Refusal:
    """Of msgspec's message: the types it expected are ours to repeat; names and values that were sent go only back."""
    path = re.search(r"at `\$\.?(.*)`$", message)
    where = f"{place}.{path[1]}" if path and path[1] else place
    if found := re.match(r"Object contains unknown field `(.*?)`", message):
        return Refusal("It has a field that spans do not have; see /schema/openapi.json.", f"{where}.{found[1]}")
    if found := re.match(r"Object missing required field `(.*?)`", message):
        return Refusal(f"It has no {found[1]}.", where)
    if found := re.match(r"Expected .*?(?= - at|$)", message):
        return Refusal(found[0].replace("`", "") + ".", where)
    return Refusal("A value is none of those allowed; see /schema/openapi.json.", where)


def record_of(span: NativeSpan) -> SpanRecord:
    """As OpenTelemetry would have it, with AuditTrail's own attributes for what it has no name for."""
    said: dict[str, Any] = {
        "audittrail.kind": span.kind,
        "audittrail.status": span.status,
        "audittrail.agent.name": span.agent,
        "audittrail.session.id": span.session_id,
        "audittrail.user.id": span.end_user,
        "audittrail.model": span.model,
        "audittrail.provider": span.provider,
        "audittrail.cost": None if span.cost is None else f"{span.cost:f}",
        "audittrail.input": span.input,
        "audittrail.output": span.output,
    }
    said |= {f"audittrail.tokens.{name}": value for name, value in msgspec.structs.asdict(span.tokens).items()}
    if span.tool:
        said |= {f"audittrail.tool.{name}": value for name, value in msgspec.structs.asdict(span.tool).items()}
    error = NativeError(span.error) if isinstance(span.error, str) else span.error
    events = [Event(e.name, e.time_us * 1000, e.attributes) for e in span.events]
    if error and (error.type or error.stacktrace):
        names = {"type": error.type, "message": error.message, "stacktrace": error.stacktrace}
        events.append(Event("exception", 0, {f"exception.{name}": text for name, text in names.items() if text}))
    failed = span.status == "error" or (error is not None and span.status is None)
    return SpanRecord(
        trace_id=_trace_id(span.trace_id),
        span_id=_span_id(span.span_id, "span_id"),
        parent_id=_span_id(span.parent_id, "parent_id") if span.parent_id else None,
        name=span.name,
        started_ns=_nanoseconds("started", span.started_us, span.started_at, needed=True) or 0,
        ended_ns=_nanoseconds("ended", span.ended_us, span.ended_at),
        status_code=2 if failed else 0,
        status_message=error.message if error else "",
        attributes=span.attributes | {name: value for name, value in said.items() if value is not None},
        events=tuple(events),
        links=tuple(Link(_trace_id(x.trace_id), _span_id(x.span_id, "span_id"), x.attributes) for x in span.links),
        scope=SCOPE,
    )


def _trace_id(text: str) -> str:
    text = text.lower()
    found = text.replace("-", "") if _UUID.fullmatch(text) else text
    if not _TRACE_ID.fullmatch(found) or not int(found, 16):
        raise _Unfit("trace_id is not 32 hex digits or a UUID, or is zero.")
    return found


def _span_id(text: str, name: str) -> str:
    text = text.lower()
    # The second half: of a UUID of version 7 the first is the time, which many spans share.
    found = text.replace("-", "")[16:] if _UUID.fullmatch(text) else text
    if not _SPAN_ID.fullmatch(found) or not int(found, 16):
        raise _Unfit(f"{name} is not 16 hex digits or a UUID, or is zero.")
    return found


def _nanoseconds(name: str, us: int | None, at: datetime | None, *, needed: bool = False) -> int | None:
    if us is not None and at is not None:
        raise _Unfit(f"{name}_us and {name}_at are both there; send one.")
    if at is not None:
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        us = (at - datetime(1970, 1, 1, tzinfo=UTC)) // _MICROSECOND
        if us < 0:
            raise _Unfit(f"{name}_at lies before 1970.")
    if us is None:
        if needed:
            raise _Unfit(f"It has no {name}_us (microseconds since 1970) and no {name}_at (RFC 3339).")
        return None
    return us * 1000


_MICROSECOND = datetime.resolution
