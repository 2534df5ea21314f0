"""Deleting what was recorded, for good. People do it; a key cannot."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from litestar import Request, delete

from audittrail.jobs.erasure import Deleted
from audittrail.model.filters import as_stored
from audittrail.runtime import Runtime
from audittrail.web.api.listing import One
from audittrail.web.auth import person, require_role
from audittrail.web.graphs import Graphs
from audittrail.web.views.links import session_named

_Request = Request[Any, Any, Any]


async def deleted(request: _Request, project_id: int, work: Awaitable[Deleted]) -> Deleted:
    """What `work` deletes of the project. Nothing that it deleted stays in memory, even if it fails halfway."""
    graphs: Graphs = request.app.state.graphs
    try:
        return await work
    finally:
        graphs.forget(project_id)


@delete("/api/v1/traces/{trace_id:str}", status_code=200, tags=["traces"], summary="Delete a trace for good")
async def delete_trace(request: _Request, runtime: Runtime, trace_id: str) -> One[Deleted]:
    """For owners of the project, signed in. The answer comes when its spans, records, words, verdicts and explanations
    are gone, and says how many there were. Late spans of it are refused from then on. It cannot be undone."""
    who = await person(request, runtime)
    project = require_role(who, "owner").project
    work = runtime.erasure.delete_trace(project.id, as_stored(trace_id), who.user.email)
    return One(await deleted(request, project.id, work))


@delete("/api/v1/sessions/{session:str}", status_code=200, tags=["traces"], summary="Delete a session for good")
async def delete_session(request: _Request, runtime: Runtime, session: str) -> One[Deleted]:
    """All traces that the session has now, as each would be deleted alone. An id with other characters than letters,
    digits and `._-` may be given as `~` and its base64url, as the address of its page has it."""
    who = await person(request, runtime)
    project = require_role(who, "owner").project
    work = runtime.erasure.delete_session(project.id, session_named(session), who.user.email)
    return One(await deleted(request, project.id, work))


ROUTES = [delete_trace, delete_session]
