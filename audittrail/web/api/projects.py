"""Projects of the person, or of the key, that asks."""

from __future__ import annotations

from typing import Annotated, Any, Self

import msgspec
from litestar import Request, get, post

from audittrail.identity.accounts import clean_name, name_error
from audittrail.identity.keys import presented
from audittrail.identity.membership import make_project
from audittrail.model.account import Project, ProjectRole
from audittrail.model.errors import Invalid, NotFound
from audittrail.runtime import Runtime
from audittrail.store import projects
from audittrail.web.api.bodies import Body, json_only
from audittrail.web.api.listing import Listing
from audittrail.web.auth import access, person, require_admin

_Request = Request[Any, Any, Any]


class ProjectBody(Body, frozen=True, kw_only=True):
    """A new project."""

    name: Annotated[str, msgspec.Meta(description="1 to 80 characters, of no other project.")]


class ProjectItem(msgspec.Struct, frozen=True):
    """A project, and what the person is in it; `role` is null for a key."""

    id: int
    name: str
    created_us: int
    role: ProjectRole | None

    @classmethod
    def of(cls, project: Project, role: ProjectRole | None) -> Self:
        """Flat, as the API says it."""
        return cls(project.id, project.name, project.created_us, role)


@get("/api/v1/projects", tags=["accounts"], summary="List projects")
async def list_projects(request: _Request, runtime: Runtime) -> Listing[ProjectItem]:
    """Those that the person belongs to, or the one of the key (scope `read`)."""
    if presented(request.headers) is None:
        who = await person(request, runtime)
        return Listing([ProjectItem.of(m.project, m.role) for m in who.memberships])
    holder = await access(request, runtime)
    async with runtime.db.read() as conn:
        project = await projects.get_project(conn, holder.project_id)
    if project is None:
        raise NotFound("The key's project is not there any more.")
    return Listing([ProjectItem.of(project, None)])


@post("/api/v1/projects", guards=[json_only], tags=["accounts"], summary="Make a project")
async def create_project(request: _Request, runtime: Runtime, data: ProjectBody) -> ProjectItem:
    """For administrators; whoever makes a project owns it."""
    who = await person(request, runtime)
    require_admin(who)
    name = clean_name(data.name)
    if error := name_error(name, "the project"):
        raise Invalid(error)
    async with runtime.db.write() as conn:
        made = await make_project(conn, name, who.user, runtime.now_us(), by=who.user.email)
    return ProjectItem.of(made, "owner")


ROUTES = [list_projects, create_project]
