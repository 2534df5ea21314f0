"""The spans of a stored trace, whole, for what looks at all of them at once."""

from __future__ import annotations

import asyncio

from audittrail.ingest.pipeline import read
from audittrail.model.span import Span
from audittrail.model.summary import SpanRow
from audittrail.store.connection import Connection
from audittrail.store.spans import StoredRecord, records_of_trace

PORTION = 250  # understood at a time, off the event loop: 5,000 records take a second


async def recorded(
    conn: Connection, project_id: int, trace_id: str, *, most_spans: int, most_bytes: int
) -> list[Span] | None:
    """All of them by start; None where they are more, or their records larger, than that."""
    found: list[Span] = []
    size, after = 0, None
    while portion := await records_of_trace(conn, project_id, trace_id, after, PORTION):
        size += sum(len(stored.record) for _, stored in portion)
        if len(found) + len(portion) > most_spans or size > most_bytes:
            return None
        after = portion[-1][0].started_us, portion[-1][0].span_id
        found += await asyncio.to_thread(_read, portion)
    return found


def _read(portion: list[tuple[SpanRow, StoredRecord]]) -> list[Span]:
    return [read(stored.record, stored.cost_basis) for _, stored in portion]
