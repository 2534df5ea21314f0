"""The first page: how a project is doing."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get

from audittrail.model.analytics import BYS, DEFAULT_RANGE, parse_range, since
from audittrail.model.approval import ApprovalFilter
from audittrail.model.errors import Invalid
from audittrail.model.filters import TraceFilter
from audittrail.model.violation import ViolationFilter
from audittrail.runtime import Runtime
from audittrail.store import analytics
from audittrail.store import approvals as approval_store
from audittrail.store import traces as trace_store
from audittrail.store import verdicts as verdict_store
from audittrail.web.auth import require_project, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.render import page
from audittrail.web.views.overview import GROUPS, LATEST, OverviewView

_Request = Request[Any, Any, Any]
_WAITING = 3


@get("/", include_in_schema=False)
async def overview(request: _Request, runtime: Runtime) -> Response[str]:
    """The numbers of a range, each with the list that it counts."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    now_us = runtime.now_us()
    view = OverviewView(range=DEFAULT_RANGE, now_us=now_us, base_url=runtime.settings.base_url)
    try:
        range_ = parse_range(request.query_params.get("range", ""))
    except Invalid as wrong:
        view = msgspec.structs.replace(view, error=str(wrong))
    else:
        async with runtime.db.read() as conn:
            if await trace_store.is_empty(conn, project_id):
                view = msgspec.structs.replace(view, empty_project=True)
            else:
                view = await _measured(conn, project_id, view, range_)
    return page(
        request, "pages/overview.html", view, chrome_of(request, runtime, who), status=400 if view.error else 200
    )


async def _measured(conn: Any, project_id: int, view: OverviewView, range_: str) -> OverviewView:
    now_us = view.now_us
    over = analytics.window(conn, project_id, range_, now_us)
    first = since(range_, now_us)
    pending = ApprovalFilter(status="pending", size=_WAITING)
    return msgspec.structs.replace(
        view,
        range=range_,
        summary=await analytics.summary(conn, project_id, range_, now_us, over),
        before=await analytics.before(conn, project_id, range_, now_us).total(),
        violations_before=await analytics.violations(conn, project_id, since(range_, first), first),
        series=await over.series(range_),
        groups={by: tuple(await over.groups(by, GROUPS + 1)) for by in BYS},
        traces=(await trace_store.list_traces(conn, project_id, TraceFilter(size=LATEST), now_us)).items,
        verdicts=(await verdict_store.list_violations(conn, project_id, ViolationFilter(size=LATEST), now_us)).items,
        waiting=(await approval_store.list_approvals(conn, project_id, pending, now_us)).items,
    )


ROUTES = [overview]
