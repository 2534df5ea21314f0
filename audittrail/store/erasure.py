"""Deleting traces for good.

A trace is hidden first, whole, in one transaction: from then on no page, sum or search knows it, and no late span comes
to it. Then its spans, records and words are erased in small pieces, by whoever is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.summary import SpanRow, summarise
from audittrail.model.usage import Part, Shift, part_of
from audittrail.store import dialect, locks, tombstones, unindexing
from audittrail.store import reports as report_store
from audittrail.store import usage as usage_store
from audittrail.store.bulk import by_project
from audittrail.store.notify import changed as tell
from audittrail.store.tables import ablations, approvals, fragments, verdicts
from audittrail.store.tables import records as r
from audittrail.store.tables import spans as s
from audittrail.store.tables import traces as t
from audittrail.store.tombstone_table import erasure_progress as p
from audittrail.store.tombstones import Grave, Reason
from audittrail.store.unindexing import Gone

# A transaction takes out so many spans, and stops before so many bytes of records.
PIECE_SPANS = 64
PIECE_BYTES = 128 << 10
# Verdicts of a trace in one transaction: each stands in six indexes.
PIECE_VERDICTS = 250
_GRAVES = 64
_CHUNK = 5_000
_ALL = "~"  # after every span id

_COLUMNS = [s.c[name] for name in SpanRow.__struct_fields__]
_SIZE = func.length(r.c.record) + func.length(r.c.salt)


class Doomed(msgspec.Struct, frozen=True):
    """A trace that is to be deleted, as it was when it was looked at."""

    project_id: int
    trace_id: str
    received_us: int
    started_us: int
    spans: int
    bytes: int
    part: Part


class Piece(msgspec.Struct, frozen=True):
    """What one transaction erases: traces, whole or as far as a span."""

    project_id: int
    trace_ids: list[str]
    last_span: str
    whole: bool
    spans: int
    bytes: int
    gone: list[Gone]


class Changed(Exception):
    """Something came between looking and erasing: nothing was done; look again."""


async def of_session(conn: AsyncConnection, project_id: int, session_id: str) -> list[str]:
    """The traces of a session."""
    mine = and_(t.c.project_id == project_id, t.c.session_id == session_id)
    return list((await conn.scalars(select(t.c.trace_id).where(mine).order_by(t.c.started_us, t.c.trace_id))).all())


async def measure(conn: AsyncConnection, project_id: int, trace_ids: Sequence[str]) -> tuple[int, int, int]:
    """(traces, spans, bytes of records) of these."""
    spans = size = 0
    for i in range(0, len(trace_ids), _CHUNK):
        some = trace_ids[i : i + _CHUNK]
        held = select(func.coalesce(func.sum(_SIZE), 0)).where(r.c.project_id == project_id, r.c.trace_id.in_(some))
        size += int(await conn.scalar(held) or 0)
        counted = select(func.coalesce(func.sum(t.c.span_count), 0))
        spans += int(await conn.scalar(counted.where(t.c.project_id == project_id, t.c.trace_id.in_(some))) or 0)
    return len(trace_ids), spans, size


async def look_at(conn: AsyncConnection, keys: Sequence[tuple[int, str]]) -> list[Doomed]:
    """These traces, those that are there."""
    found: list[Doomed] = []
    for project_id, trace_ids in by_project(keys).items():
        mine = and_(t.c.project_id == project_id, t.c.trace_id.in_(trace_ids))
        received: dict[str, int] = dict((await conn.execute(select(t.c.trace_id, t.c.received_us).where(mine))).all())
        rows: dict[str, list[SpanRow]] = {}
        for row in await conn.execute(
            select(*_COLUMNS).where(s.c.project_id == project_id, s.c.trace_id.in_(trace_ids))
        ):
            rows.setdefault(row[0], []).append(SpanRow(*row))
        sizes = select(r.c.trace_id, func.sum(_SIZE)).where(r.c.project_id == project_id, r.c.trace_id.in_(trace_ids))
        size: dict[str, int] = dict((await conn.execute(sizes.group_by(r.c.trace_id))).all())
        found += await asyncio.to_thread(_doomed, project_id, received, rows, size)
    return found


def _doomed(
    project_id: int, received: Mapping[str, int], rows: Mapping[str, list[SpanRow]], size: Mapping[str, int]
) -> list[Doomed]:
    found = []
    for trace_id, received_us in received.items():
        mine = rows.get(trace_id, [])
        trace = summarise(mine, 0).row if mine else None
        part = part_of(trace, mine) if trace else {}
        started_us = trace.started_us if trace else 0
        found.append(Doomed(project_id, trace_id, received_us, started_us, len(mine), int(size.get(trace_id, 0)), part))
    return found


async def hide(conn: AsyncConnection, doomed: Sequence[Doomed], reason: Reason, by: str, now_us: int) -> list[Doomed]:
    """Takes these traces out of all lists and sums at once, and leaves their spans to be erased.

    Returns those that were as they had been looked at; of others nothing was done.
    """
    await locks.lock_traces(conn, {(one.project_id, one.trace_id) for one in doomed})
    hidden: list[Doomed] = []
    shifts: dict[int, Shift] = {}
    for project_id, ones in by_project((one.project_id, one) for one in doomed).items():
        mine = and_(t.c.project_id == project_id, t.c.trace_id.in_([one.trace_id for one in ones]))
        rows = await conn.execute(select(t.c.trace_id, t.c.received_us).where(mine))
        now: dict[str, int] = dict(rows.all())
        same = [one for one in ones if now.get(one.trace_id) == one.received_us]
        if not same:
            continue
        hidden += same
        shift = shifts[project_id] = Shift()
        for one in same:
            shift.add(one.started_us, one.part, -1)
        ids = [one.trace_id for one in same]
        await conn.execute(delete(t).where(t.c.project_id == project_id, t.c.trace_id.in_(ids)))
        await _verdicts(conn, project_id, ids)
        explained = and_(ablations.c.project_id == project_id, ablations.c.trace_id.in_(ids))
        await conn.execute(delete(ablations).where(explained))
        await report_store.hide_sheets(conn, project_id, ids)  # they hold what was said in it
        if reason == "deleted":
            await _blank_approvals(conn, project_id, ids, now_us)
        tell(conn, project_id, "traces")
        tell(conn, project_id, "trace", ids)
        tell(conn, project_id, "ablations")
        tell(conn, project_id, "reports")
    await usage_store.shift(conn, shifts)
    await usage_store.sweep(conn, shifts)
    await tombstones.bury(
        conn,
        [(one.project_id, one.trace_id, reason, True, now_us, by, one.spans, one.bytes) for one in hidden],
    )
    return hidden


async def _verdicts(conn: AsyncConnection, project_id: int, trace_ids: Sequence[str]) -> bool:
    """Deletes some of these traces' verdicts; whether there may be more."""
    v = verdicts.c
    some = select(v.id).where(v.project_id == project_id, v.trace_id.in_(trace_ids)).limit(PIECE_VERDICTS)
    gone = (await conn.execute(delete(verdicts).where(v.project_id == project_id, v.id.in_(some)))).rowcount
    if gone:
        tell(conn, project_id, "violations")
        tell(conn, project_id, "counts")
    return gone == PIECE_VERDICTS


