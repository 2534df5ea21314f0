"""Spans and their records: the transaction that makes them durable, and reading them back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model import record as records_model
from audittrail.model.batch import Batch, Prepared
from audittrail.model.summary import SpanRow, Summary, summarise
from audittrail.model.usage import Shift, part_of
from audittrail.model.verdict import Judge, Verdict
from audittrail.store import approvals, locks
from audittrail.store import traces as trace_store
from audittrail.store import usage as usage_store
from audittrail.store import verdicts as verdict_store
from audittrail.store.bulk import by_project, write_rows
from audittrail.store.columns import counts_text, picodollars
from audittrail.store.notify import changed as tell
from audittrail.store.packing import pack, unpack
from audittrail.store.tables import records as r
from audittrail.store.tables import spans as s

SALT_BYTES = 32
# Summing up a row takes 2 microseconds, judging a trace 50: more rows than this leave the event loop to others.
INLINE_ROWS = 500
# SQLite refuses more than 32,766 variables in a statement, PostgreSQL's wire more than 65,535.
_CHUNK = 5_000

_FIELDS = SpanRow.__struct_fields__
_COLUMNS = [s.c[name] for name in _FIELDS]

_Key = tuple[int, str, str]


class Stored(msgspec.Struct, gc=False):
    """A span as it stands in the transaction: its row, which version that is, and how many there are."""

    row: SpanRow
    version: int
    versions: int


async def store(conn: AsyncConnection, batches: Sequence[Batch], received_us: int, judge: Judge | None = None) -> int:
    """Stores all versions that are new, shows the greatest of each span, and brings the traces' summaries and all
    verdicts up to date.

    The outcome is the same whatever the order or number of deliveries. Returns how many versions were new.
    """
    arrived: dict[_Key, list[Prepared]] = {}
    for batch in batches:
        for span in batch.spans:
            versions = arrived.setdefault((batch.project_id, span.row.trace_id, span.row.span_id), [])
            if all(v.record != span.record for v in versions):
                versions.append(span)
    touched = {(project_id, trace_id) for project_id, trace_id, _ in arrived}
    await locks.lock_traces(conn, touched)
    known = await of_traces(conn, touched)
    before = by_trace(known)
    again = [key for key in arrived if key in known]
    old_records = await _records_of(conn, again) if again else {}

    new: list[tuple[_Key, int, bytes]] = []
    said: dict[_Key, tuple[Verdict, ...]] = {}
    actions: dict[_Key, str] = {}
    changed: dict[_Key, Stored] = {}
    for key, versions in arrived.items():
        stored = known.get(key)
        if stored is None and len(versions) == 1:
            new.append((key, 1, versions[0].record))
            known[key] = changed[key] = Stored(versions[0].row, 1, 1)
            said[key], actions[key] = versions[0].verdicts, versions[0].action
            continue
        earlier = old_records.get(key, {})
        count = stored.versions if stored else 0
        fresh = list(enumerate((v for v in versions if v.record not in earlier.values()), count + 1))
        if not fresh:
            continue
        new += [(key, number, span.record) for number, span in fresh]
        number, best = max(fresh, key=lambda one: _rank(one[1].record))
        if stored and _rank(earlier[stored.version]) > _rank(best.record):
            known[key] = changed[key] = Stored(stored.row, stored.version, count + len(fresh))
        else:
            known[key] = changed[key] = Stored(best.row, number, count + len(fresh))
            said[key], actions[key] = best.verdicts, best.action

    if not changed:
        return 0
    await _add_records(conn, new, received_us)
    await write_rows(conn, s, [values_of(key, stored) for key, stored in changed.items()], over=True)
    anew = {key[:2] for key in changed}
    now = {key: rows for key, rows in by_trace(known).items() if key in anew}
    traces, shifts = await sum_up(conn, now, before, received_us, judge)
    await usage_store.shift(conn, shifts)
    for project_id, trace_ids in by_project(anew).items():
        tell(conn, project_id, "traces")
        tell(conn, project_id, "trace", trace_ids)
    if judge is not None:
        said |= {(project_id, summary.row.trace_id, ""): verdicts for project_id, summary, verdicts in traces}
        agents = {(project_id, summary.row.trace_id, ""): summary.row.agent for project_id, summary, _ in traces}
        # A tool's span often does not say whose it is.
        agents |= {key: stored.row.agent or agents[*key[:2], ""] for key, stored in changed.items()}
        for key in await approvals.claim(conn, {key: action for key, action in actions.items() if action}):
            said[key] = tuple(v for v in said[key] if v.effect != "require_approval")
        await verdict_store.keep(conn, said, agents, judge.in_force(), received_us)
    return len(new)


async def _add_records(conn: AsyncConnection, new: list[tuple[_Key, int, bytes]], received_us: int) -> None:
    packed = await asyncio.to_thread(pack, [record for _, _, record in new])
    salts = secrets.token_bytes(SALT_BYTES * len(new))
    rows = [
        (*key, number, received_us, salts[i * SALT_BYTES : (i + 1) * SALT_BYTES], packed[i])
        for i, (key, number, _) in enumerate(new)
    ]
    await write_rows(conn, r, rows)


_Judged = tuple[int, Summary, tuple[Verdict, ...]]


_Rows = dict[tuple[int, str], list[SpanRow]]


def by_trace(known: dict[_Key, Stored]) -> _Rows:
    """Their rows by project and trace."""
    found: _Rows = {}
    for (project_id, trace_id, _), stored in known.items():
        found.setdefault((project_id, trace_id), []).append(stored.row)
    return found


async def sum_up(
    conn: AsyncConnection, now: _Rows, before: _Rows, received_us: int, judge: Judge | None
) -> tuple[list[_Judged], dict[int, Shift]]:
    """Writes the traces' summaries; returns them with what their rules say, and how each project's sums shift."""
    if sum(len(rows) for rows in now.values()) > INLINE_ROWS:
        done, shifts = await asyncio.to_thread(_summaries, now, before, received_us, judge)
    else:
        done, shifts = _summaries(now, before, received_us, judge)
    await trace_store.save(conn, [(project_id, summary) for project_id, summary, _ in done])
    return done, shifts


def _summaries(
    now: _Rows, before: _Rows, received_us: int, judge: Judge | None
) -> tuple[list[_Judged], dict[int, Shift]]:
    done = []
    shifts: dict[int, Shift] = {}
    for key, rows in now.items():
        summary = summarise(rows, received_us)
        done.append((key[0], summary, judge.trace(summary.now, rows) if judge else ()))
        shift = shifts.setdefault(key[0], Shift())
        shift.add(summary.row.started_us, part_of(summary.row, rows))
        if key in before:
            was = summarise(before[key], received_us).row
            shift.add(was.started_us, part_of(was, before[key]), -1)
    return done, shifts


def _rank(record: bytes) -> Any:
    return records_model.rank(records_model.decode(record), record)


# The columns from parent_id to reasoning_tokens, in the table's order.
_middle = attrgetter(*[c.name for c in s.columns][5:-4])


def values_of(key: _Key, stored: Stored) -> tuple[Any, ...]:
    """All columns of a span, in the table's order."""
    row = stored.row
    tail = (picodollars(row.cost), row.error, row.cost_basis, counts_text(row.pii))
    return (*key, stored.version, stored.versions, *_middle(row), *tail)


