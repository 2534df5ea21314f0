"""What waits for a person."""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, Response, get, post
from litestar.response import Redirect

from audittrail.model.account import Viewer
from audittrail.model.approval import MAX_REASON, ApprovalFilter
from audittrail.model.errors import Conflict, Invalid, NotFound
from audittrail.model.filters import MAX_PAGE_SIZE
from audittrail.runtime import Runtime
from audittrail.store import approvals as approval_store
from audittrail.store import traces as trace_store
from audittrail.web.auth import has_role, require_project, require_role, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.forms import read_form
from audittrail.web.render import page
from audittrail.web.views.approvals import ApprovalsView, ApprovalView
from audittrail.web.views.listing import page_size

_Request = Request[Any, Any, Any]


@get("/approvals", include_in_schema=False)
async def approvals(request: _Request, runtime: Runtime) -> Response[str]:
    """Those that wait, the most urgent first, and what became of the others."""
    who = await viewer(request, runtime)
    member = require_project(who)
    params, now_us = request.query_params, runtime.now_us()
    want = ApprovalFilter.parse(status=params.get("status", ""), after=params.get("after", ""), size=page_size(params))
    async with runtime.db.read() as conn:
        pending = ApprovalFilter(status="pending", size=MAX_PAGE_SIZE)
        waiting = (await approval_store.list_approvals(conn, member.project.id, pending, now_us)).items
        found = await approval_store.list_approvals(conn, member.project.id, want, now_us)
    view = ApprovalsView(
        want=want,
        waiting=tuple(sorted(waiting, key=lambda one: (one.expires_us, one.id))),
        found=found,
        can_answer=has_role(member, "reviewer"),
        now_us=now_us,
        nothing_yet=not waiting and not found.items and not want.status,
        said=params.get("said", "") if params.get("said") in ("approved", "denied") else "",
    )
    return page(request, "pages/approvals.html", view, chrome_of(request, runtime, who))


@get("/approvals/{approval_id:str}", include_in_schema=False)
async def approval(request: _Request, runtime: Runtime, approval_id: str) -> Response[str]:
    """One request, with all that it takes to answer it."""
    return await _approval(request, runtime, await viewer(request, runtime), approval_id)


async def _approval(
    request: _Request,
    runtime: Runtime,
    who: Viewer,
    approval_id: str,
    error: str = "",
    reason: str = "",
    status: int = 200,
) -> Response[str]:
    member, now_us = require_project(who), runtime.now_us()
    async with runtime.db.read() as conn:
        found = await approval_store.approval(conn, member.project.id, approval_id, now_us)
        if found is None:
            raise NotFound("No approval of this project has that id.")
        trace = await trace_store.trace(conn, member.project.id, found.trace_id, now_us)
    view = ApprovalView(
        request=found,
        trace=trace,
        can_answer=has_role(member, "reviewer"),
        now_us=now_us,
        error=error,
        reason=reason,
    )
    return page(request, "pages/approval.html", view, chrome_of(request, runtime, who), status=status)


@post("/approvals/{approval_id:str}", status_code=303, include_in_schema=False)
async def answer(request: _Request, runtime: Runtime, approval_id: str) -> Response[Any]:
    """Approves or denies; for reviewers and owners. A denial needs a reason: the agent is told it."""
    who = await viewer(request, runtime)
    project_id = require_role(who, "reviewer").project.id
    form = await read_form(request)
    decision, reason = form.text("decision"), form.text("reason").strip()
    if decision not in ("approve", "deny"):
        raise Invalid("Say whether to approve or to deny.")
    if decision == "deny" and not reason:
        error = "Say why it is denied: the agent, and whoever reads the record, will want to know."
        return await _approval(request, runtime, who, approval_id, error, reason, 422)
    if len(reason) > MAX_REASON:
        error = f"The reason is longer than {MAX_REASON:,} characters."
        return await _approval(request, runtime, who, approval_id, error, reason, 422)
    status: Literal["approved", "denied"] = "approved" if decision == "approve" else "denied"
    try:
        await runtime.approvals.answer(project_id, approval_id, status, by=who.user.email, reason=runtime.kept(reason))
    except Conflict as conflict:
        return await _approval(request, runtime, who, approval_id, str(conflict), reason, 409)
    return Redirect(f"/approvals?said={status}", status_code=303)


ROUTES = [approvals, approval, answer]
