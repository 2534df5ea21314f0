"""Projects, and who belongs to them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from audittrail.model.account import Member, Membership, Project, ProjectRole
from audittrail.model.errors import Conflict, NotFound
from audittrail.store import dialect
from audittrail.store.tables import memberships, projects, users
from audittrail.store.users import USER, user_of

p, m = projects.c, memberships.c
PROJECT = (p.id.label("project_id"), p.name.label("project_name"), p.created_us.label("project_created_us"))


def project_of(row: Row[*tuple[Any, ...]]) -> Project:
    """From a row that selects PROJECT's columns."""
    return Project(row.project_id, row.project_name, row.project_created_us)


async def add_project(conn: AsyncConnection, name: str, now_us: int) -> Project:
    """Raises Conflict when the name is taken."""
    query = (
        dialect.insert(conn, projects)
        .values(name=name, created_us=now_us)
        .on_conflict_do_nothing(index_elements=[p.name])
        .returning(*PROJECT)
    )
    row = (await conn.execute(query)).first()
    if row is None:
        raise _taken(name)
    return project_of(row)


async def rename_project(conn: AsyncConnection, project_id: int, name: str) -> None:
    """Raises Conflict when another project has the name; the transaction is then lost."""
    try:
        await conn.execute(update(projects).where(p.id == project_id).values(name=name))
    except IntegrityError:
        raise _taken(name) from None


def _taken(name: str) -> Conflict:
    return Conflict(f"A project named “{name}” exists already; choose another name.")


async def get_project(conn: AsyncConnection, project_id: int) -> Project | None:
    """By its id."""
    row = (await conn.execute(select(*PROJECT).where(p.id == project_id))).first()
    return project_of(row) if row else None


async def find_project(conn: AsyncConnection, name: str) -> Project | None:
    """The project of this name, whoever asks: for the command line and the start."""
    row = (await conn.execute(select(*PROJECT).where(p.name == name))).first()
    return project_of(row) if row else None


async def list_projects(conn: AsyncConnection) -> tuple[Project, ...]:
    """All projects by name, whoever asks: for the command line and the start."""
    return tuple(project_of(row) for row in await conn.execute(select(*PROJECT).order_by(p.name)))


async def list_memberships(conn: AsyncConnection, user_id: int) -> tuple[Membership, ...]:
    """What a person belongs to, by the project's name."""
    query = (
        select(*PROJECT, m.role).join(memberships, m.project_id == p.id).where(m.user_id == user_id).order_by(p.name)
    )
    return tuple(Membership(project_of(row), row.role) for row in await conn.execute(query))


async def list_members(conn: AsyncConnection, project_id: int) -> tuple[Member, ...]:
    """Who belongs to a project, by address."""
    query = (
        select(*USER, m.role.label("project_role"))
        .join(memberships, m.user_id == users.c.id)
        .where(m.project_id == project_id)
        .order_by(users.c.email)
    )
    return tuple(Member(user_of(row), row.project_role) for row in await conn.execute(query))


async def find_member(conn: AsyncConnection, project_id: int, user_id: int) -> Member | None:
    """A person of a project."""
    query = select(*USER, m.role.label("project_role")).join(memberships, m.user_id == users.c.id)
    row = (await conn.execute(query.where(m.project_id == project_id, m.user_id == user_id))).first()
    return Member(user_of(row), row.project_role) if row else None


async def add_member(conn: AsyncConnection, project_id: int, user_id: int, role: ProjectRole) -> bool:
    """False: the person belongs to the project already, and keeps the role."""
    query = (
        dialect.insert(conn, memberships)
        .values(project_id=project_id, user_id=user_id, role=role)
        .on_conflict_do_nothing(index_elements=[m.project_id, m.user_id])
    )
    return bool((await conn.execute(query)).rowcount == 1)


async def set_member_role(conn: AsyncConnection, project_id: int, user_id: int, role: ProjectRole) -> None:
    """Raises NotFound, or Conflict when the project would be left without an owner."""
    if role != "owner":
        await _keep_an_owner(conn, project_id, user_id)
    query = update(memberships).where(m.project_id == project_id, m.user_id == user_id).values(role=role)
    if (await conn.execute(query)).rowcount != 1:
        raise _no_member()


async def remove_member(conn: AsyncConnection, project_id: int, user_id: int) -> None:
    """The person's sessions lose the project with their next request. Raises as `set_member_role`."""
    await _keep_an_owner(conn, project_id, user_id)
    query = delete(memberships).where(m.project_id == project_id, m.user_id == user_id)
    if (await conn.execute(query)).rowcount != 1:
        raise _no_member()


async def _keep_an_owner(conn: AsyncConnection, project_id: int, leaving: int) -> None:
    # Two owners who remove each other at once wait for one another at these locks; the second then is the last.
    locked = (
        select(m.user_id)
        .where(m.project_id == project_id, m.role == "owner")
        .order_by(m.user_id)
        .with_for_update(key_share=True)
    )
    if {row.user_id for row in await conn.execute(locked)} == {leaving}:
        raise Conflict("This is the project's last owner; make someone else an owner first.")


def _no_member() -> NotFound:
    return NotFound("This person does not belong to the project.")
