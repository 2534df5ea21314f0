"""Settings: the activity log."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from audittrail.model.activity import Activity, ActivityFilter
from audittrail.model.errors import Invalid
from audittrail.model.filters import Page
from audittrail.runtime import Runtime
from audittrail.store import activity as activity_store
from audittrail.web.auth import may_see, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.render import page
from audittrail.web.views.activity import ActivityView
from audittrail.web.views.listing import page_size

_Request = Request[Any, Any, Any]


@get("/settings/activity", include_in_schema=False)
async def activity(request: _Request, runtime: Runtime) -> Response[str]:
    """Newest first; every filter stands in the address."""
    who, params = await viewer(request, runtime), request.query_params
    project, error, found = params.get("project", ""), "", Page[Activity](())
    seen = {m.project.id: m.project.name for m in who.memberships if m.project.id in may_see(who, "reviewer")}
    try:
        want = ActivityFilter.parse(
            action=params.getall("action", []),
            actor=params.get("actor", ""),
            range=params.get("range", ""),
            after=params.get("after", ""),
            size=page_size(params),
        )
        if project and project not in map(str, seen):
            raise Invalid("You neither own nor review a project of that id.")
    except Invalid as wrong:
        want, project, error = ActivityFilter(), "", str(wrong)
    else:
        projects = (int(project),) if project else tuple(seen)
        async with runtime.db.read() as conn:
            found = await activity_store.list_activity(
                conn, projects, want, runtime.now_us(), instance=who.is_admin and not project
            )
    view = ActivityView(
        want=want,
        found=found,
        error=error,
        current=who.current.project.id if who.current else None,
        projects=seen,
        project=project,
        instance=who.is_admin,
        can_export=who.is_admin or bool(may_see(who, "owner")),
    )
    chrome = chrome_of(request, runtime, who)
    return page(request, "pages/settings/activity.html", view, chrome, status=400 if error else 200)


ROUTES = [activity]
