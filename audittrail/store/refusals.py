"""What was refused, counted by project, hour and reason, so that a client's silence is seen on the server."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.account import Refused
from audittrail.store import dialect
from audittrail.store.tables import refusals as x

HOUR_US = 3_600_000_000
REASON_LIMIT = 200


async def add(conn: AsyncConnection, counts: Mapping[tuple[int, str, str], tuple[int, int]], now_us: int) -> None:
    """Adds (spans, requests) by (project, signal, reason) to the current hour."""
    if not counts:
        return
    upsert = dialect.insert(conn, x)
    upsert = upsert.on_conflict_do_update(
        index_elements=["project_id", "hour_us", "signal", "reason"],
        set_={
            "spans": x.c.spans + upsert.excluded.spans,
            "requests": x.c.requests + upsert.excluded.requests,
            "last_us": upsert.excluded.last_us,
        },
    )
    values = [
        {
            "project_id": project_id,
            "hour_us": now_us - now_us % HOUR_US,
            "signal": signal,
            "reason": reason[:REASON_LIMIT],
            "spans": spans,
            "requests": requests,
            "last_us": now_us,
        }
        for (project_id, signal, reason), (spans, requests) in counts.items()
    ]
    await conn.execute(upsert, values)


async def recent(conn: AsyncConnection, project_id: int, limit: int = 100) -> list[Refused]:
    """The newest hours first."""
    query = (
        select(x.c.hour_us, x.c.signal, x.c.reason, x.c.spans, x.c.requests, x.c.last_us)
        .where(x.c.project_id == project_id)
        .order_by(x.c.hour_us.desc(), x.c.last_us.desc())
        .limit(limit)
    )
    return [Refused(*row) for row in await conn.execute(query)]
