"""OTLP in protobuf: parsed whole, and only where that fails taken apart, so that one bad span costs one span."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from audittrail.ingest.jsontext import number
from audittrail.ingest.otlp import wire
from audittrail.ingest.otlp.decoded import Decoded, Unfit, place
from audittrail.ingest.text import storable
from audittrail.model.batch import Refusal
from audittrail.model.errors import Invalid
from audittrail.model.record import Event, Link, Scope, SpanRecord

NO_TRACE, NO_SPAN = bytes(16), bytes(8)
_UNREADABLE = "The span is not a valid protobuf message, or its values are nested too deeply or too many to mend."


def decode_protobuf(data: bytes) -> Decoded:
    """The spans of an ExportTraceServiceRequest; nothing is an empty one. Raises Invalid if it is none at all."""
    try:
        request = ExportTraceServiceRequest.FromString(data)
    except DecodeError:
        return _decode_apart(data)
    records: list[SpanRecord] = []
    refused: list[Refusal] = []
    for i, block in enumerate(request.resource_spans):
        resource = attributes(block.resource.attributes)
        for j, group in enumerate(block.scope_spans):
            scope = _scope(group.scope)
            for k, span in enumerate(group.spans):
                try:
                    records.append(_record(span, resource, scope))
                except Unfit as reason:
                    refused.append(Refusal(str(reason), place(i, j, k)))
    return Decoded(records, refused)


def _decode_apart(data: bytes) -> Decoded:
    """The same, span by span: upb refuses a whole body for one byte that is not UTF-8, or one value too deep."""
    records: list[SpanRecord] = []
    refused: list[Refusal] = []
    mender = wire.Mender()
    try:
        for i, block in enumerate(wire.submessages(data, 1)):
            resource = attributes(_mended_or_empty(mender, Resource, wire.joined(block, 1)).attributes)
            for j, group in enumerate(wire.submessages(block, 2)):
                scope = _scope(_mended_or_empty(mender, InstrumentationScope, wire.joined(group, 1)))
                for k, span in enumerate(wire.submessages(group, 2)):
                    try:
                        records.append(_record(mended(mender, Span, span), resource, scope))
                    except wire.Broken:
                        refused.append(Refusal(_UNREADABLE, place(i, j, k)))
                    except Unfit as reason:
                        refused.append(Refusal(str(reason), place(i, j, k)))
    except wire.Broken:
        raise Invalid(
            "The body is not a complete OTLP ExportTraceServiceRequest in protobuf; was it cut off?"
        ) from None
    return Decoded(records, refused)


def mended(mender: wire.Mender, kind: Any, data: bytes) -> Any:
    """A message of that kind, its texts mended where they are not UTF-8. Raises wire.Broken."""
    try:
        return kind.FromString(data)
    except DecodeError:
        whole = mender.mend(data, kind.DESCRIPTOR)
    try:
        return kind.FromString(whole)
    except DecodeError:
        raise wire.Broken from None


def _mended_or_empty(mender: wire.Mender, kind: Any, data: bytes) -> Any:
    """Where a resource or scope is beyond mending, its spans are worth more than it."""
    try:
        return mended(mender, kind, data)
    except wire.Broken:
        return kind()


def _record(span: Span, resource: dict[str, Any], scope: Scope) -> SpanRecord:
    trace_id, span_id, parent_id = span.trace_id, span.span_id, span.parent_span_id
    if len(trace_id) != 16 or trace_id == NO_TRACE:
        raise Unfit("The trace id must be 16 bytes that are not all zero.")
    if len(span_id) != 8 or span_id == NO_SPAN:
        raise Unfit("The span id must be 8 bytes that are not all zero.")
    status = span.status
    return SpanRecord(
        trace_id=trace_id.hex(),
        span_id=span_id.hex(),
        parent_id=parent_id.hex() if len(parent_id) == 8 and parent_id != NO_SPAN else None,
        name=storable(span.name),
        started_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano or None,
        otel_kind=span.kind,
        status_code=status.code,
        status_message=storable(status.message),
        trace_state=storable(span.trace_state),
        attributes=attributes(span.attributes),
        events=tuple(
            [Event(storable(e.name), e.time_unix_nano, attributes(e.attributes)) for e in span.events]
            if span.events
            else ()
        ),
        links=tuple([_link(link) for link in span.links] if span.links else ()),
        dropped=_dropped(span),
        resource=resource,
        scope=scope,
    )


def _link(link: Span.Link) -> Link:
    trace_id, span_id = link.trace_id, link.span_id
    return Link(
        trace_id.hex() if len(trace_id) == 16 and trace_id != NO_TRACE else "",
        span_id.hex() if len(span_id) == 8 and span_id != NO_SPAN else "",
        attributes(link.attributes),
    )


def _dropped(span: Span) -> dict[str, int]:
    counts = {
        "attributes": span.dropped_attributes_count,
        "events": span.dropped_events_count,
        "links": span.dropped_links_count,
    }
    return {name: count for name, count in counts.items() if count}


def _scope(scope: InstrumentationScope) -> Scope:
    return Scope(storable(scope.name), storable(scope.version), attributes(scope.attributes))


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Key-value pairs as a dict of JSON values."""
    # The hottest loop of all: 23 attributes per span. Most values are text, and reading the text of one that is not
    # gives "", which is quicker to learn than asking which member of the oneof is set.
    out: dict[str, Any] = {}
    for pair in pairs:
        value = pair.value
        text = value.string_value
        out[storable(pair.key)] = storable(text) if text else any_value(value)
    return out


def any_value(value: AnyValue) -> Any:
    """As a JSON value."""
    # No deeper than the library parses: 100 nested messages, which are 49 lists in one another.
    which = value.WhichOneof("value")
    return _READ[which](value) if which in _READ else None


_READ: dict[str | None, Callable[[AnyValue], Any]] = {
    "string_value": lambda value: storable(value.string_value),
    "bool_value": lambda value: value.bool_value,
    "int_value": lambda value: value.int_value,
    "double_value": lambda value: number(value.double_value),
    "array_value": lambda value: [any_value(item) for item in value.array_value.values],
    "kvlist_value": lambda value: {storable(pair.key): any_value(pair.value) for pair in value.kvlist_value.values},
    "bytes_value": lambda value: base64.b64encode(value.bytes_value).decode(),
}
