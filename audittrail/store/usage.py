"""The sums of model/usage.py: changed by the transaction that stores the spans, read by the pages over a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.summary import ORPHAN_QUIET_US, SpanRow, TraceRow
from audittrail.model.usage import Part, Shift, Slot, Stretch, Sums, Whose, part_of, timing
from audittrail.store import locks
from audittrail.store.bulk import write_rows
from audittrail.store.columns import picodollars
from audittrail.store.tables import spans as s
from audittrail.store.tables import traces as t
from audittrail.store.usage_table import usage as u

_CHUNK = 5_000
_MOST = 2**63 - 1
_FIELDS = Sums.__struct_fields__[:-1]
_SUMS = [u.c[name] for name in _FIELDS]
_encode = msgspec.json.Encoder().encode
_bins = msgspec.json.Decoder(dict[int, int]).decode


async def shift(conn: AsyncConnection, shifts: Mapping[int, Shift]) -> None:
    """Adds changes, by project, to the sums. Until the transaction ends no other changes those projects' sums."""
    changed = {project_id: found for project_id, one in shifts.items() if (found := one.changed())}
    await locks.lock_usage(conn, changed)
    for project_id, slots in sorted(changed.items()):
        for i in range(0, len(slots), _CHUNK):
            await _add(conn, project_id, slots[i : i + _CHUNK])


async def sweep(conn: AsyncConnection, shifts: Mapping[int, Shift]) -> None:
    """After traces were taken back: the slots in which nothing is left."""
    for project_id, one in shifts.items():
        times = {slot.from_us for slot in one.slots}
        places = [u.c.whose.in_({s.whose for s in one.slots}), u.c.size_us.in_({s.size_us for s in one.slots})]
        await conn.execute(
            u.delete().where(u.c.project_id == project_id, *places, u.c.from_us.in_(times), u.c.count <= 0)
        )


async def _add(conn: AsyncConnection, project_id: int, slots: Sequence[tuple[Slot, Sums]]) -> None:
    had = await _standing(conn, project_id, [slot for slot, _ in slots])
    rows = []
    for slot, change in slots:
        sums = had.get(slot)
        if sums is None:
            sums = change
        else:
            sums.add(change)
        rows.append((project_id, slot.whose, slot.size_us, slot.from_us, slot.name, *_values(sums)))
    await write_rows(conn, u, rows, over=True)


def _values(sums: Sums) -> tuple[Any, ...]:
    numbers = (getattr(sums, name) for name in _FIELDS[:-1])
    # What no agent uses in good faith must not make the transaction fail.
    held = (max(-_MOST, min(_MOST, number)) for number in (*numbers, picodollars(sums.cost) or 0))
    return (*held, _encode(sums.bins).decode())


def _sums(values: Sequence[Any]) -> Sums:
    read: list[Any] = [*values[:-1], _bins(values[-1])]
    return Sums(*read)


async def _standing(conn: AsyncConnection, project_id: int, slots: Sequence[Slot]) -> dict[Slot, Sums]:
    query = select(u.c.whose, u.c.size_us, u.c.from_us, u.c.name, *_SUMS, u.c.bins).where(
        u.c.project_id == project_id,
        u.c.whose.in_({slot.whose for slot in slots}),
        u.c.size_us.in_({slot.size_us for slot in slots}),
        u.c.from_us.in_({slot.from_us for slot in slots}),
        # Not the bare name: SQLite would look for each of them in each of the slots.
        (u.c.name + "").in_({slot.name for slot in slots}),
    )
    return {Slot(*row[:4]): _sums(row[4:]) for row in await conn.execute(query)}


def _during(project_id: int, whose: Whose, stretch: Stretch) -> ColumnElement[bool]:
    within = [u.c.project_id == project_id, u.c.whose == whose, u.c.size_us == stretch.size_us]
    within.append(u.c.from_us >= stretch.from_us)
    if stretch.until_us is not None:
        within.append(u.c.from_us < stretch.until_us)
    return and_(*within)


async def names(
    conn: AsyncConnection, project_id: int, whose: Whose, stretches: Sequence[Stretch], limit: int
) -> list[str]:
    """The names with the highest counts in these stretches, at most so many."""
    parts = [select(u.c.name, u.c.count).where(_during(project_id, whose, one)) for one in stretches if one.size_us]
    if not parts:  # a range within one slot
        return []
    rows = union_all(*parts).subquery()
    count = func.sum(rows.c.count)
    query = select(rows.c.name).group_by(rows.c.name).having(count > 0).order_by(count.desc(), rows.c.name)
    return list((await conn.scalars(query.limit(limit))).all())


async def slots(
    conn: AsyncConnection,
    project_id: int,
    whose: Whose,
    stretches: Sequence[Stretch],
    only: Sequence[str] | None = None,
) -> list[tuple[int, str, Sums]]:
    """(from, name, sums) of each slot in these stretches; `only`: of these names."""
    parts = []
    for one in stretches:
        if one.size_us:
            part = select(u.c.from_us, u.c.name, *_SUMS, u.c.bins).where(_during(project_id, whose, one))
            parts.append(part if only is None else part.where(u.c.name.in_(only)))
    if not parts:  # a range within one slot
        return []
    return [(row[0], row[1], _sums(row[2:])) for row in await conn.execute(union_all(*parts))]


_TRACE = [t.c[name] for name in ("trace_id", "name", "outcome", "started_us", "ended_us", "agent")]
_COLUMNS = [s.c[name] for name in SpanRow.__struct_fields__]


async def parts(conn: AsyncConnection, project_id: int, stretches: Sequence[Stretch]) -> list[tuple[int, Part]]:
    """(started, part) of each trace in the stretches that no slot fits."""
    found = []
    for stretch in stretches:
        if stretch.size_us:
            continue
        within = and_(
            t.c.project_id == project_id, t.c.started_us >= stretch.from_us, t.c.started_us < stretch.until_us
        )
        traces = {row[0]: TraceRow(*row) for row in await conn.execute(select(*_TRACE).where(within))}
        spans: dict[str, list[SpanRow]] = {trace_id: [] for trace_id in traces}
        ids = list(traces)
        for i in range(0, len(ids), _CHUNK):
            query = select(*_COLUMNS).where(s.c.project_id == project_id, s.c.trace_id.in_(ids[i : i + _CHUNK]))
            for row in await conn.execute(query):
                spans[row[0]].append(SpanRow(*row))
        found += [(trace.started_us, part_of(trace, spans[trace.trace_id])) for trace in traces.values()]
    return found


async def unsettled(
    conn: AsyncConnection, project_id: int, from_us: int, until_us: int | None, now_us: int
) -> list[tuple[int, str, Sums]]:
    """(started, agent, timing) of the traces whose root has ended and that count as running nevertheless."""
    query = select(*_TRACE).where(
        t.c.project_id + 0 == project_id,  # not the bare column: SQLite would read every trace of the project
        t.c.received_us >= now_us - ORPHAN_QUIET_US,
        t.c.settles_us > now_us,
        t.c.started_us >= from_us,
    )
    if until_us is not None:
        query = query.where(t.c.started_us < until_us)
    rows = [TraceRow(*row) for row in await conn.execute(query)]
    return [(row.started_us, row.agent or "", timing(row)) for row in rows]
