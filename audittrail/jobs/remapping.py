"""Understands the stored spans of a project as this version does. May be stopped at any time, and begun again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from audittrail.ingest.pipeline import understood
from audittrail.model.summary import SpanRow
from audittrail.store import restating, search, spans
from audittrail.store.database import Database
from audittrail.store.spans import StoredRecord

TRACES = 200  # whose ids are read at once
SPANS = 250  # whose records are read at once: understanding one takes 300 microseconds


class Remapped(msgspec.Struct):
    """How far it is."""

    looked_at: int = 0  # traces
    traces: int = 0  # of them, those that changed
    spans: int = 0  # that changed


async def remap(db: Database, project_id: int, told: Callable[[Remapped], None]) -> Remapped:
    """Goes through all traces of a project, by their ids; `told` is called after each."""
    done = Remapped()
    after = ""
    while True:
        async with db.read() as conn:
            some = await restating.traces_after(conn, project_id, after, TRACES)
        if not some:
            return done
        for trace_id in some:
            changed = await _trace(db, project_id, trace_id)
            done.looked_at += 1
            done.traces += changed > 0
            done.spans += changed
            told(done)
        after = some[-1]


async def _trace(db: Database, project_id: int, trace_id: str) -> int:
    rows: dict[str, tuple[int, SpanRow]] = {}
    after = None
    while True:
        async with db.read() as conn:
            portion = await spans.records_of_trace(conn, project_id, trace_id, after, SPANS)
        rows |= await asyncio.to_thread(_changed, portion)
        if len(portion) < SPANS:
            break
        after = portion[-1][0].started_us, portion[-1][0].span_id
    if not rows:
        return 0
    async with db.write() as conn:
        return await restating.restate(conn, project_id, trace_id, rows)


def _changed(portion: list[tuple[SpanRow, StoredRecord]]) -> dict[str, tuple[int, SpanRow]]:
    found = {}
    for row, stored in portion:
        now = understood(stored.record, stored.cost_basis)
        if now != row:
            found[row.span_id] = (stored.version, now)
    return found


async def index_anew(db: Database) -> None:
    """Lets search forget everything: a document is taken out by the words that it was put in with, and those are read
    otherwise now."""
    while True:
        async with db.write() as conn:
            if await search.clear(conn):
                return
        await asyncio.sleep(0.5)
