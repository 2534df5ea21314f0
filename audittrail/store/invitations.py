"""Links by which people make their accounts. Each makes one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.account import InstanceRole, Invitation, ProjectRole
from audittrail.model.errors import NotFound
from audittrail.store import activity
from audittrail.store.projects import PROJECT, project_of
from audittrail.store.tables import invitations, projects

i = invitations.c


def _select() -> Select[Any]:
    return select(i.id, i.email, i.role, i.project_role, i.created_us, i.expires_us, *PROJECT).join(
        projects, projects.c.id == i.project_id, isouter=True
    )


def _invitation_of(row: Row[*tuple[Any, ...]]) -> Invitation:
    return Invitation(
        id=row.id,
        email=row.email,
        role=row.role,
        project=None if row.project_id is None else project_of(row),
        project_role=row.project_role,
        created_us=row.created_us,
        expires_us=row.expires_us,
    )


async def add_invitation(
    conn: AsyncConnection,
    *,
    token_hash: str,
    email: str | None,
    role: InstanceRole,
    project_id: int | None,
    project_role: ProjectRole | None,
    created_by: int,
    now_us: int,
    expires_us: int,
) -> Invitation:
    """An open invitation; whoever holds its token may make one account."""
    values = {
        "token_hash": token_hash,
        "email": email,
        "role": role,
        "project_id": project_id,
        "project_role": project_role,
        "created_by": created_by,
        "created_us": now_us,
        "expires_us": expires_us,
    }
    made = (await conn.execute(invitations.insert().values(values).returning(i.id))).scalar_one()
    return _invitation_of((await conn.execute(_select().where(i.id == made))).one())


async def list_invitations(
    conn: AsyncConnection, project_id: int | None, now_us: int, *, instance: bool
) -> tuple[Invitation, ...]:
    """The open ones to a project and, with `instance`, those to no project; the newest first."""
    where = [i.project_id == project_id] if project_id is not None else []
    if instance:
        where.append(i.project_id.is_(None))
    if not where:
        return ()
    query = _select().where(or_(*where), i.used_us.is_(None), i.expires_us > now_us)
    rows = await conn.execute(query.order_by(i.created_us.desc(), i.id.desc()))
    return tuple(_invitation_of(row) for row in rows)


async def find_invitation(conn: AsyncConnection, token_hash: str, now_us: int) -> Invitation | None:
    """The invitation, when it is neither used nor expired."""
    query = _select().where(i.token_hash == token_hash, i.used_us.is_(None), i.expires_us > now_us)
    row = (await conn.execute(query)).first()
    return _invitation_of(row) if row else None


async def take_invitation(conn: AsyncConnection, token_hash: str, now_us: int) -> Invitation | None:
    """Uses it up and returns it; None when it was used, has expired or never was. Of two at once one gets it."""
    # The condition is looked at again when the row's lock is got, so the second of two finds it used.
    query = (
        update(invitations)
        .where(i.token_hash == token_hash, i.used_us.is_(None), i.expires_us > now_us)
        .values(used_us=now_us)
        .returning(i.id)
    )
    taken = (await conn.execute(query)).scalar_one_or_none()
    if taken is None:
        return None
    return _invitation_of((await conn.execute(_select().where(i.id == taken))).one())


async def revoke_invitation(
    conn: AsyncConnection, project_id: int | None, invitation_id: int, now_us: int, *, by: str, instance: bool
) -> None:
    """Makes the link useless. Raises NotFound for one that `list_invitations` with the same arguments does not show."""
    where = [i.project_id == project_id] if project_id is not None else []
    if instance:
        where.append(i.project_id.is_(None))
    query = delete(invitations).where(i.id == invitation_id, i.used_us.is_(None), or_(False, *where))
    row = (await conn.execute(query.returning(i.email, i.project_id))).first()
    if row is None:
        raise NotFound("There is no such open invitation; it was used or taken back already.")
    await activity.note(conn, now_us, by, "invitation.revoked", row.email or "", project_id=row.project_id)
