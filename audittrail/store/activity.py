"""The activity log: added to in the transaction that does the thing, and read newest first."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, and_, select, tuple_, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.activity import SHARED, SYSTEM, Action, Activity, ActivityFilter
from audittrail.model.filters import Page
from audittrail.store import dialect, locks
from audittrail.store.activity_table import activity as a

_FIELDS = Activity.__struct_fields__
_COLUMNS = [a.c[name] for name in _FIELDS]
_PARTS = 100  # of one statement: SQLite takes 500


def _values(one: Activity) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _FIELDS} | {
        "id": one.id or secrets.token_hex(12),
        "detail": msgspec.json.encode(one.detail).decode(),
    }


async def note(
    conn: AsyncConnection,
    at_us: int,
    actor: str,
    action: Action,
    subject: str = "",
    *,
    project_id: int | None = None,
    **detail: Any,
) -> str:
    """Keeps that `actor` did `action` to `subject`; `detail` is numbers and short texts, never a trace's content.

    In the same transaction as what it says, so that neither is there without the other. Returns the line's id.
    """
    one = Activity(at_us=at_us, actor=actor, action=action, subject=subject, project_id=project_id, detail=detail)
    values = _values(one)
    await conn.execute(a.insert().values(values))
    return str(values["id"])


async def go_on(conn: AsyncConnection, id_: str, **detail: Any) -> None:
    """What was noted goes on over more than one transaction: its numbers as of this one."""
    await conn.execute(update(a).where(a.c.id == id_).values(detail=msgspec.json.encode(detail).decode()))


async def find(conn: AsyncConnection, project_ids: Sequence[int], id_: str) -> Activity | None:
    """One of these projects."""
    query = select(*_COLUMNS).where(a.c.id == id_, a.c.project_id.in_(list(project_ids)))
    row = (await conn.execute(query)).first()
    return _activity(row) if row else None


async def note_all(conn: AsyncConnection, found: Sequence[Activity]) -> None:
    """The same for many at once. One that has an id is kept once, however often it is noted."""
    if found:
        insert = dialect.insert(conn, a).on_conflict_do_nothing(index_elements=[a.c.id])
        await conn.execute(insert, [_values(one) for one in found])


async def note_rules(conn: AsyncConnection, now_us: int, versions: dict[str, str], hash_: str) -> None:
    """Keeps that these rules (id: version) are in force, unless that is what was kept last: replicas and restarts load
    the same set again."""
    await locks.lock_activity(conn)
    last = await _latest(conn, *SHARED)
    if last is not None and last.action == "rules.changed" and last.detail.get("set") == hash_:
        return
    known = last if last is None or last.action == "rules.changed" else await _latest(conn, "rules.changed")
    before: dict[str, str] = known.detail.get("versions", {}) if known else {}
    await note(
        conn,
        now_us,
        SYSTEM,
        "rules.changed",
        hash_[:12],
        set=hash_,
        added=[id_ for id_ in versions if id_ not in before],
        removed=[id_ for id_ in before if id_ not in versions],
        changed=[id_ for id_, version in versions.items() if id_ in before and before[id_] != version],
        versions=versions,
    )


async def note_rules_refused(conn: AsyncConnection, now_us: int, places: Sequence[str], count: int) -> None:
    """Keeps that rule files were refused, and where they are wrong, unless that is what was kept last."""
    await locks.lock_activity(conn)
    last = await _latest(conn, *SHARED)
    said = {"places": list(places), "count": count}
    if last is None or last.action != "rules.refused" or last.detail != said:
        await note(conn, now_us, SYSTEM, "rules.refused", places[0] if places else "", places=places, count=count)


async def _latest(conn: AsyncConnection, *actions: Action) -> Activity | None:
    query = select(*_COLUMNS).where(a.c.project_id.is_(None), a.c.action.in_(actions))
    row = (await conn.execute(query.order_by(a.c.at_us.desc(), a.c.id.desc()).limit(1))).first()
    return _activity(row) if row else None


def _activity(row: Row[Any]) -> Activity:
    return Activity(**dict(zip(_FIELDS, row, strict=True)) | {"detail": msgspec.json.decode(row.detail)})


async def list_activity(
    conn: AsyncConnection, project_ids: Sequence[int], want: ActivityFilter, now_us: int, *, instance: bool = False
) -> Page[Activity]:
    """Newest first, one page after `want.after`: of these projects, and what concerns everybody. With `instance`, all
    that concerns the whole instance."""
    whole = a.c.project_id.is_(None)
    scopes: list[ColumnElement[bool]] = [a.c.project_id == project_id for project_id in project_ids]
    scopes.append(whole if instance else and_(whole, a.c.action.in_(SHARED)))
    found: list[Activity] = []
    for at in range(0, len(scopes), _PARTS):
        # The newest of each are read from its index and merged: with one condition for all, every row would be sorted.
        parts = [
            select(*_COLUMNS)
            .where(scope, *_where(want, now_us))
            .order_by(a.c.at_us.desc(), a.c.id.desc())
            .limit(want.size + 1)
            .subquery()
            for scope in scopes[at : at + _PARTS]
        ]
        rows = await conn.execute(union_all(*(select(part) for part in parts)))
        found += [_activity(row) for row in rows]
    found.sort(key=lambda one: (one.at_us, one.id), reverse=True)
    return Page.cut(found[: want.size + 1], want.size, lambda one: (one.at_us, one.id))


def _where(want: ActivityFilter, now_us: int) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    since_us = want.since_us(now_us)
    if want.action:
        conditions.append(a.c.action.in_(want.actions))
    if want.actor:
        conditions.append(a.c.actor == want.actor)
    if since_us is not None:
        conditions.append(a.c.at_us >= since_us)
    if want.to_us is not None:
        conditions.append(a.c.at_us < want.to_us)
    if want.after:
        conditions.append(tuple_(a.c.at_us, a.c.id) < want.after.key)
    return conditions
