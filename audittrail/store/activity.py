"""The activity log: added to in the transaction that does the thing, and read newest first."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import or_, select, tuple_
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
) -> None:
    """Keeps that `actor` did `action` to `subject`; `detail` is numbers and short texts, never a trace's content.

    In the same transaction as what it says, so that neither is there without the other.
    """
    values = {
        "id": secrets.token_hex(12),
        "project_id": project_id,
        "at_us": at_us,
        "actor": actor,
        "action": action,
        "subject": subject,
        "detail": msgspec.json.encode(detail).decode(),
    }
    await conn.execute(a.insert().values(values))


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
    found = [
        Activity(**dict(zip(_FIELDS, row, strict=True)) | {"detail": msgspec.json.decode(row.detail)}) for row in rows
    ]
    return Page.cut(found, size, lambda one: (one.at_us, one.id))
