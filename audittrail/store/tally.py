"""What a project received, refused, judged and redacted over a time: counts, for whoever reports them."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.filters import Cursor
from audittrail.model.tally import Received, RefusedReason
from audittrail.model.violation import RuleCount
from audittrail.store.tables import refusals as x
from audittrail.store.tables import rule_counts as c
from audittrail.store.tables import traces as t
from audittrail.store.tables import verdicts as v

HOUR_US = 3_600_000_000
_CHUNK = 5_000


def _began(project_id: int, from_us: int, until_us: int) -> ColumnElement[bool]:
    return and_(t.c.project_id == project_id, t.c.started_us >= from_us, t.c.started_us < until_us)


async def received(conn: AsyncConnection, project_id: int, from_us: int, until_us: int) -> Received:
    """Of the traces that began in that time."""
    sums = [func.coalesce(func.sum(t.c[name]), 0) for name in ("span_count", "llm_calls", "tool_calls")]
    query = select(func.count(), *sums).where(_began(project_id, from_us, until_us))
    return Received(*map(int, (await conn.execute(query)).one()))


async def redacted(
    conn: AsyncConnection, project_id: int, from_us: int, until_us: int, after: Cursor | None
) -> tuple[Counter[str], int, Cursor | None]:
    """How much was redacted by type in some of the traces that began in that time, in how many of them, and the cursor
    to the rest. Beginning with None, until it is None again."""
    query = select(t.c.started_us, t.c.trace_id, t.c.pii).where(_began(project_id, from_us, until_us))
    if after is not None:
        # Not a row of values: with a second bound on the same column SQLite would read the range from its beginning.
        at, trace_id = after.key
        query = query.where(t.c.started_us >= at, (t.c.started_us > at) | (t.c.trace_id > trace_id))
    rows = (await conn.execute(query.order_by(t.c.started_us, t.c.trace_id).limit(_CHUNK))).all()
    counts: Counter[str] = Counter()
    for _, _, pii in rows:
        counts.update(pii)
    with_some = sum(1 for row in rows if row[2])
    return counts, with_some, Cursor((rows[-1][0], rows[-1][1])) if len(rows) == _CHUNK else None


async def refused(
    conn: AsyncConnection, project_id: int, from_us: int, until_us: int, limit: int
) -> list[RefusedReason]:
    """By signal and reason, in the hours that the time touches; the most first, at most so many reasons."""
    spans = func.sum(x.c.spans)
    query = (
        select(x.c.signal, x.c.reason, spans, func.sum(x.c.requests))
        .where(x.c.project_id == project_id, x.c.hour_us > from_us - HOUR_US, x.c.hour_us < until_us)
        .group_by(x.c.signal, x.c.reason)
        .order_by(spans.desc(), x.c.signal, x.c.reason)
        .limit(limit)
    )
    return [RefusedReason(row[0], row[1], int(row[2]), int(row[3])) for row in await conn.execute(query)]


async def judged(conn: AsyncConnection, project_id: int, from_us: int, until_us: int) -> dict[str, RuleCount]:
    """How often each rule was judged in the hours that the time touches, by rule id."""
    sums = [func.sum(c.c[name]) for name in ("passed", "warned", "violated", "erred")]
    query = (
        select(c.c.rule_id, *sums)
        .where(c.c.project_id == project_id, c.c.hour_us > from_us - HOUR_US, c.c.hour_us < until_us)
        .group_by(c.c.rule_id)
    )
    return {row[0]: RuleCount(row[0], *map(int, row[1:])) for row in await conn.execute(query)}


async def found_by_rule(
    conn: AsyncConnection, project_id: int, from_us: int, until_us: int
) -> dict[tuple[str, str], dict[str, int]]:
    """How many verdicts stand that were found in that time, by (rule id, version) and outcome."""
    query = (
        select(v.c.rule_id, v.c.version, v.c.outcome, func.count())
        .where(v.c.project_id == project_id, v.c.found_us >= from_us, v.c.found_us < until_us)
        .group_by(v.c.rule_id, v.c.version, v.c.outcome)
    )
    found: dict[tuple[str, str], dict[str, int]] = {}
    for rule_id, version, outcome, number in await conn.execute(query):
        found.setdefault((rule_id, version), {})[outcome] = int(number)
    return found
