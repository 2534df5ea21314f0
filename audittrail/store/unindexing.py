"""Taking erased spans out of what search has."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, delete, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.store import dialect, locks
from audittrail.store.search import SPAN_BITS, Outdated, mark_of
from audittrail.store.tables import records as r
from audittrail.store.tables import search_spans as d
from audittrail.store.tables import search_traces as x


class Gone(msgspec.Struct, frozen=True, gc=False):
    """A document that is to be taken out: its number, and the record of which it has the words, packed, where they are
    needed for that."""

    number: int
    key: tuple[int, str, str]
    mark: int
    record: bytes | None


def _of(project_id: int, trace_ids: Sequence[str], last_span: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    numbers = select(x.c.no).where(x.c.project_id == project_id, x.c.trace_id.in_(trace_ids))
    return d.c.no.in_(numbers), (d.c.span_id <= last_span)


async def find_gone(conn: AsyncConnection, project_id: int, trace_ids: Sequence[str], last_span: str) -> list[Gone]:
    """What search has of these traces, as far as the span of that id."""
    query = (
        select(d.c.no, d.c.at, d.c.mark, x.c.trace_id, d.c.span_id, r.c.record)
        .select_from(d)
        .join(x, x.c.no == d.c.no)
        .outerjoin(
            r,
            (r.c.project_id == x.c.project_id)
            & (r.c.trace_id == x.c.trace_id)
            & (r.c.span_id == d.c.span_id)
            & (r.c.version == d.c.version)
            & literal(dialect.needs_old_words(conn)),
        )
        .where(x.c.project_id == project_id, *_of(project_id, trace_ids, last_span))
    )
    rows = await conn.execute(query)
    return [Gone(row[0] << SPAN_BITS | row[1], (project_id, row[3], row[4]), row[2], row[5]) for row in rows]


async def take_out(
    conn: AsyncConnection,
    project_id: int,
    trace_ids: Sequence[str],
    last_span: str,
    gone: Sequence[tuple[Gone, str]],
    *,
    whole: bool,
) -> bool:
    """Forgets these traces as far as the span of that id, each document with its words where they are needed; with
    `whole` the traces too. False: something else was indexed of them meanwhile, and nothing may be committed.

    Raises Outdated when the words are not those that are indexed: then `clear`.
    """
    await locks.wait_for_search(conn)
    if dialect.needs_old_words(conn) and any(mark_of(said) != one.mark for one, said in gone):
        raise Outdated
    if (await conn.execute(delete(d).where(*_of(project_id, trace_ids, last_span)))).rowcount != len(gone):
        return False
    await dialect.remove_words(conn, [(one.number, said) for one, said in gone])
    if whole:
        await conn.execute(delete(x).where(x.c.project_id == project_id, x.c.trace_id.in_(trace_ids)))
    return True