_OF_TRACES = select(s.c.version, s.c.versions, *_COLUMNS).where(
    s.c.project_id == bindparam("project"), s.c.trace_id.in_(bindparam("traces", expanding=True))
)


async def of_traces(conn: AsyncConnection, traces: Iterable[tuple[int, str]]) -> dict[_Key, Stored]:
    """All spans of these traces."""
    found: dict[_Key, Stored] = {}
    for project_id, trace_ids in by_project(traces).items():
        for i in range(0, len(trace_ids), _CHUNK):
            rows = await conn.execute(_OF_TRACES, {"project": project_id, "traces": trace_ids[i : i + _CHUNK]})
            for version, versions, *fields in rows:
                row = SpanRow(*fields)
                found[project_id, row.trace_id, row.span_id] = Stored(row, version, versions)
    return found


async def _records_of(conn: AsyncConnection, keys: Sequence[_Key]) -> dict[_Key, dict[int, bytes]]:
    """All versions of these spans, by number."""
    found: dict[_Key, dict[int, bytes]] = {}
    for project_id, mine in by_project((key[0], key) for key in keys).items():
        for i in range(0, len(mine), _CHUNK):
            wanted = set(mine[i : i + _CHUNK])
            # Not `(trace_id, span_id) IN …`: for a row of values SQLite uses no index, and reads every record there is.
            # Nor the bare span_id: it would be looked for in each of the traces.
            query = select(r.c.trace_id, r.c.span_id, r.c.version, r.c.record).where(
                r.c.project_id == project_id,
                r.c.trace_id.in_({key[1] for key in wanted}),
                (r.c.span_id + "").in_({key[2] for key in wanted}),
            )
            for trace_id, span_id, version, record in await conn.execute(query):
                if (project_id, trace_id, span_id) in wanted:
                    found.setdefault((project_id, trace_id, span_id), {})[version] = unpack(record)
    return found


