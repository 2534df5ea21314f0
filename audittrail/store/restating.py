"""Stored spans understood otherwise than when they came: their rows, and what is summed up from them. The records are
not touched, nor what rules found."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.summary import SpanRow
from audittrail.store import locks, spans
from audittrail.store import usage as usage_store
from audittrail.store.bulk import write_rows
from audittrail.store.notify import changed as tell
from audittrail.store.spans import Stored
from audittrail.store.tables import spans as s
from audittrail.store.tables import traces as t


async def traces_after(conn: AsyncConnection, project_id: int, after: str, limit: int) -> list[str]:
    """At most so many trace ids of a project, in their order, after that one."""
    mine = and_(t.c.project_id == project_id, t.c.trace_id > after)
    return list((await conn.scalars(select(t.c.trace_id).where(mine).order_by(t.c.trace_id).limit(limit))).all())


async def restate(
    conn: AsyncConnection, project_id: int, trace_id: str, rows: Mapping[str, tuple[int, SpanRow]]
) -> int:
    """Puts rows, each by its span's id and with the version that it was made from, in the place of those that say
    something else of that version; how many there were."""
    trace = {(project_id, trace_id)}
    await locks.lock_traces(conn, trace)
    mine = and_(t.c.project_id == project_id, t.c.trace_id == trace_id)
    received_us: int | None = await conn.scalar(select(t.c.received_us).where(mine))
    if received_us is None:
        return 0  # it was deleted since
    known = await spans.of_traces(conn, trace)
    before = spans.by_trace(known)
    changed: dict[tuple[int, str, str], Stored] = {}
    for span_id, (version, row) in rows.items():
        key = (project_id, trace_id, span_id)
        was = known.get(key)
        if was is None or was.version != version:
            continue  # another version came since, and was understood as it came
        now = Stored(row, version, was.versions)
        if spans.values_of(key, now) != spans.values_of(key, was):
            known[key] = changed[key] = now
    if not changed:
        return 0
    await write_rows(conn, s, [spans.values_of(key, stored) for key, stored in changed.items()], over=True)
    # It is no newer than it was, and does not live longer for this; but whoever is about to delete it looks again.
    _, shifts = await spans.sum_up(conn, spans.by_trace(known), before, received_us + 1, None)
    await usage_store.shift(conn, shifts)
    await usage_store.sweep(conn, shifts)
    tell(conn, project_id, "traces")
    tell(conn, project_id, "trace", [trace_id])
    return len(changed)
