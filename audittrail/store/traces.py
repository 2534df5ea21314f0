"""Traces: one row each, kept up to date by the transaction that stores their spans."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.filters import RANGES, Page, TraceFilter
from audittrail.model.summary import NAMES_LIMIT, ORPHAN_QUIET_US, QUIET_US, Summary, TraceRow
from audittrail.store import dialect, locks, search
from audittrail.store.bulk import write_rows
from audittrail.store.columns import counts_text, picodollars
from audittrail.store.tables import spans as s
from audittrail.store.tables import traces as t

_FIELDS = TraceRow.__struct_fields__
_LITERALLY = str.maketrans({sign: f"\\{sign}" for sign in "\\%_"})


async def save(conn: AsyncConnection, summaries: Sequence[tuple[int, Summary]]) -> None:
    """Writes the summaries, each with its project, over what was there."""
    await write_rows(conn, t, [_values(project_id, summary) for project_id, summary in summaries], over=True)


# The columns from started_us to reasoning_tokens, in the table's order.
_MIDDLE = [c.name for c in t.columns][5:19]
_middle = attrgetter(*_MIDDLE)


def _values(project_id: int, summary: Summary) -> tuple[Any, ...]:
    row = summary.row
    tail = (picodollars(row.cost), row.error, summary.names, row.received_us, counts_text(row.pii))
    head = (project_id, row.trace_id, row.name, row.status, summary.settles_us)
    return (*head, *_middle(row), *tail)


def is_running(now_us: int) -> ColumnElement[bool]:
    """Whether a trace has not settled yet."""
    return or_(t.c.settles_us.is_(None), t.c.settles_us > now_us)


def row_columns(now_us: int) -> list[ColumnElement[Any]]:
    """The fields of TraceRow."""
    status = case((is_running(now_us), literal("running")), else_=t.c.outcome).label("status")
    return [status if name == "status" else t.c[name] for name in _FIELDS]


def _row(values: Row[Any]) -> TraceRow:
    return TraceRow(*values)


def _where(conn: AsyncConnection, project_id: int, want: TraceFilter, now_us: int) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [t.c.project_id == project_id]
    if want.range:
        conditions.append(t.c.started_us >= now_us - RANGES[want.range] * 1_000_000)
    if want.status == "running":
        conditions.append(is_running(now_us))
    elif want.status:
        conditions += [t.c.outcome == want.status, t.c.settles_us <= now_us]
    for column, value in ((t.c.agent, want.agent), (t.c.session_id, want.session), (t.c.end_user, want.user)):
        if value:
            conditions.append(column == value)
    if want.has_error:
        conditions.append(t.c.error_count > 0)
    if want.min_duration_us is not None:
        conditions.append(func.coalesce(t.c.ended_us, now_us) - t.c.started_us >= want.min_duration_us)
    if want.min_dollars is not None:
        conditions.append(t.c.cost >= want.min_dollars)
    if want.min_count is not None:
        tokens = func.coalesce(t.c.input_tokens, 0) + func.coalesce(t.c.output_tokens, 0)
        conditions.append(tokens >= want.min_count)
    for column, value in ((s.c.model, want.model), (s.c.tool, want.tool)):
        if value:
            # The names first, which stand beside: looking into the spans takes ten times as long. They are cut where
            # there are very many.
            part = max(value.lower().split("*"), key=len)
            named = or_(dialect.contains(conn, t.c.names, part), func.length(t.c.names) >= NAMES_LIMIT)
            conditions += [named, _has_span(column == value if "*" not in value else _like(column, value))]
    if want.kind:
        conditions.append(_has_span(s.c.kind == want.kind))
    for text in want.text:
        ways = [dialect.contains(conn, t.c.names, text), t.c.trace_id == text]
        said = search.is_said(conn, project_id, text)
        conditions.append(or_(*ways) if said is None else or_(*ways, said))
    return and_(*conditions)


def _has_span(like: ColumnElement[bool]) -> ColumnElement[bool]:
    mine = and_(s.c.project_id == t.c.project_id, s.c.trace_id == t.c.trace_id)
    return select(s.c.span_id).where(mine, like).exists()


def _like(column: ColumnElement[str], value: str) -> ColumnElement[bool]:
    """Where * stands for any text, and nothing else for anything but itself."""
    return column.like("%".join(part.translate(_LITERALLY) for part in value.split("*")), escape="\\")


async def list_traces(conn: AsyncConnection, project_id: int, want: TraceFilter, now_us: int) -> Page[TraceRow]:
    """Newest first, one page after `want.after`."""
    await search.prepare(conn, want.text)
    query = (
        select(*row_columns(now_us))
        .where(_where(conn, project_id, want, now_us))
        .order_by(t.c.started_us.desc(), t.c.trace_id.desc())
        .limit(want.size + 1)
    )
    if want.after:
        query = query.where(tuple_(t.c.started_us, t.c.trace_id) < want.after.key)
    rows = [_row(row) for row in await conn.execute(query)]
    return Page.cut(rows, want.size, lambda row: (row.started_us, row.trace_id))


async def trace(conn: AsyncConnection, project_id: int, trace_id: str, now_us: int) -> TraceRow | None:
    """One trace of a project."""
    query = select(*row_columns(now_us)).where(t.c.project_id == project_id, t.c.trace_id == trace_id)
    row = (await conn.execute(query)).first()
    return _row(row) if row else None


async def hold(conn: AsyncConnection, project_id: int, trace_id: str, now_us: int) -> TraceRow | None:
    """One trace of a project, which nobody changes or deletes before this transaction ends: what is kept about it is
    there when a deletion looks for it."""
    if await trace(conn, project_id, trace_id, now_us) is None:
        return None
    await locks.lock_traces(conn, [(project_id, trace_id)])
    return await trace(conn, project_id, trace_id, now_us)


async def settled(conn: AsyncConnection, after_us: int, until_us: int, limit: int) -> list[tuple[int, str]]:
    """(project, trace) of those that were quiet for long enough in that time, and so are running no more."""
    found: list[tuple[int, str]] = []
    for quiet_us in (QUIET_US, ORPHAN_QUIET_US):
        # By the time of receipt, which has an index: one on `settles_us` would be written with every change of a trace.
        query = select(t.c.project_id, t.c.trace_id).where(
            t.c.received_us > after_us - quiet_us,
            t.c.received_us <= until_us - quiet_us,
            t.c.settles_us > after_us,
            t.c.settles_us <= until_us,
        )
        rows = await conn.execute(query.limit(limit))
        found += [(project_id, trace_id) for project_id, trace_id in rows]
    return found


async def projects_with(conn: AsyncConnection, project_ids: Sequence[int], trace_id: str) -> list[int]:
    """Which of these projects hold a trace of that id."""
    query = select(t.c.project_id).where(t.c.project_id.in_(project_ids), t.c.trace_id == trace_id)
    return list((await conn.scalars(query)).all())


async def agents(conn: AsyncConnection, project_id: int, limit: int = 50, after: str = "") -> list[str]:
    """Names of agents after that name: each found by one step in the index, however many traces there are."""
    mine = t.c.project_id == project_id
    names = select(func.min(t.c.agent).label("agent")).where(mine, t.c.agent > after).cte("names", recursive=True)
    following = select(func.min(t.c.agent)).where(mine, t.c.agent > names.c.agent).correlate(names).scalar_subquery()
    names = names.union_all(select(following).where(names.c.agent.is_not(None)))
    query = select(names.c.agent).where(names.c.agent.is_not(None)).limit(limit)
    return list((await conn.scalars(query)).all())


async def count_spans(
    conn: AsyncConnection, project_id: int, want: TraceFilter | None = None, now_us: int = 0
) -> tuple[int, int]:
    """(traces, spans) of a project, or of those that such a list shows."""
    want = want or TraceFilter()
    await search.prepare(conn, want.text)
    where = _where(conn, project_id, want, now_us)
    query = select(func.count(), func.coalesce(func.sum(t.c.span_count), 0)).where(where)
    traces, spans = (await conn.execute(query)).one()
    return int(traces), int(spans)


async def oldest(conn: AsyncConnection, project_id: int) -> int | None:
    """When the project's first trace began."""
    first: int | None = await conn.scalar(select(func.min(t.c.started_us)).where(t.c.project_id == project_id))
    return first


async def is_empty(conn: AsyncConnection, project_id: int) -> bool:
    """Whether the project never received a trace."""
    return await conn.scalar(select(t.c.trace_id).where(t.c.project_id == project_id).limit(1)) is None