def _row(values: Sequence[Any]) -> SpanRow:
    return SpanRow(*values)


async def rows_of_trace(conn: AsyncConnection, project_id: int, trace_id: str) -> list[SpanRow]:
    """All spans of a trace without their payloads, in no order that means anything."""
    query = select(*_COLUMNS).where(s.c.project_id == project_id, s.c.trace_id == trace_id)
    return [_row(row) for row in await conn.execute(query)]


class StoredRecord(msgspec.Struct, frozen=True):
    """A record, which version it is of how many, and when it came."""

    record: bytes  # unpacked: the exact bytes
    version: int
    versions: int
    received_us: int
    cost_basis: str | None
    stored_bytes: int  # as it lies on disk


def _shown() -> Any:
    return (
        select(r.c.record, s.c.version, s.c.versions, r.c.received_us, s.c.cost_basis)
        .select_from(s)
        .join(
            r,
            (r.c.project_id == s.c.project_id)
            & (r.c.trace_id == s.c.trace_id)
            & (r.c.span_id == s.c.span_id)
            & (r.c.version == s.c.version),
        )
    )


def _stored(packed: bytes, version: int, versions: int, received_us: int, cost_basis: str | None) -> StoredRecord:
    return StoredRecord(unpack(packed), version, versions, received_us, cost_basis, len(packed))


async def record_of(conn: AsyncConnection, project_id: int, trace_id: str, span_id: str) -> StoredRecord | None:
    """The record that is shown of a span."""
    query = _shown().where(s.c.project_id == project_id, s.c.trace_id == trace_id, s.c.span_id == span_id)
    row = (await conn.execute(query)).first()
    return _stored(*row) if row else None


async def records_of(
    conn: AsyncConnection, project_id: int, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], StoredRecord]:
    """The records that are shown of some spans, by (trace, span)."""
    wanted = set(keys)
    query = (
        _shown()
        .add_columns(s.c.trace_id, s.c.span_id)
        .where(
            s.c.project_id == project_id,
            s.c.trace_id.in_({key[0] for key in wanted}),
            (s.c.span_id + "").in_({key[1] for key in wanted}),  # as in _records_of
        )
    )
    found = {(row[5], row[6]): _stored(*row[:5]) for row in await conn.execute(query)}
    return {key: stored for key, stored in found.items() if key in wanted}


async def records_of_trace(
    conn: AsyncConnection, project_id: int, trace_id: str, after: tuple[int, str] | None, size: int
) -> list[tuple[SpanRow, StoredRecord]]:
    """At most `size` spans of a trace with their records, by start and id, after that key."""
    query = (
        _shown()
        .add_columns(*_COLUMNS)
        .where(s.c.project_id == project_id, s.c.trace_id == trace_id)
        .order_by(s.c.started_us, s.c.span_id)
        .limit(size)
    )
    if after:
        query = query.where(tuple_(s.c.started_us, s.c.span_id) > after)
    return [(_row(row[5:]), _stored(*row[:5])) for row in await conn.execute(query)]
