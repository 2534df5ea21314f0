"""Deleting a trace or a session for good: asked first, done, and said what it was; and what is kept for how long."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from audittrail.model.account import Viewer
from audittrail.model.activity import ActivityFilter
from audittrail.model.errors import NotFound
from audittrail.model.filters import as_stored
from audittrail.runtime import Runtime
from audittrail.store import activity, conversations, erasure, tombstones, traces
from audittrail.store.connection import Connection
from audittrail.web.api.deletion import deleted
from audittrail.web.auth import has_role, is_refresh, require_project, require_role, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.render import page
from audittrail.web.views.deletion import DataView, DeletedView, DeleteView
from audittrail.web.views.links import session_named, session_path

_Request = Request[Any, Any, Any]
# Purges and deletions that are shown.
GONE = ActivityFilter(action=("retention.purged", "trace.deleted", "session.deleted"), size=20)


@get("/traces/{trace_id:str}/delete", include_in_schema=False)
async def ask_trace(request: _Request, runtime: Runtime, trace_id: str) -> Response[str]:
    """What would go; for owners."""
    who = await viewer(request, runtime)
    project = require_role(who, "owner").project
    async with runtime.db.read() as conn:
        row = await traces.trace(conn, project.id, as_stored(trace_id), runtime.now_us())
        if row is None:
            raise NotFound("No trace of this project has that id. It may have been deleted already.")
        _, spans, size = await erasure.measure(conn, project.id, [row.trace_id])
    path = f"/traces/{row.trace_id}"
    view = DeleteView(
        what="trace", name=row.name, id=row.trace_id, path=path, project=project.name, traces=1, spans=spans, bytes=size
    )
    return page(request, "pages/delete.html", view, chrome_of(request, runtime, who))


@post("/traces/{trace_id:str}/delete", status_code=303, include_in_schema=False)
async def delete_trace(request: _Request, runtime: Runtime, trace_id: str) -> Redirect:
    """Deletes it; for owners."""
    who = await viewer(request, runtime)
    project = require_role(who, "owner").project
    work = runtime.erasure.delete_trace(project.id, as_stored(trace_id), who.user.email)
    done = await deleted(request, project.id, work)
    return Redirect(f"/deletions/{done.id}", status_code=303)


@get("/sessions/{session:str}/delete", include_in_schema=False)
async def ask_session(request: _Request, runtime: Runtime, session: str) -> Response[str]:
    """What would go; for owners."""
    who = await viewer(request, runtime)
    project, name = require_role(who, "owner").project, session_named(session)
    async with runtime.db.read() as conn:
        found = None
        if "\0" not in name:
            found = await conversations.conversation(conn, project.id, name, runtime.now_us())
        if found is None:
            raise NotFound("No trace of this project belongs to that session. It may have been deleted already.")
        ids = await erasure.of_session(conn, project.id, name)
        count, spans, size = await erasure.measure(conn, project.id, ids)
    view = DeleteView(
        what="session",
        name=name,
        id=name,
        path=session_path(name),
        project=project.name,
        traces=count,
        spans=spans,
        bytes=size,
    )
    return page(request, "pages/delete.html", view, chrome_of(request, runtime, who))


@post("/sessions/{session:str}/delete", status_code=303, include_in_schema=False)
async def delete_session(request: _Request, runtime: Runtime, session: str) -> Redirect:
    """Deletes all its traces; for owners."""
    who = await viewer(request, runtime)
    project = require_role(who, "owner").project
    work = runtime.erasure.delete_session(project.id, session_named(session), who.user.email)
    done = await deleted(request, project.id, work)
    return Redirect(f"/deletions/{done.id}", status_code=303)


@get("/deletions/{entry_id:str}", include_in_schema=False)
async def deletion(request: _Request, runtime: Runtime, entry_id: str) -> Response[str]:
    """What a deletion took: its receipt."""
    who = await viewer(request, runtime)
    project = require_project(who).project
    entry = None
    if entry_id.isalnum():
        async with runtime.db.read() as conn:
            entry = await activity.find(conn, [project.id], entry_id)
    if entry is None or entry.action not in ("trace.deleted", "session.deleted"):
        raise NotFound("No deletion of this project has that id.")
    return page(request, "pages/deleted.html", DeletedView.of(entry), chrome_of(request, runtime, who))


async def gone(
    request: _Request, runtime: Runtime, conn: Connection, who: Viewer, trace_id: str
) -> Response[str] | None:
    """In place of a trace that was deleted in a project of this person: who did it, and when. A page that was open on
    it becomes this one by itself."""
    stone = await tombstones.tombstone(conn, [m.project.id for m in who.memberships], trace_id)
    if stone is None:
        return None
    view = DeletedView(
        what="trace",
        id=trace_id,
        at_us=stone.deleted_us,
        by=stone.deleted_by,
        traces=1,
        spans=stone.spans,
        bytes=stone.bytes,
    )
    status = 200 if is_refresh(request) else 410
    return page(request, "pages/deleted.html", view, chrome_of(request, runtime, who), status=status)


@get("/settings/data", include_in_schema=False)
async def data(request: _Request, runtime: Runtime) -> Response[str]:
    """What is kept for how long, what is there, and what was purged."""
    who = await viewer(request, runtime)
    member = require_project(who)
    project_id = member.project.id
    database_bytes = await runtime.db.size_bytes()
    async with runtime.db.read() as conn:
        count, spans = await traces.count_spans(conn, project_id)
        log = await activity.list_activity(conn, [project_id], GONE, runtime.now_us())
        view = DataView(
            days=runtime.settings.retention_days,
            time_us=runtime.now_us() - runtime.retention.behind_us,
            oldest_us=await traces.oldest(conn, project_id),
            traces=count,
            spans=spans,
            database_bytes=database_bytes,
            gone=log.items,
            warning=runtime.retention.reason,
            can_delete=has_role(member, "owner"),
        )
    return page(request, "pages/settings/data.html", view, chrome_of(request, runtime, who))


ROUTES = [ask_trace, delete_trace, ask_session, delete_session, deletion, data]
