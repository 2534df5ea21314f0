"""Traces that are gone: which late spans are refused for that, and what is still to be erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.batch import Batch, Refusal
from audittrail.store import locks
from audittrail.store.bulk import by_project, write_rows
from audittrail.store.tombstone_table import tombstones as g

Reason = Literal["deleted", "expired"]
REFUSED: dict[str, str] = {
    "deleted": "its trace was deleted for good; nothing of it is stored again",
    "expired": "its trace is older than what is kept and is being deleted; send it again in a minute, as a new trace",
}
_CHUNK = 5_000


class Tombstone(msgspec.Struct, frozen=True):
    """A trace that was deleted."""

    trace_id: str
    deleted_us: int
    deleted_by: str
    spans: int
    bytes: int


class Grave(msgspec.Struct, frozen=True):
    """A trace whose spans are still to be erased."""

    project_id: int
    trace_id: str
    reason: Reason
    spans: int  # when the erasing began
    bytes: int


async def admit(conn: AsyncConnection, batches: Sequence[Batch]) -> tuple[list[Batch], list[list[Refusal]]]:
    """The batches without the spans of traces that are gone, and of each batch what was refused for that."""
    touched = {(batch.project_id, trace_id) for batch in batches for trace_id, _ in batch.ids}
    # Whoever deletes one of them holds this while they do.
    await locks.lock_traces(conn, touched)
    gone: dict[tuple[int, str], str] = {}
    for project_id, trace_ids in by_project(touched).items():
        for i in range(0, len(trace_ids), _CHUNK):
            those = and_(g.c.project_id == project_id, g.c.trace_id.in_(trace_ids[i : i + _CHUNK]))
            rows = await conn.execute(select(g.c.trace_id, g.c.reason).where(those))
            gone |= {(project_id, trace_id): reason for trace_id, reason in rows}
    if not gone:
        return list(batches), [[] for _ in batches]
    kept, refused = [], []
    for batch in batches:
        mine = {trace_id: reason for (project_id, trace_id), reason in gone.items() if project_id == batch.project_id}
        kept.append(batch.without(mine))
        refused.append(
            [Refusal(REFUSED[mine[trace_id]], f"span {span_id}") for trace_id, span_id in batch.ids if trace_id in mine]
        )
    return kept, refused


async def tombstone(conn: AsyncConnection, project_ids: Sequence[int], trace_id: str) -> Tombstone | None:
    """Of a trace that a person deleted in one of these projects."""
    mine = and_(g.c.project_id.in_(list(project_ids)), g.c.trace_id == trace_id, g.c.reason == "deleted")
    columns = [g.c[name] for name in Tombstone.__struct_fields__]
    row = (await conn.execute(select(*columns).where(mine))).first()
    return Tombstone(*row) if row else None


async def pending(conn: AsyncConnection, limit: int, only: tuple[int, Sequence[str]] | None = None) -> list[Grave]:
    """At most so many whose spans are still to be erased, or `only` of these traces of a project."""
    query = select(*(g.c[name] for name in Grave.__struct_fields__)).where(g.c.pending)
    if only is not None:
        query = query.where(g.c.project_id == only[0], g.c.trace_id.in_(only[1]))
    query = query.order_by(g.c.project_id, g.c.trace_id).limit(limit)
    return [Grave(*row) for row in await conn.execute(query)]


async def bury(conn: AsyncConnection, rows: Sequence[tuple[int, str, Reason, bool, int, str, int, int]]) -> None:
    """Notes traces, each with all columns of the table, as gone."""
    await write_rows(conn, g, rows, over=True)


async def close(conn: AsyncConnection, project_id: int, trace_ids: Sequence[str]) -> None:
    """Nothing of these is left: those that only grew old need not be remembered."""
    mine = and_(g.c.project_id == project_id, g.c.trace_id.in_(list(trace_ids)))
    await conn.execute(delete(g).where(mine, g.c.reason == "expired"))
    await conn.execute(g.update().where(mine).values(pending=False))
