"""Projects and the people in them, as they come about and change: each change with its line in the activity log."""

from __future__ import annotations

from audittrail.model.account import InstanceRole, Project, ProjectRole, User
from audittrail.store import activity, projects, users
from audittrail.store.connection import Connection


async def make_project(conn: Connection, name: str, owner: User | None, now_us: int, *, by: str) -> Project:
    """A new project, owned by `owner`. Raises Conflict when the name is taken."""
    made = await projects.add_project(conn, name, now_us)
    await activity.note(conn, now_us, by, "project.created", made.name, project_id=made.id)
    if owner is not None:
        await add_member(conn, made.id, owner, "owner", now_us, by=by)
    return made


async def rename_project(conn: Connection, project: Project, name: str, now_us: int, *, by: str) -> None:
    """Raises Conflict when another project has the name; the transaction is then lost."""
    await projects.rename_project(conn, project.id, name)
    if name != project.name:
        await activity.note(conn, now_us, by, "project.renamed", name, project_id=project.id, before=project.name)


async def add_member(conn: Connection, project_id: int, user: User, role: ProjectRole, now_us: int, *, by: str) -> bool:
    """False: the person belongs to the project already, and keeps the role."""
    added = await projects.add_member(conn, project_id, user.id, role)
    if added:
        await activity.note(conn, now_us, by, "member.added", user.email, project_id=project_id, role=role)
    return added


async def change_member(
    conn: Connection, project_id: int, user_id: int, role: ProjectRole | None, now_us: int, *, by: str
) -> None:
    """Gives a member another role, or ends the membership where `role` is None.

    Raises NotFound, or Conflict when the project would be left without an owner.
    """
    before = await projects.find_member(conn, project_id, user_id)
    if role is None:
        await projects.remove_member(conn, project_id, user_id)
    else:
        await projects.set_member_role(conn, project_id, user_id, role)
    if before is None or before.role == role:
        return
    who = before.user.email
    if role is None:
        await activity.note(conn, now_us, by, "member.removed", who, project_id=project_id, role=before.role)
    else:
        changes = {"role": role, "before": before.role}
        await activity.note(conn, now_us, by, "member.role_changed", who, project_id=project_id, **changes)


async def change_account(conn: Connection, user_id: int, role: InstanceRole, now_us: int, *, by: str) -> None:
    """Makes someone an administrator or no longer one. Raises NotFound, or Conflict for the last administrator."""
    before = await users.get_user(conn, user_id)
    await users.set_instance_role(conn, user_id, role)
    if before is not None and before.role != role:
        await activity.note(conn, now_us, by, "account.role_changed", before.email, role=role, before=before.role)
