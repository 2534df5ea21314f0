"""Traces as a file: what a list shows, or one trace whole; no cap."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from litestar import HttpMethod, Request, route
from litestar.params import Parameter

from audittrail.model.errors import NotFound
from audittrail.model.filters import TraceFilter, as_stored, one_of
from audittrail.report.export import FORMATS, LEVELS, Format, Level
from audittrail.runtime import Runtime
from audittrail.store import activity, projects
from audittrail.store import traces as trace_store
from audittrail.web.auth import Access, access
from audittrail.web.exports import ExportStream

_Request = Request[Any, Any, Any]
_METHODS = [HttpMethod.GET, HttpMethod.HEAD]


async def _named(conn: Any, who: Access) -> tuple[int, str]:
    """The project and its name, as the file says it."""
    if who.viewer and who.viewer.current:
        return who.project_id, who.viewer.current.project.name
    found = await projects.get_project(conn, who.project_id)
    return who.project_id, found.name if found else ""


async def _note(runtime: Runtime, who: Access, subject: str, **detail: Any) -> None:
    actor = who.name
    async with runtime.db.write() as conn:
        await activity.note(
            conn, runtime.now_us(), actor, "export.created", subject, project_id=who.project_id, **detail
        )


@route(
    "/api/v1/traces/export",
    http_method=_METHODS,
    tags=["traces"],
    summary="Export the traces of a list, or their spans",
)
async def export_traces(
    request: _Request,
    runtime: Runtime,
    format_: Annotated[str, Parameter(query="format", description="ndjson or csv")] = "ndjson",
    level: Annotated[
        str, Parameter(description="traces: a line each; spans: a line for each of their spans")
    ] = "traces",
    q: Annotated[str, Parameter(description='The query line: `status:error agent:bars "words in a name"`.')] = "",
    range_: Annotated[str, Parameter(query="range", description="1h, 24h, 7d or 30d; empty for any time.")] = "",
    status: str = "",
    agent: str = "",
    session: str = "",
    user: str = "",
    model: str = "",
    tool: str = "",
    kind: str = "",
    has_error: str = "",
    min_duration: str = "",
    min_cost: str = "",
    min_tokens: str = "",
) -> ExportStream:
    """Every one that matches, newest first, streamed. The last line is the manifest: a file without it was cut."""
    who = await access(request, runtime)
    form: Format = one_of("format", format_, FORMATS) or "ndjson"
    what: Level = one_of("level", level, LEVELS) or "traces"
    asked: dict[str, Any] = {"model": model, "tool": tool, "kind": kind, "has_error": has_error}
    asked |= {"min_duration": min_duration, "min_cost": min_cost, "min_tokens": min_tokens}
    asked |= {"range": range_, "status": status, "agent": agent, "session": session, "user": user}
    want = TraceFilter.parse(q=q, **asked)
    async with runtime.db.read() as conn:
        project = await _named(conn, who)
        traces, spans = await trace_store.count_spans(conn, who.project_id, want, runtime.now_us())
    note = partial(_note, runtime, who, what, format=form, traces=traces, spans=spans, filtered=want.narrows)
    return ExportStream(request.app.state.exports, runtime, project, form, what, want, note)


@route("/api/v1/traces/{trace_id:str}/export", http_method=_METHODS, tags=["traces"], summary="Export a whole trace")
async def export_trace(
    request: _Request,
    runtime: Runtime,
    trace_id: str,
    format_: Annotated[str, Parameter(query="format", description="ndjson or csv")] = "ndjson",
) -> ExportStream:
    """All of its spans, by start, streamed. The last line is the manifest: a file without it was cut."""
    who = await access(request, runtime)
    form: Format = one_of("format", format_, FORMATS) or "ndjson"
    async with runtime.db.read() as conn:
        project = await _named(conn, who)
        found = await trace_store.trace(conn, who.project_id, as_stored(trace_id), runtime.now_us())
    if found is None:
        raise NotFound("No trace of this project has that id.")
    note = partial(_note, runtime, who, found.trace_id, format=form, traces=1, spans=found.span_count)
    return ExportStream(request.app.state.exports, runtime, project, form, "spans", found, note)


ROUTES = [export_traces, export_trace]
