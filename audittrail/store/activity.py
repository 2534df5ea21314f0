"""The activity log: added to in the transaction that does the thing, and read newest first."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.activity import Action, Activity
from audittrail.model.filters import Cursor, Page
from audittrail.store.activity_table import activity as a

_FIELDS = Activity.__struct_fields__


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

    In the same transaction as what it says, so that neither is there without the other. Returns the row's id.
    """
    id_ = secrets.token_hex(12)
    values = {
        "id": id_,
        "project_id": project_id,
        "at_us": at_us,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": msgspec.json.encode(detail).decode(),
    }
    await conn.execute(a.insert().values(values))
    return id_


async def go_on(conn: AsyncConnection, id_: str, **detail: Any) -> None:
    """What was noted goes on over more than one transaction: its numbers as of this one."""
    await conn.execute(update(a).where(a.c.id == id_).values(detail=msgspec.json.encode(detail).decode()))


async def find(conn: AsyncConnection, project_ids: Sequence[int], id_: str) -> Activity | None:
    """One of these projects."""
    query = select(*(a.c[name] for name in _FIELDS)).where(a.c.id == id_, a.c.project_id.in_(list(project_ids)))
    row = (await conn.execute(query)).first()
    return _activity(row) if row else None


def _activity(row: Any) -> Activity:
    return Activity(**dict(zip(_FIELDS, row, strict=True)) | {"detail": msgspec.json.decode(row.detail)})


async def list_activity(
    conn: AsyncConnection,
    project_ids: Sequence[int],
    *,
    instance: bool = False,
    actions: Sequence[Action] = (),
    actor: str = "",
    from_us: int | None = None,
    to_us: int | None = None,
    after: Cursor | None = None,
    size: int,
) -> Page[Activity]:
    """Newest first: of these projects, and with `instance` also what concerns the whole instance."""
    whose = a.c.project_id.in_(list(project_ids))
    query = select(*(a.c[name] for name in _FIELDS)).where(or_(whose, a.c.project_id.is_(None)) if instance else whose)
    if actions:
        query = query.where(a.c.action.in_(list(actions)))
    if actor:
        query = query.where(a.c.actor == actor)
    if from_us is not None:
        query = query.where(a.c.at_us >= from_us)
    if to_us is not None:
        query = query.where(a.c.at_us < to_us)
    if after:
        query = query.where(tuple_(a.c.at_us, a.c.id) < after.key)
    rows = await conn.execute(query.order_by(a.c.at_us.desc(), a.c.id.desc()).limit(size + 1))
    return Page.cut([_activity(row) for row in rows], size, lambda one: (one.at_us, one.id))
