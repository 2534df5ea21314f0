"""Agents: when each was last seen, and what its traces of a range add up to."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.analytics import measures
from audittrail.model.conversation import AgentRow
from audittrail.model.filters import Cursor, Page
from audittrail.store.analytics import window
from audittrail.store.tables import traces as t
from audittrail.store.traces import agents

CONNECTED_US = 300_000_000  # an agent is connected when its spans arrived within the last five minutes


async def connected(conn: AsyncConnection, now_us: int, project_id: int | None = None) -> dict[tuple[int, str], int]:
    """(project, agent) of those that are connected, with when their last span arrived; of all projects or of one."""
    query = select(t.c.project_id, t.c.agent, func.max(t.c.received_us)).where(
        t.c.received_us >= now_us - CONNECTED_US, t.c.agent.is_not(None)
    )
    if project_id is not None:
        query = query.where(t.c.project_id + 0 == project_id)  # as in store/usage.py: by what came lately
    rows = await conn.execute(query.group_by(t.c.project_id, t.c.agent))
    return {(project, agent): received_us for project, agent, received_us in rows}


async def list_agents(
    conn: AsyncConnection, project_id: int, range_: str, now_us: int, after: Cursor | None, size: int
) -> Page[AgentRow]:
    """By name, one page after the cursor; also those that did nothing in the range."""
    names = await agents(conn, project_id, size + 1, after.key[1] if after else "")
    shown = names[:size]
    here = await connected(conn, now_us, project_id)
    found = await window(conn, project_id, range_, now_us).by_name("agent", range_, shown)
    seen = await _last_seen(conn, project_id, shown)
    rows = []
    for name, last_us in zip(shown, seen, strict=True):
        added, counts = found[name]
        rows.append(
            AgentRow(
                agent=name,
                connected=(project_id, name) in here,
                last_seen_us=max(last_us, here.get((project_id, name), 0)),
                traces=added.count,
                series=counts,
                **{field: value for field, value in measures(added).items() if field in _FIELDS},
            )
        )
    return Page(tuple(rows), str(Cursor((0, shown[-1]))) if len(names) > size else None)


async def _last_seen(conn: AsyncConnection, project_id: int, names: Sequence[str]) -> Sequence[int]:
    """When the newest trace of each was received, in one question: each is one step in the index."""
    if not names:
        return ()
    newest = (
        select(t.c.received_us)
        .where(t.c.project_id == project_id, t.c.agent == name)
        .order_by(t.c.started_us.desc())
        .limit(1)
        .scalar_subquery()
        for name in names
    )
    return tuple((await conn.execute(select(*newest))).one())


_FIELDS = set(AgentRow.__struct_fields__)
