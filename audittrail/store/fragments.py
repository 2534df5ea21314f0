"""What log records say of spans, from when it comes until it is part of their records."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.batch import Batch
from audittrail.store import dialect
from audittrail.store.bulk import by_project
from audittrail.store.packing import pack, unpack
from audittrail.store.tables import fragments as f
from audittrail.store.tables import spans as s

_CHUNK = 5_000


class Kept(msgspec.Struct, frozen=True):
    """One of them, as it was when it was read."""

    project_id: int
    trace_id: str
    span_id: str
    digest: str
    waiting: int
    record: bytes


async def keep(conn: AsyncConnection, batches: Sequence[Batch], received_us: int) -> None:
    """Adds those that are new, and notes of spans that came that what is said of them must be looked at again."""
    rows = [
        {
            "project_id": batch.project_id,
            "trace_id": one.trace_id,
            "span_id": one.span_id,
            "digest": hashlib.sha256(one.record).hexdigest()[:32],
            "received_us": received_us,
            "waiting": 1,
            "record": pack([one.record])[0],
        }
        for batch in batches
        for one in batch.fragments
    ]
    if rows:
        await conn.execute(dialect.insert(conn, f).on_conflict_do_nothing(), rows)
    if await conn.scalar(select(f.c.waiting).limit(1)) is None:
        return  # nobody sends any: this look is all that it costs
    came = ((batch.project_id, (span.row.trace_id, span.row.span_id)) for batch in batches for span in batch.spans)
    for project_id, keys in by_project(came).items():
        for i in range(0, len(keys), _CHUNK):
            mine = _among(project_id, keys[i : i + _CHUNK])
            await conn.execute(update(f).where(mine).values(waiting=f.c.waiting + 1))


def _among(project_id: int, keys: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    """Of these spans, and of others that share both the trace of one and the id of another."""
    return and_(
        f.c.project_id == project_id,
        f.c.trace_id.in_({key[0] for key in keys}),
        (f.c.span_id + "").in_({key[1] for key in keys}),  # as in spans._records_of
    )


async def waiting(conn: AsyncConnection, limit: int) -> list[Kept]:
    """All that is said of at most so many spans of which something is to be looked at."""
    some = select(f.c.project_id, f.c.trace_id, f.c.span_id).where(f.c.waiting > 0).limit(limit)
    keys = {(row[0], (row[1], row[2])) for row in await conn.execute(some)}
    found: list[Kept] = []
    for project_id, mine in by_project(keys).items():
        columns = [f.c[name] for name in Kept.__struct_fields__]
        rows = await conn.execute(select(*columns).where(_among(project_id, mine)).order_by(f.c.received_us))
        for row in rows:
            if (row.trace_id, row.span_id) in mine:
                found.append(Kept(project_id, row.trace_id, row.span_id, row.digest, row.waiting, unpack(row.record)))
    return found


async def settle(conn: AsyncConnection, looked_at: Sequence[Kept]) -> None:
    """They were looked at as they were read; what came since still waits."""
    c = f.c
    mine = and_(
        c.project_id == bindparam("p"),
        c.trace_id == bindparam("t"),
        c.span_id == bindparam("s"),
        c.digest == bindparam("d"),
    )
    rows = [
        {"p": one.project_id, "t": one.trace_id, "s": one.span_id, "d": one.digest, "n": one.waiting}
        for one in looked_at
        if one.waiting
    ]
    if rows:
        await conn.execute(update(f).where(mine).values(waiting=c.waiting - bindparam("n")), rows)


async def forget(conn: AsyncConnection, before_us: int, limit: int) -> list[tuple[int, bool]]:
    """Deletes at most so many that came before then; of each its project, and whether its span ever came."""
    c = f.c
    came = exists().where(s.c.project_id == c.project_id, s.c.trace_id == c.trace_id, s.c.span_id == c.span_id)
    query = select(c.project_id, c.trace_id, c.span_id, c.digest, came).where(c.received_us < before_us).limit(limit)
    rows = (await conn.execute(query)).all()
    if rows:
        mine = and_(
            c.project_id == bindparam("p"),
            c.trace_id == bindparam("t"),
            c.span_id == bindparam("s"),
            c.digest == bindparam("d"),
        )
        gone = [dict(zip("ptsd", row[:4], strict=True)) for row in rows]
        await conn.execute(delete(f).where(mine), gone)
    return [(row[0], bool(row[4])) for row in rows]
