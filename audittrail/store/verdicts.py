"""What the rules found: kept by the transaction that stores the spans, and changed by people afterwards."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, bindparam, delete, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.activity import Action, Activity
from audittrail.model.filters import RANGES, Page
from audittrail.model.verdict import Verdict
from audittrail.model.violation import OPEN_LIMIT, RuleCount, Standing, Violation, ViolationFilter
from audittrail.store import dialect
from audittrail.store.activity import note_all
from audittrail.store.bulk import by_project, write_rows
from audittrail.store.notify import changed as tell
from audittrail.store.tables import PENDING
from audittrail.store.tables import rule_counts as c
from audittrail.store.tables import verdicts as v

HOUR_US = 3_600_000_000
_CHUNK = 5_000
_OUTCOMES = {"pass": "passed", "warning": "warned", "violation": "violated", "error": "erred"}

_Key = tuple[int, str, str]  # project, trace, and span or ""


class _Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    values: dict[str, Any] = {}
    evidence: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Detail).decode
# What judging says, and so what judging again may change; the rest is what people said, and when it was found.
_SAID = ("version", "title", "severity", "mode", "effect", "outcome", "message", "detail", "agent")


def verdict_id(trace_id: str, span_id: str, rule_id: str) -> str:
    """The same for the same rule and span, in whatever order and however often they come."""
    return hashlib.sha256(f"{trace_id}/{span_id}/{rule_id}".encode()).hexdigest()[:16]


async def keep(
    conn: AsyncConnection,
    said: Mapping[_Key, tuple[Verdict, ...]],
    agents: Mapping[_Key, str | None],
    in_force: frozenset[str],
    now_us: int,
) -> None:
    """Brings the verdicts on these spans and traces (span "") up to date with what was just said of them.

    What a rule in force no longer finds is deleted, or shown as corrected where a person has dealt with it. What was
    found by rules that are not in force any more stays.
    """
    await _count(conn, said, now_us)
    found = {
        (key[0], verdict_id(key[1], key[2], verdict.rule_id)): (key, verdict)
        for key, verdicts in said.items()
        for verdict in verdicts
        if verdict.outcome != "pass"
    }
    had = await _of_traces(conn, {key[:2] for key in said})
    new, changed = [], []
    for (project_id, id_), (key, verdict) in found.items():
        values = _values(verdict, agents.get(key))
        before = had.get((project_id, id_))
        if before is None:
            new.append((project_id, id_, key[1], key[2], verdict.rule_id, *values, now_us, "open", "", None, None))
        elif tuple(before[name] for name in _SAID) != values:
            changed.append({"p": project_id, "i": id_} | dict(zip(_SAID, values, strict=True)))
    await write_rows(conn, v, new)
    if changed:
        await conn.execute(_CHANGE, changed)
    over = [
        (key, row)
        for key, row in had.items()
        if key not in found and row["rule_id"] in in_force and (key[0], row["trace_id"], row["span_id"]) in said
    ]
    forgotten = [{"p": p, "i": i} for (p, i), row in over if row["status"] == "open" and not row["note"]]
    corrected = [{"p": p, "i": i} for (p, i), row in over if row["status"] != "open" or row["note"]]
    if forgotten:
        await conn.execute(_FORGET, forgotten)
    if corrected:
        await conn.execute(_CORRECT, corrected)
    ids: list[int] = [row[0] for row in new] + [row["p"] for row in (*changed, *forgotten, *corrected)]
    for one in set(ids):
        _tell(conn, one)


def _tell(conn: AsyncConnection, project_id: int) -> None:
    tell(conn, project_id, "violations")
    tell(conn, project_id, "counts")


_ONE = and_(v.c.project_id == bindparam("p"), v.c.id == bindparam("i"))
_CHANGE = update(v).where(_ONE).values({name: bindparam(name) for name in _SAID})
_FORGET = delete(v).where(_ONE)
_CORRECT = update(v).where(_ONE).values(outcome="pass")


def _values(verdict: Verdict, agent: str | None) -> tuple[Any, ...]:
    detail = _encode(_Detail(verdict.values, verdict.evidence, verdict.controls)).decode()
    head = (verdict.version, verdict.title, verdict.severity, verdict.mode, verdict.effect, verdict.outcome)
    return (*head, verdict.message, detail, agent)


async def _of_traces(conn: AsyncConnection, traces: Iterable[tuple[int, str]]) -> dict[tuple[int, str], Any]:
    found: dict[tuple[int, str], Any] = {}
    for project_id, trace_ids in by_project(traces).items():
        for i in range(0, len(trace_ids), _CHUNK):
            rows = await conn.execute(_OF_TRACES, {"project": project_id, "traces": trace_ids[i : i + _CHUNK]})
            found |= {(project_id, row["id"]): row for row in rows.mappings()}
    return found


_OF_TRACES = select(
    v.c.id, v.c.trace_id, v.c.span_id, v.c.rule_id, v.c.status, v.c.note, *(v.c[n] for n in _SAID)
).where(v.c.project_id == bindparam("project"), v.c.trace_id.in_(bindparam("traces", expanding=True)))


async def _count(conn: AsyncConnection, said: Mapping[_Key, tuple[Verdict, ...]], now_us: int) -> None:
    counts: dict[tuple[int, str, str], int] = defaultdict(int)
    for (project_id, _, _), verdicts in said.items():
        for verdict in verdicts:
            counts[project_id, verdict.rule_id, verdict.outcome] += 1
    if not counts:
        return
    upsert = dialect.insert(conn, c)
    upsert = upsert.on_conflict_do_update(
        index_elements=["project_id", "rule_id", "hour_us"],
        set_={name: c.c[name] + upsert.excluded[name] for name in _OUTCOMES.values()},
    )
    hour = now_us - now_us % HOUR_US
    # In one order, so that two replicas never wait for each other's rows.
    rows = [
        {"project_id": project_id, "rule_id": rule_id, "hour_us": hour}
        | {name: counts.get((project_id, rule_id, outcome), 0) for outcome, name in _OUTCOMES.items()}
        for project_id, rule_id in sorted({key[:2] for key in counts})
    ]
    await conn.execute(upsert, rows)


async def counts(conn: AsyncConnection, project_id: int, since_us: int = 0) -> dict[str, RuleCount]:
    """How often each rule was judged since then (to the hour), by rule id."""
    sums = [func.sum(c.c[name]) for name in _OUTCOMES.values()]
    query = select(c.c.rule_id, *sums).where(c.c.project_id == project_id, c.c.hour_us >= since_us - HOUR_US)
    rows = await conn.execute(query.group_by(c.c.rule_id))
    return {row[0]: RuleCount(row[0], *map(int, row[1:])) for row in rows}


_FIELDS = [name for name in Violation.__struct_fields__ if name not in _Detail.__struct_fields__]


def _violation(row: Any) -> Violation:
    values = dict(zip((*_FIELDS, "detail"), row, strict=True))
    detail = _decode(values.pop("detail"))
    values["span_id"] = values["span_id"] or None
    return Violation(**values, values=detail.values, evidence=detail.evidence, controls=detail.controls)


_SELECT = select(*(v.c[name] for name in _FIELDS), v.c.detail)


def _where(project_id: int, want: ViolationFilter, now_us: int) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [v.c.project_id == project_id]
    if want.range:
        conditions.append(v.c.found_us >= now_us - RANGES[want.range] * 1_000_000)
    if want.from_us is not None:
        conditions.append(v.c.found_us >= want.from_us)
    if want.until_us is not None:
        conditions.append(v.c.found_us < want.until_us)
    for column, value in (
        (v.c.status, want.status),
        (v.c.outcome, want.outcome),
        (v.c.severity, want.severity),
        (v.c.mode, want.mode),
        (v.c.rule_id, want.rule),
        (v.c.agent, want.agent),
        (v.c.trace_id, want.trace),
    ):
        if value:
            conditions.append(column == value)
    for text in want.text:
        conditions.append(or_(v.c.message.icontains(text, autoescape=True), v.c.title.icontains(text, autoescape=True)))
    return and_(*conditions)


async def list_violations(
    conn: AsyncConnection, project_id: int, want: ViolationFilter, now_us: int
) -> Page[Violation]:
    """Newest first, one page after `want.after`."""
    query = (
        _SELECT.where(_where(project_id, want, now_us))
        .order_by(v.c.found_us.desc(), v.c.id.desc())
        .limit(want.size + 1)
    )
    if want.after:
        query = query.where(tuple_(v.c.found_us, v.c.id) < want.after.key)
    rows = [_violation(row) for row in await conn.execute(query)]
    return Page.cut(rows, want.size, lambda one: (one.found_us, one.id))


async def violation(conn: AsyncConnection, project_id: int, id_: str) -> Violation | None:
    """One of a project."""
    row = (await conn.execute(_SELECT.where(v.c.project_id == project_id, v.c.id == id_))).first()
    return _violation(row) if row else None


async def of_trace(conn: AsyncConnection, project_id: int, trace_id: str) -> list[Violation]:
    """All of a trace that still hold, the first found first."""
    query = _SELECT.where(v.c.project_id == project_id, v.c.trace_id == trace_id, v.c.outcome != "pass")
    return [_violation(row) for row in await conn.execute(query.order_by(v.c.found_us, v.c.id))]


async def count_open(conn: AsyncConnection, project_id: int) -> int:
    """Open violations and errors, of rules that are enforced; counted no further than OPEN_LIMIT."""
    some = select(v.c.project_id).where(v.c.project_id == project_id, PENDING).limit(OPEN_LIMIT)
    return int(await conn.scalar(select(func.count()).select_from(some.subquery())) or 0)


async def open_by_rule(conn: AsyncConnection, project_id: int) -> dict[str, int]:
    """How many verdicts of each rule are open; of 10,000 at the most."""
    some = select(v.c.rule_id).where(v.c.project_id == project_id, v.c.status == "open", v.c.outcome != "pass")
    rows = some.limit(10_000).subquery()
    found = await conn.execute(select(rows.c.rule_id, func.count()).group_by(rows.c.rule_id))
    return {rule_id: int(number) for rule_id, number in found}


async def any_found(conn: AsyncConnection, project_id: int) -> bool:
    """Whether any rule ever found anything in the project."""
    return await conn.scalar(select(v.c.id).where(v.c.project_id == project_id).limit(1)) is not None


_STANDING_ACTIONS: dict[Standing, Action] = {
    "open": "violation.reopened",
    "acknowledged": "violation.acknowledged",
    "resolved": "violation.resolved",
}


async def set_standing(
    conn: AsyncConnection, project_id: int, ids: Iterable[str], status: Standing, note: str, by: str, now_us: int
) -> int:
    """What a person made of them; how many there were. An empty note leaves the one that was there."""
    values: dict[str, Any] = {"status": status, "changed_us": now_us, "changed_by": by}
    if note:
        values["note"] = note
    change = update(v).where(v.c.project_id == project_id, v.c.id.in_(list(ids))).values(values)
    rows = (await conn.execute(change.returning(v.c.id, v.c.rule_id, v.c.trace_id))).all()
    if rows:
        _tell(conn, project_id)
        tell(conn, project_id, "trace", {row.trace_id for row in rows})
        action = _STANDING_ACTIONS[status]
        lines = [
            Activity(
                at_us=now_us,
                actor=by,
                action=action,
                subject=row.id,
                project_id=project_id,
                detail={"rule": row.rule_id},
            )
            for row in rows
        ]
        await note_all(conn, lines)
    return len(rows)