async def _blank_approvals(conn: AsyncConnection, project_id: int, trace_ids: Sequence[str], now_us: int) -> None:
    """That somebody decided stays known, and when; not about what. What nobody had answered or used is void."""
    a = approvals.c
    waits = a.status == "pending"
    blank: dict[str, Any] = {
        "name": "(deleted)",
        "args": "null",
        "reasons": "[]",
        "reason": "",
        "agent": None,
        "end_user": None,
    }
    blank |= {"pii": None, "action_hash": "", "kept_hash": "", "on_timeout": "deny"}
    change = update(approvals).where(a.project_id == project_id, a.trace_id.in_(trace_ids))
    change = change.values(
        **blank,
        status=case((waits, "expired"), else_=a.status),
        decided_us=case((waits, now_us), else_=a.decided_us),
        expires_us=case((a.expires_us > now_us, now_us), else_=a.expires_us),
    )
    if (await conn.execute(change)).rowcount:
        tell(conn, project_id, "approvals")
        tell(conn, project_id, "counts")


async def next_piece(conn: AsyncConnection, only: tuple[int, Sequence[str]] | None = None) -> Piece | None:
    """What is to be erased next; `only` of these traces of a project. None: nothing is left."""
    graves = await tombstones.pending(conn, _GRAVES, only)
    if not graves:
        return None
    mine = _together(graves)
    project_id, trace_ids, last, whole = mine[0].project_id, [one.trace_id for one in mine], _ALL, True
    of_traces = and_(r.c.project_id == project_id, r.c.trace_id.in_(trace_ids))
    if len(mine) == 1:
        sizes = select(r.c.span_id, func.sum(_SIZE)).where(of_traces).group_by(r.c.span_id).order_by(r.c.span_id)
        found = (await conn.execute(sizes.limit(PIECE_SPANS + 1))).all()
        total = 0
        for number, (span_id, size) in enumerate(found):
            if number and (number == PIECE_SPANS or total + size > PIECE_BYTES):
                whole = False
                break
            total += size
            last = span_id
        last = _ALL if whole else last
    counted = select(func.count(), func.coalesce(func.sum(_SIZE), 0)).where(of_traces, r.c.span_id <= last)
    _, size = (await conn.execute(counted)).one()
    here = and_(s.c.project_id == project_id, s.c.trace_id.in_(trace_ids), s.c.span_id <= last)
    spans = await conn.scalar(select(func.count()).select_from(s).where(here)) or 0
    gone = await unindexing.find_gone(conn, project_id, trace_ids, last)
    return Piece(project_id, trace_ids, last, whole, int(spans), int(size), gone)


