"""Settings: one's own account, the project, and what arrived. Members and keys have modules of their own."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from audittrail.identity import membership
from audittrail.identity.accounts import MAX_DISPLAY_NAME, clean_name, name_error
from audittrail.identity.passwords import check_strength
from audittrail.model.account import Viewer
from audittrail.model.errors import Conflict, NotFound, NotSignedIn, TooMany
from audittrail.runtime import Runtime
from audittrail.store import activity, refusals, sessions, traces, users
from audittrail.web.auth import require_admin, require_project, require_role, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.forms import local_path, read_form
from audittrail.web.pages import keys, members
from audittrail.web.render import page
from audittrail.web.signin import check_password
from audittrail.web.views.accounts import IngestView, ProfileView, ProjectView

_Request = Request[Any, Any, Any]


def _saved(path: str, what: str) -> Response[Any]:
    return Redirect(f"{path}?saved={what}", status_code=303)


async def _profile(
    request: _Request, runtime: Runtime, who: Viewer, errors: dict[str, str], saved: str = ""
) -> Response[Any]:
    async with runtime.db.read() as conn:
        others = await sessions.count_other_sessions(conn, who.user.id, who.session_id, runtime.now_us())
    view = ProfileView(user=who.user, other_sessions=others, errors=errors, saved=saved)
    chrome = chrome_of(request, runtime, who)
    return page(request, "pages/settings/profile.html", view, chrome, status=422 if errors else 200)


@get("/settings", include_in_schema=False)
async def profile(request: _Request, runtime: Runtime) -> Response[Any]:
    """One's own account."""
    who = await viewer(request, runtime)
    saved = request.query_params.get("saved", "")
    return await _profile(request, runtime, who, {}, saved if saved in ("profile", "password") else "")


@post("/settings/profile", status_code=200, include_in_schema=False)
async def save_profile(request: _Request, runtime: Runtime) -> Response[Any]:
    """Changes the name that others see."""
    who = await viewer(request, runtime)
    name = clean_name((await read_form(request)).text("display_name"))
    if error := name_error(name, "the person", MAX_DISPLAY_NAME):
        return await _profile(request, runtime, who, {"display_name": error})
    async with runtime.db.write() as conn:
        await users.set_display_name(conn, who.user.id, name)
        if name != who.user.display_name:
            email, before = who.user.email, who.user.display_name
            await activity.note(conn, runtime.now_us(), email, "account.renamed", email, name=name, before=before)
    return _saved("/settings", "profile")


@post("/settings/password", status_code=200, include_in_schema=False)
async def save_password(request: _Request, runtime: Runtime) -> Response[Any]:
    """Changes the password and ends the person's other sessions."""
    who = await viewer(request, runtime)
    form = await read_form(request)
    try:
        # Whoever found a browser left open shall not be able to guess here either.
        await check_password(request, runtime, who.user.email, form.text("current"), wanted="password")
    except (NotSignedIn, TooMany) as error:
        wrong = "This is not your present password." if isinstance(error, NotSignedIn) else str(error)
        return await _profile(request, runtime, who, {"current": wrong})
    if weak := check_strength(form.text("password"), who.user.email):
        return await _profile(request, runtime, who, {"password": weak})
    new = await runtime.passwords.hash(form.text("password"))
    async with runtime.db.write() as conn:
        await users.set_password_hash(conn, who.user.id, new)
        ended = await sessions.end_other_sessions(conn, who.user.id, who.session_id)
        email = who.user.email
        await activity.note(conn, runtime.now_us(), email, "account.password_changed", email, sessions_ended=ended)
    return _saved("/settings", "password")


async def _project(
    request: _Request, runtime: Runtime, who: Viewer, errors: dict[str, str], saved: str = ""
) -> Response[Any]:
    counts = (0, 0)
    if who.current is not None:
        async with runtime.db.read() as conn:
            counts = await traces.count_spans(conn, who.current.project.id)
    view = ProjectView(
        current=who.current,
        memberships=who.memberships,
        can_rename=who.current is not None and who.current.role == "owner",
        can_create=who.is_admin,
        trace_count=counts[0],
        span_count=counts[1],
        errors=errors,
        saved=saved,
    )
    chrome = chrome_of(request, runtime, who)
    return page(request, "pages/settings/project.html", view, chrome, status=422 if errors else 200)


@get("/settings/project", include_in_schema=False)
async def project(request: _Request, runtime: Runtime) -> Response[Any]:
    """The project looked at, and the others."""
    who = await viewer(request, runtime)
    saved = request.query_params.get("saved", "")
    return await _project(request, runtime, who, {}, saved if saved in ("project", "created") else "")


@post("/settings/project", status_code=200, include_in_schema=False)
async def rename_project(request: _Request, runtime: Runtime) -> Response[Any]:
    """Changes the project's name; for owners."""
    who = await viewer(request, runtime)
    current = require_role(who, "owner")
    name = clean_name((await read_form(request)).text("name"))
    if error := name_error(name, "the project"):
        return await _project(request, runtime, who, {"name": error})
    try:
        async with runtime.db.write() as conn:
            await membership.rename_project(conn, current.project, name, runtime.now_us(), by=who.user.email)
    except Conflict as error:
        return await _project(request, runtime, who, {"name": str(error)})
    return _saved("/settings/project", "project")


@post("/settings/projects", status_code=200, include_in_schema=False)
async def create_project(request: _Request, runtime: Runtime) -> Response[Any]:
    """Makes a project, owned by whoever made it, and looks at it; for administrators."""
    who = await viewer(request, runtime)
    require_admin(who)
    name = clean_name((await read_form(request)).text("name"))
    if error := name_error(name, "the project"):
        return await _project(request, runtime, who, {"new_name": error})
    try:
        async with runtime.db.write() as conn:
            made = await membership.make_project(conn, name, who.user, runtime.now_us(), by=who.user.email)
            await sessions.set_current_project(conn, who.session_id, made.id)
    except Conflict as error:
        return await _project(request, runtime, who, {"new_name": str(error)})
    return _saved("/settings/project", "created")


@post("/projects/current", status_code=303, include_in_schema=False)
async def choose_project(request: _Request, runtime: Runtime) -> Response[Any]:
    """Looks at another of one's projects."""
    who = await viewer(request, runtime)
    form = await read_form(request)
    for each in who.memberships:
        if str(each.project.id) == form.text("project"):
            async with runtime.db.write() as conn:
                await sessions.set_current_project(conn, who.session_id, each.project.id)
            return Redirect(local_path(form.text("next") or "/"), status_code=303)
    raise NotFound("You belong to no such project.")


@get("/settings/ingest", include_in_schema=False)
async def ingest(request: _Request, runtime: Runtime) -> Response[Any]:
    """What arrived and what was refused: exporters say nothing of it on their side."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    async with runtime.db.read() as conn:
        refused = await refusals.recent(conn, project_id)
        _, received = await traces.count_spans(conn, project_id)
    queue = runtime.writer.state()
    view = IngestView(
        refused=tuple(refused),
        received_spans=received,
        queue_spans=queue.pending_spans,
        queue_bytes=queue.pending_bytes,
        queue_limit_spans=queue.max_pending_spans,
        queue_limit_bytes=queue.max_pending_bytes,
    )
    return page(request, "pages/settings/ingest.html", view, chrome_of(request, runtime, who))


ROUTES = [
    profile,
    save_profile,
    save_password,
    project,
    rename_project,
    create_project,
    choose_project,
    ingest,
    *members.ROUTES,
    *keys.ROUTES,
]
