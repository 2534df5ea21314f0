"""What has grown old, and deleting what belongs to no trace. Old traces go as deleted ones do: store/erasure.py."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.store import tombstones
from audittrail.store.tables import approvals, refusals, rule_counts
from audittrail.store.tables import traces as t


async def expired(conn: AsyncConnection, horizon_us: int, limit: int) -> list[tuple[int, str]]:
    """(project, trace) of traces that have not changed since then."""
    # In no order: PostgreSQL would sort all of them for each batch.
    query = select(t.c.project_id, t.c.trace_id).where(t.c.received_us < horizon_us).limit(limit)
    return [(project_id, trace_id) for project_id, trace_id in await conn.execute(query)]


async def newest(conn: AsyncConnection) -> int | None:
    """When the newest trace last changed."""
    at: int | None = await conn.scalar(select(func.max(t.c.received_us)))
    return at


async def count_all(conn: AsyncConnection) -> int:
    """The spans of all projects."""
    return int(await conn.scalar(select(func.coalesce(func.sum(t.c.span_count), 0))) or 0)


async def age(conn: AsyncConnection, horizon_us: int) -> None:
    """Deletes what is older and belongs to no trace: counts of refusals and rules, approvals, tombstones."""
    await conn.execute(delete(refusals).where(refusals.c.hour_us < horizon_us))
    await conn.execute(delete(rule_counts).where(rule_counts.c.hour_us < horizon_us))
    a = approvals.c
    await conn.execute(delete(approvals).where(a.requested_us < horizon_us, a.expires_us < horizon_us))
    await tombstones.forget(conn, horizon_us)
