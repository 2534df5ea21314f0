"""What a client sent for one span, without what must not be kept, and before anyone interprets it.

Its JSON bytes are what is stored, and what pages are made from.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Something that happened inside a span at one instant."""

    name: str
    time_ns: int = 0
    attributes: dict[str, Any] = {}


class Link(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A reference to a span, usually of another trace."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any] = {}


class Scope(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The instrumentation scope (the library that wrote the span)."""

    name: str = ""
    version: str = ""
    attributes: dict[str, Any] = {}


class SpanRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One version of a span as it was received and redacted: OpenTelemetry's span with its resource and scope.

    Attribute values are JSON values. What JSON cannot say is text: NaN and the infinities as protobuf's JSON mapping
    spells them, bytes as base64, lone surrogates and NUL as their six-character escapes.
    """

    trace_id: str  # 32 lower-case hex digits
    span_id: str  # 16 lower-case hex digits
    parent_id: str | None = None
    name: str = ""
    started_ns: int = 0  # UTC nanoseconds since 1970, 0 to 2**64-1
    ended_ns: int | None = None  # None while the span is running
    otel_kind: int = 0  # opentelemetry.proto.trace.v1.Span.SpanKind
    status_code: int = 0  # 0 unset, 1 ok, 2 error
    status_message: str = ""
    trace_state: str = ""
    attributes: dict[str, Any] = {}
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()
    dropped: dict[str, int] = {}  # what the client's own limits cut: attributes, events, links
    resource: dict[str, Any] = {}
    scope: Scope = Scope()
    pii: dict[str, int] = {}  # what AuditTrail took out before anything was kept, by type: not the client's to say


def rank(record: SpanRecord, encoded: bytes) -> tuple[bool, int, int, int, bytes]:
    """Orders the versions of one span; the greatest is the one shown.

    An ended version beats a running one, then the later end wins, then the more complete. The order is of the content
    and not of its arrival, so any order of delivery, with any repeats, ends in the same picture.
    """
    size = len(record.attributes) + len(record.events) + len(record.links)
    return record.ended_ns is not None, record.ended_ns or 0, size, len(encoded), encoded


encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(SpanRecord).decode
