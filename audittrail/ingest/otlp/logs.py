"""OTLP's log records. Those are kept that say something of a span: the GenAI events that carry a call's messages.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-events/
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from audittrail.ingest.otlp import protobuf, wire
from audittrail.ingest.otlp.decoded import Decoded, Unfit
from audittrail.ingest.otlp.json import blocks, body, hex_id, items, nanoseconds
from audittrail.ingest.otlp.json_value import any_value, attributes, field
from audittrail.ingest.text import storable
from audittrail.model.batch import Refusal
from audittrail.model.errors import Invalid
from audittrail.model.record import Event, SpanRecord

# Of log records that are meant for somebody else. They are counted; a client is not told, since nothing is wrong.
IGNORED = "ignored: it is no message of a model call, or does not say of which span"
_PREFIX = "gen_ai."
_NAME = "event.name"


class _Spans:
    """The events by the span that they belong to."""

    def __init__(self) -> None:
        self._events: dict[tuple[str, str], list[Event]] = {}
        self._refused: list[Refusal] = []

    def add(self, ids: tuple[str, str], name: str, time_ns: int, said: dict[str, Any], body: Any) -> None:
        if not all(ids) or not name.startswith(_PREFIX):
            self._refused.append(Refusal(IGNORED))
            return
        # Older libraries say it in the body, newer ones in attributes; as a span's event it is all attributes.
        said = {key: value for key, value in said.items() if key != _NAME}
        if isinstance(body, dict):
            said |= body
        elif body is not None:
            said.setdefault("content", body)
        self._events.setdefault(ids, []).append(Event(name, time_ns, said))

    def refuse(self, reason: Unfit, place: str) -> None:
        self._refused.append(Refusal(str(reason).replace("the span", "the log record"), place))

    def decoded(self) -> Decoded:
        found = [
            SpanRecord(trace_id=trace_id, span_id=span_id, events=tuple(events))
            for (trace_id, span_id), events in self._events.items()
        ]
        return Decoded(found, self._refused)


def decode_protobuf_logs(data: bytes) -> Decoded:
    """Of an ExportLogsServiceRequest records with nothing but the ids of a span and what is said of it, one a span.

    Raises Invalid if it is none at all.
    """
    try:
        request = ExportLogsServiceRequest.FromString(data)
    except DecodeError:
        try:
            request = protobuf.mended(wire.Mender(), ExportLogsServiceRequest, data)
        except wire.Broken:
            raise Invalid(
                "The body is not a complete OTLP ExportLogsServiceRequest in protobuf; was it cut off?"
            ) from None
    spans = _Spans()
    for block in request.resource_logs:
        for group in block.scope_logs:
            for log in group.log_records:
                said = protobuf.attributes(log.attributes)
                ids = _hex(log.trace_id, protobuf.NO_TRACE), _hex(log.span_id, protobuf.NO_SPAN)
                name = _name(log.event_name, said)
                at = log.time_unix_nano or log.observed_time_unix_nano
                spans.add(ids, name, at, said, protobuf.any_value(log.body))
    return spans.decoded()


def _hex(id_: bytes, none: bytes) -> str:
    return id_.hex() if len(id_) == len(none) and id_ != none else ""


def _name(name: str, said: dict[str, Any]) -> str:
    other = said.get(_NAME)
    return storable(name) or (other if isinstance(other, str) else "")


def decode_json_logs(data: bytes) -> Decoded:
    """The same in JSON. Raises Invalid if it is none at all."""
    request = body(data, "resourceLogs")
    spans = _Spans()
    for i, block in enumerate(blocks(request, "resourceLogs", "")):
        where = f"resourceLogs[{i}]"
        for j, group in enumerate(blocks(block, "scopeLogs", where)):
            for k, log in enumerate(items(group, "logRecords", f"{where}.scopeLogs[{j}]")):
                try:
                    _read(log, spans)
                except Unfit as reason:
                    spans.refuse(reason, f"{where}.scopeLogs[{j}].logRecords[{k}]")
    return spans.decoded()


def _read(log: Any, spans: _Spans) -> None:
    if not isinstance(log, dict):
        raise Unfit("Each log record must be an object.")
    said = attributes(log, "attributes")
    ids = hex_id(log.get("traceId"), 32), hex_id(log.get("spanId"), 16)
    at = nanoseconds(log, "timeUnixNano") or nanoseconds(log, "observedTimeUnixNano")
    name = _name(field(log, "eventName", str, "log record"), said)
    spans.add(ids, name, at, said, any_value(log.get("body"), 0))
