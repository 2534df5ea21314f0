"""What the rules found, and what people make of it."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from audittrail.model.errors import Invalid, NotFound
from audittrail.model.filters import Page
from audittrail.model.violation import MAX_NOTE, NAMES, Standing, Violation, ViolationFilter
from audittrail.runtime import Runtime
from audittrail.store import traces as trace_store
from audittrail.store import verdicts as verdict_store
from audittrail.web.auth import has_role, require_project, require_role, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.forms import Form, local_path, read_form
from audittrail.web.render import page
from audittrail.web.views.links import query
from audittrail.web.views.listing import page_size
from audittrail.web.views.violations import ACTIONS, ViolationsView, ViolationView

_Request = Request[Any, Any, Any]


@get("/violations", include_in_schema=False)
async def violations(request: _Request, runtime: Runtime) -> Response[str]:
    """Newest first; every filter stands in the address."""
    who = await viewer(request, runtime)
    member = require_project(who)
    asked: dict[str, Any] = {name: request.query_params.get(name, "") for name in ("q", "after", *NAMES)}
    asked["size"] = page_size(request.query_params)
    saved = request.query_params.get("saved", "")
    error, empty, found = "", False, Page[Violation](())
    try:
        want = ViolationFilter.parse(**asked)
    except Invalid as wrong:
        want, error = ViolationFilter(q=asked["q"]), str(wrong)
    else:
        async with runtime.db.read() as conn:
            found = await verdict_store.list_violations(conn, member.project.id, want, runtime.now_us())
            empty = not found.items and not await verdict_store.any_found(conn, member.project.id)
    view = ViolationsView(
        want=want,
        found=found,
        rules=tuple((rule.id, rule.title) for rule in runtime.constitution.rules.rules),
        can_change=has_role(member, "reviewer"),
        nothing_yet=empty,
        error=error,
        saved=int(saved) if saved.isascii() and saved.isdigit() and len(saved) < 4 else 0,
    )
    return page(request, "pages/violations.html", view, chrome_of(request, runtime, who), status=400 if error else 200)


@get("/violations/{violation_id:str}", include_in_schema=False)
async def violation(request: _Request, runtime: Runtime, violation_id: str) -> Response[str]:
    """What was found, what the rule saw, and where."""
    who = await viewer(request, runtime)
    member = require_project(who)
    async with runtime.db.read() as conn:
        found = await _found(conn, member.project.id, violation_id)
        trace = await trace_store.trace(conn, member.project.id, found.trace_id, runtime.now_us())
    rule = runtime.constitution.rules.rule(found.rule_id)
    view = ViolationView(
        one=found,
        trace_name=trace.name if trace else "",
        description=rule.description if rule else "",
        in_force=rule is not None and rule.version == found.version,
        can_change=has_role(member, "reviewer"),
        saved="saved" in request.query_params,
    )
    return page(request, "pages/violation.html", view, chrome_of(request, runtime, who))


async def _found(conn: Any, project_id: int, violation_id: str) -> Violation:
    found = await verdict_store.violation(conn, project_id, violation_id) if violation_id.isalnum() else None
    if found is None:
        raise NotFound("No violation of this project has that id. A late span may have corrected it.")
    return found


@post("/violations/{violation_id:str}", status_code=303, include_in_schema=False)
async def change_violation(request: _Request, runtime: Runtime, violation_id: str) -> Redirect:
    """Acknowledges, resolves or reopens one; for reviewers and owners."""
    form = await _change(request, runtime, [violation_id])
    back = local_path(form.text("back"))
    return Redirect(back if back != "/" else f"/violations/{violation_id}?saved=1", status_code=303)


@post("/violations", status_code=303, include_in_schema=False)
async def change_violations(request: _Request, runtime: Runtime) -> Redirect:
    """The same for all that are marked in the list."""
    form = await _change(request, runtime, None)
    back = local_path(form.text("back"))
    back = back if back.startswith("/violations") else "/violations"
    count = len(set(form.every("id")))
    return Redirect(back + ("&" if "?" in back else "?") + query(saved=count).lstrip("?"), status_code=303)


async def _change(request: _Request, runtime: Runtime, ids: list[str] | None) -> Form:
    who = await viewer(request, runtime)
    project_id = require_role(who, "reviewer").project.id
    form = await read_form(request)
    action, note = form.text("action"), form.text("note").strip()
    if action not in ACTIONS:
        raise Invalid("Say what to do with it: acknowledge, resolve or reopen.")
    if len(note) > MAX_NOTE:
        raise Invalid(f"The note is longer than {MAX_NOTE:,} characters; put the rest where you keep such things.")
    status: Standing = ACTIONS[action]  # type: ignore[assignment]
    async with runtime.db.write() as conn:
        if ids:
            await _found(conn, project_id, ids[0])
        await verdict_store.set_standing(
            conn,
            project_id,
            ids or [id_ for id_ in form.every("id") if id_.isalnum()],  # PostgreSQL takes no NUL in a text
            status,
            runtime.kept(note),
            who.user.email,
            runtime.now_us(),
        )
    return form


ROUTES = [violations, violation, change_violation, change_violations]