def _together(graves: Sequence[Grave]) -> list[Grave]:
    """So many of the first one's project that they make a piece."""
    mine: list[Grave] = []
    spans = size = 0
    for one in graves:
        spans, size = spans + one.spans, size + one.bytes
        if one.project_id != graves[0].project_id or (mine and (spans > PIECE_SPANS or size > PIECE_BYTES)):
            break
        mine.append(one)
    return mine


async def erase(conn: AsyncConnection, piece: Piece, said: Sequence[str]) -> None:
    """Erases a piece; `said` are the words of its documents, in their order. Raises Changed, or search.Outdated."""
    gone = list(zip(piece.gone, said, strict=True))
    where = (conn, piece.project_id, piece.trace_ids)
    if not await unindexing.take_out(*where, piece.last_span, gone, whole=piece.whole):
        raise Changed
    for table in (r, s, fragments):
        await conn.execute(delete(table).where(_within(table, piece)))
    if not await _verdicts(*where) and piece.whole:
        await tombstones.close(*where)
    await _count_erased(conn)


def _within(table: Any, piece: Piece) -> ColumnElement[bool]:
    mine = [table.c.project_id == piece.project_id, table.c.trace_id.in_(piece.trace_ids)]
    return and_(*mine) if piece.whole else and_(*mine, table.c.span_id <= piece.last_span)


async def _count_erased(conn: AsyncConnection) -> None:
    put = dialect.insert(conn, p).values(id=1, erased=1, wiped=0, trusted_us=0)
    await conn.execute(put.on_conflict_do_update(index_elements=["id"], set_={"erased": p.c.erased + 1}))


class Progress(msgspec.Struct, frozen=True):
    """How far erasing has come."""

    erased: int = 0
    wiped: int = 0
    trusted_us: int = 0


async def progress(conn: AsyncConnection) -> Progress:
    """As it stands."""
    row = (await conn.execute(select(p.c.erased, p.c.wiped, p.c.trusted_us))).first()
    return Progress(*row) if row else Progress()


async def set_progress(conn: AsyncConnection, *, wiped: int | None = None, trusted_us: int | None = None) -> None:
    """Notes how many erasing transactions have left nothing behind, or the time that retention went by."""
    values = {name: value for name, value in (("wiped", wiped), ("trusted_us", trusted_us)) if value is not None}
    put = dialect.insert(conn, p).values({"id": 1, "erased": 0, "wiped": 0, "trusted_us": 0} | values)
    await conn.execute(put.on_conflict_do_update(index_elements=["id"], set_=values))
