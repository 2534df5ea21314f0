"""What has grown old, and deleting what belongs to no trace. Old traces go as deleted ones do: store/erasure.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.store.tables import approvals, refusals, rule_counts
from audittrail.store.tables import traces as t
from audittrail.store.tombstone_table import tombstones


class Aged(msgspec.Struct, frozen=True):
    """Rows of a table that are to go, by their keys."""

    table: Table
    old: ColumnElement[bool]  # what makes them old
    keys: list[tuple[Any, ...]]


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


async def find_aged(conn: AsyncConnection, horizon_us: int, limit: int) -> list[Aged]:
    """What is older and belongs to no trace, at most so many rows of each table: counts of refusals and of rules,
    approvals, tombstones. Whole tables are read for it, so where nobody waits for that."""
    found = []
    for table, old in _old(horizon_us).items():
        rows = (await conn.execute(select(*table.primary_key.columns).where(old).limit(limit))).all()
        if rows:
            found.append(Aged(table, old, [tuple(row) for row in rows]))
    return found


async def remove(conn: AsyncConnection, aged: Sequence[Aged]) -> None:
    """Deletes these, as far as they are still old."""
    for one in aged:
        key = [column == bindparam(f"key_{column.name}") for column in one.table.primary_key.columns]
        names = [f"key_{column.name}" for column in one.table.primary_key.columns]
        rows = [dict(zip(names, row, strict=True)) for row in one.keys]
        await conn.execute(delete(one.table).where(*key, one.old), rows)


def _old(horizon_us: int) -> dict[Table, ColumnElement[bool]]:
    return {
        refusals: refusals.c.hour_us < horizon_us,
        rule_counts: rule_counts.c.hour_us < horizon_us,
        approvals: and_(approvals.c.requested_us < horizon_us, approvals.c.expires_us < horizon_us),
        # Nobody sends spans of these any more.
        tombstones: and_(tombstones.c.deleted_us < horizon_us, ~tombstones.c.pending),
    }
