"""Sessions: conversations across traces, found by way of each one's latest trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.conversation import Conversation, ConversationFilter
from audittrail.model.filters import RANGES, Cursor, Page
from audittrail.model.summary import TraceRow
from audittrail.store.tables import spans as s
from audittrail.store.tables import traces as t
from audittrail.store.traces import is_running, row_columns

_later = t.alias("later")


def _is_latest() -> ColumnElement[bool]:
    """Whether no trace of the same session began after it."""
    same = and_(_later.c.project_id == t.c.project_id, _later.c.session_id == t.c.session_id)
    after = tuple_(_later.c.started_us, _later.c.trace_id) > tuple_(t.c.started_us, t.c.trace_id)
    # `started_us >=` as well: SQLite takes an index for it, and none for a row of values.
    found = select(literal(1)).select_from(_later).where(same, _later.c.started_us >= t.c.started_us, after)
    return ~found.exists()


async def list_conversations(
    conn: AsyncConnection, project_id: int, want: ConversationFilter, now_us: int
) -> Page[Conversation]:
    """By their latest trace, newest first; one page after `want.after`."""
    query = (
        select(t.c.started_us, t.c.trace_id, t.c.session_id)
        .where(t.c.project_id == project_id, t.c.session_id.is_not(None), _is_latest())
        .order_by(t.c.started_us.desc(), t.c.trace_id.desc())
        .limit(want.size + 1)
    )
    if want.range:
        query = query.where(t.c.started_us >= now_us - RANGES[want.range] * 1_000_000)
    if want.after:
        query = query.where(tuple_(t.c.started_us, t.c.trace_id) < want.after.key)
    latest = (await conn.execute(query)).all()
    found = await _summed(conn, project_id, [row.session_id for row in latest], now_us)
    rows = [found[row.session_id] for row in latest]
    return Page.cut(rows, want.size, lambda one: (one.latest_us, one.latest_trace_id))


async def conversation(conn: AsyncConnection, project_id: int, session_id: str, now_us: int) -> Conversation | None:
    """One of a project."""
    return (await _summed(conn, project_id, [session_id], now_us)).get(session_id)


async def _summed(
    conn: AsyncConnection, project_id: int, session_ids: Sequence[str], now_us: int
) -> dict[str, Conversation]:
    if not session_ids:
        return {}
    mine = and_(t.c.project_id == project_id, t.c.session_id.in_(session_ids))
    failed = and_(t.c.outcome == "error", t.c.settles_us <= now_us)
    sums = (
        select(
            t.c.session_id,
            func.min(t.c.started_us).label("started_us"),
            func.count().label("traces"),
            func.sum(case((failed, 1), else_=0)).label("errors"),
            func.sum(t.c.span_count).label("span_count"),
            func.sum(t.c.input_tokens).label("input_tokens"),
            func.sum(t.c.output_tokens).label("output_tokens"),
            func.sum(t.c.cost).label("cost"),
        )
        .where(mine)
        .group_by(t.c.session_id)
    )
    status = case((is_running(now_us), literal("running")), else_=t.c.outcome).label("status")
    columns = (t.c.session_id, t.c.started_us, t.c.trace_id, t.c.name, status, t.c.agent, t.c.end_user)
    latest = {row.session_id: row for row in await conn.execute(select(*columns).where(mine, _is_latest()))}
    found = {}
    for row in await conn.execute(sums):
        last = latest[row.session_id]
        found[row.session_id] = Conversation(
            session_id=row.session_id,
            started_us=row.started_us,
            latest_us=last.started_us,
            latest_trace_id=last.trace_id,
            name=last.name,
            status=last.status,
            agent=last.agent,
            end_user=last.end_user,
            traces=int(row.traces),
            errors=int(row.errors),
            span_count=int(row.span_count),
            input_tokens=_whole(row.input_tokens),
            output_tokens=_whole(row.output_tokens),
            cost=row.cost,
        )
    return found


def _whole(number: Any) -> int | None:
    return None if number is None else int(number)  # PostgreSQL sums BIGINT to NUMERIC


async def traces_of(
    conn: AsyncConnection, project_id: int, session_id: str, after: Cursor | None, size: int, now_us: int
) -> Page[TraceRow]:
    """The traces of a session in their order, one page after the cursor."""
    query = (
        select(*row_columns(now_us))
        .where(t.c.project_id == project_id, t.c.session_id == session_id)
        .order_by(t.c.started_us, t.c.trace_id)
        .limit(size + 1)
    )
    if after:
        query = query.where(tuple_(t.c.started_us, t.c.trace_id) > after.key)
    rows = [TraceRow(*row) for row in await conn.execute(query)]
    return Page.cut(rows, size, lambda row: (row.started_us, row.trace_id))


async def voices(
    conn: AsyncConnection, project_id: int, trace_ids: Sequence[str]
) -> dict[str, tuple[str | None, str | None, str | None]]:
    """Of each trace the spans that may say what was asked and answered: root, first and last model call."""
    columns = (s.c.trace_id, s.c.span_id, s.c.parent_id, s.c.kind)
    query = (
        select(*columns)
        .where(s.c.project_id == project_id, s.c.trace_id.in_(trace_ids))
        .where(or_(s.c.parent_id.is_(None), s.c.kind == "llm"))
        .order_by(s.c.started_us, s.c.span_id)
    )
    found: dict[str, tuple[str | None, str | None, str | None]] = dict.fromkeys(trace_ids, (None, None, None))
    for trace_id, span_id, parent_id, kind in await conn.execute(query):
        root, first, last = found[trace_id]
        if parent_id is None:
            root = root or span_id
        if kind == "llm":
            first, last = first or span_id, span_id
        found[trace_id] = root, first, last
    return found
