"""What an export reads: the records of a trace in portions of bounded size, each a short read of its own."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.store.packing import unpack
from audittrail.store.tables import records as r
from audittrail.store.tables import spans as s

MOST_SPANS = 500
# As they lie on disk. Unpacked one at a time: what a hostile client sent unpacks to a thousand times as much.
MOST_BYTES = 2_000_000


class Packed(msgspec.Struct, frozen=True):
    """The record that is shown of a span, still packed."""

    span_id: str
    started_us: int
    cost_basis: str | None
    packed: bytes

    @property
    def record(self) -> bytes:
        """The exact bytes. Raises ValueError when they are damaged."""
        return unpack(self.packed)


async def portion(
    conn: AsyncConnection, project_id: int, trace_id: str, after: tuple[int, str] | None, most_bytes: int = MOST_BYTES
) -> tuple[list[Packed], bool]:
    """The next spans of a trace by start and id, after that key, one where one is too large; and whether there may be
    more."""
    sizes = (await conn.execute(_after(project_id, trace_id, after, func.length(r.c.record)).limit(MOST_SPANS))).all()
    count = total = 0
    for *_, size in sizes:
        total += size
        if count and total > most_bytes:
            break
        count += 1
    rows = await conn.execute(_after(project_id, trace_id, after, r.c.record).limit(count))
    found = [Packed(*row) for row in rows]  # on PostgreSQL none, where all were deleted since they were measured
    return found, bool(found) and (count < len(sizes) or count == MOST_SPANS)


def _after(project_id: int, trace_id: str, after: tuple[int, str] | None, what: Any) -> Select[Any]:
    same = (r.c.project_id == s.c.project_id) & (r.c.trace_id == s.c.trace_id)
    query = (
        select(s.c.span_id, s.c.started_us, s.c.cost_basis, what)
        .select_from(s)
        .join(r, same & (r.c.span_id == s.c.span_id) & (r.c.version == s.c.version))
        .where(s.c.project_id == project_id, s.c.trace_id == trace_id)
        .order_by(s.c.started_us, s.c.span_id)
    )
    return query.where(tuple_(s.c.started_us, s.c.span_id) > after) if after else query
