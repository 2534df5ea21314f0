"""A span's record with what log records say of it. Pure: in whatever order they came, the same comes out."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from audittrail.model.record import Event, SpanRecord


def join(record: SpanRecord, fragments: Iterable[SpanRecord]) -> SpanRecord:
    """The record with the events of the fragments among its own, by their time; the same object if it has them all."""
    events = list(record.events)
    pii = dict(record.pii)
    for fragment in fragments:
        new = [event for event in fragment.events if event not in events]
        if not new:
            continue
        events += new
        for kind, count in fragment.pii.items():
            pii[kind] = pii.get(kind, 0) + count
    if len(events) == len(record.events):
        return record
    return replace(record, events=tuple(sorted(events, key=_order)), pii=pii)


def _order(event: Event) -> int:
    return event.time_ns
