"""The activity log: read page by page, or taken out whole as NDJSON."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.params import Parameter
from litestar.response import Stream

from audittrail.identity.keys import presented
from audittrail.model.account import ProjectRole
from audittrail.model.activity import Activity, ActivityFilter
from audittrail.model.errors import Forbidden
from audittrail.model.filters import MAX_PAGE_SIZE, PAGE_SIZE, Cursor
from audittrail.runtime import Runtime
from audittrail.store import activity as activity_store
from audittrail.web.api.listing import Listing
from audittrail.web.auth import access, may_see, person, require_role

_Request = Request[Any, Any, Any]
_Action = Annotated[
    list[str] | None, Parameter(query="action", description="May be repeated; a name, or a beginning such as `key.`.")
]
_Actor = Annotated[str, Parameter(description="An e-mail address, pk-at-…, `system`, `command line` or `somebody`.")]
_Range = Annotated[str, Parameter(query="range", description="1h, 24h, 7d or 30d; empty for any time.")]
_From = Annotated[str, Parameter(query="from", description="The first moment, RFC 3339.")]
_To = Annotated[str, Parameter(description="The first moment that is not asked for, RFC 3339.")]


@get("/api/v1/activity", tags=["accounts"], summary="What people and the system did, newest first")
async def list_activity(
    request: _Request,
    runtime: Runtime,
    action: _Action = None,
    actor: _Actor = "",
    range_: _Range = "",
    from_: _From = "",
    to: _To = "",
    after: str = "",
    limit: int = PAGE_SIZE,
) -> Listing[Activity]:
    """A person's: of the projects they own or review, or of the one that ?project= names; an administrator's also of
    the whole instance. A key's (scope `read`): of its project."""
    want = ActivityFilter.parse(
        action=action or (), actor=actor, range=range_, from_=from_, to=to, after=after, size=limit
    )
    if presented(request.headers) is not None:
        holder = await access(request, runtime)
        projects: tuple[int, ...] = (holder.project_id,)
        instance = False
    else:
        projects, instance = await _asked(request, runtime, "reviewer")
    async with runtime.db.read() as conn:
        found = await activity_store.list_activity(conn, projects, want, runtime.now_us(), instance=instance)
    return Listing(list(found.items), found.next)


async def _asked(request: _Request, runtime: Runtime, role: ProjectRole) -> tuple[tuple[int, ...], bool]:
    """The projects asked for, and whether the whole instance is."""
    who = await person(request, runtime)
    if "project" in request.query_params:
        return (require_role(who, role).project.id,), False
    return may_see(who, role), who.is_admin


@get("/api/v1/activity/export", tags=["accounts"], summary="The activity log as NDJSON, newest first")
async def export_activity(
    request: _Request,
    runtime: Runtime,
    action: _Action = None,
    actor: _Actor = "",
    range_: _Range = "",
    from_: _From = "",
    to: _To = "",
) -> Stream:
    """For administrators and for owners: the same filters, a line for each. That it was taken out is noted in it."""
    want = ActivityFilter.parse(action=action or (), actor=actor, range=range_, from_=from_, to=to, size=MAX_PAGE_SIZE)
    who = await person(request, runtime)
    projects, instance = await _asked(request, runtime, "reviewer" if who.is_admin else "owner")
    if not projects and not instance:
        raise Forbidden("Only an administrator, or an owner of a project, may take the activity log out.")
    now_us = runtime.now_us()
    async with runtime.db.write() as conn:
        # Of one project, for those who look after it; else it concerns the instance, or each of several projects.
        for project_id in (None,) if instance else projects:
            await activity_store.note(
                conn, now_us, who.user.email, "export.created", "activity", project_id=project_id, what="activity"
            )
    lines = _lines(runtime, projects, msgspec.structs.replace(want, to_us=want.to_us or now_us + 1), now_us, instance)
    headers = {"Content-Disposition": 'attachment; filename="audittrail-activity.ndjson"'}
    return Stream(lines, media_type="application/x-ndjson", headers=headers)


async def _lines(
    runtime: Runtime, projects: tuple[int, ...], want: ActivityFilter, now_us: int, instance: bool
) -> AsyncIterator[bytes]:
    while True:
        # A page at a time: no snapshot is held while the client takes its time.
        async with runtime.db.read() as conn:
            found = await activity_store.list_activity(conn, projects, want, now_us, instance=instance)
        if found.items:
            yield msgspec.json.Encoder().encode_lines(found.items)
        if found.next is None:
            return
        want = msgspec.structs.replace(want, after=Cursor.parse(found.next))


ROUTES = [list_activity, export_activity]
