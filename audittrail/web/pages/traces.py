"""The list of traces, and one trace."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.response import Redirect

from audittrail.attribution.graph import Graph
from audittrail.ingest.pipeline import read
from audittrail.model.account import Membership, Viewer
from audittrail.model.errors import Invalid, NotFound
from audittrail.model.filters import Cursor, Page, TraceFilter, as_stored
from audittrail.model.span import Span
from audittrail.model.summary import SpanRow, TraceRow
from audittrail.model.tree import lay
from audittrail.runtime import Runtime
from audittrail.store import sessions
from audittrail.store import spans as span_store
from audittrail.store import traces as trace_store
from audittrail.store import verdicts as verdict_store
from audittrail.store.connection import Connection
from audittrail.store.spans import StoredRecord
from audittrail.web.auth import has_role, is_refresh, require_project, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.graphs import Found, Graphs
from audittrail.web.pages.deletion import gone
from audittrail.web.render import Renderer, page
from audittrail.web.views.graph import DownloadView, GraphView
from audittrail.web.views.links import TraceAsk
from audittrail.web.views.listing import page_size
from audittrail.web.views.raw import PAGE, RawView
from audittrail.web.views.trace import marks_of, root_id, selected_id, trace_view
from audittrail.web.views.traces import TracesView

_Request = Request[Any, Any, Any]


@get("/traces", include_in_schema=False)
async def traces(request: _Request, runtime: Runtime) -> Response[str]:
    """Newest first; every filter stands in the address."""
    who = await viewer(request, runtime)
    project = require_project(who).project
    asked: dict[str, Any] = {name: request.query_params.get(name, "") for name in ("q", "range", *TracesView.NAMED)}
    now_us, error, empty, agents = runtime.now_us(), "", False, list[str]()
    found: Page[TraceRow] = Page(())
    try:
        want = TraceFilter.parse(
            after=request.query_params.get("after", ""), size=page_size(request.query_params), **asked
        )
    except Invalid as wrong:
        want, error = TraceFilter(q=asked["q"]), str(wrong)
    else:
        async with runtime.db.read() as conn:
            found = await trace_store.list_traces(conn, project.id, want, now_us)
            agents = await trace_store.agents(conn, project.id)
            empty = not found.items and await trace_store.is_empty(conn, project.id)
    view = TracesView(
        want=want,
        found=found,
        agents=tuple(agents),
        empty_project=empty,
        error=error,
        base_url=runtime.settings.base_url,
    )
    return page(request, "pages/traces.html", view, chrome_of(request, runtime, who), status=400 if error else 200)


@get("/traces/{trace_id:str}", include_in_schema=False)
async def trace(request: _Request, runtime: Runtime, trace_id: str) -> Response[str] | Redirect:
    """The tree and the waterfall, and beside them the span that is open."""
    who = await viewer(request, runtime)
    member = require_project(who)
    ask = TraceAsk.of(request.query_params)
    trace_id, now_us = as_stored(trace_id), runtime.now_us()
    async with runtime.db.read() as conn:
        row = await trace_store.trace(conn, member.project.id, trace_id, now_us)
        if row is None:
            if (deleted := await gone(request, runtime, conn, who, trace_id)) is not None:
                return deleted
            member = await _elsewhere(conn, who, trace_id)
            row = await trace_store.trace(conn, member.project.id, trace_id, now_us)
            if row is None:
                raise _unknown()
        project_id = member.project.id
        found, raw = Found(Graph((), ())), None
        verdicts = await verdict_store.of_trace(conn, project_id, trace_id)
        if ask.span and request.headers.get("hx-target") == "panel":
            # The panel alone: a click in a trace of thousands of spans reads one of them.
            rows, chosen, top = list[SpanRow](), ask.span or None, None
        else:
            rows = await span_store.rows_of_trace(conn, project_id, trace_id)
            chosen, top = selected_id(rows, ask.span, verdicts), root_id(rows)
            if ask.view == "graph":
                found = await _graphs(request).read(conn, project_id, row, rows, now_us)
            elif ask.view == "raw":
                raw = await _raw(conn, project_id, trace_id, ask.after)
        stored = await span_store.record_of(conn, project_id, trace_id, chosen) if chosen else None
        root = await span_store.record_of(conn, project_id, trace_id, top) if top and top != chosen else stored
    if who.current is None or member.project.id != who.current.project.id:
        # A link from a colleague leads into another project of mine: from here on that is the one looked at.
        if not is_refresh(request):
            async with runtime.db.write() as conn:
                await sessions.set_current_project(conn, who.session_id, member.project.id)
        who = msgspec.structs.replace(who, current=member)
    view = trace_view(
        row,
        rows,
        ask,
        selected=_span(stored),
        record=stored.record if stored else b"",
        versions=stored.versions if stored else 0,
        root=_span(root) if top else None,
        project=member.project.name,
        now_us=now_us,
        verdicts=verdicts,
        can_change=has_role(member, "reviewer"),
        can_delete=has_role(member, "owner"),
        edges=found.graph,
        complete=found.complete,
        raw=raw,
    )
    return page(request, "pages/trace.html", view, chrome_of(request, runtime, who))


@get("/traces/{trace_id:str}/graph.svg", include_in_schema=False)
async def graph_svg(request: _Request, runtime: Runtime, trace_id: str) -> Response[str]:
    """The graph as the page draws it with the same parameters: a file that stands alone."""
    who = await viewer(request, runtime)
    member = require_project(who)
    trace_id, ask, now_us = as_stored(trace_id), TraceAsk.of(request.query_params), runtime.now_us()
    async with runtime.db.read() as conn:
        row = await trace_store.trace(conn, member.project.id, trace_id, now_us)
        if row is None:
            raise _unknown()
        verdicts = await verdict_store.of_trace(conn, member.project.id, trace_id)
        rows = await span_store.rows_of_trace(conn, member.project.id, trace_id)
        found = await _graphs(request).read(conn, member.project.id, row, rows, now_us)
    view = GraphView(
        tree=lay(rows, now_us),
        graph=found.graph,
        ask=ask,
        selected=ask.span,
        now_us=now_us,
        marks=marks_of(verdicts),
        complete=found.complete,
    )
    renderer: Renderer = request.app.state.renderer
    drawn = renderer.render("pages/trace/graph.svg", chrome_of(request, runtime, who), DownloadView(row, view))
    # The id is hex: it was found.
    name = f'attachment; filename="trace-{row.trace_id}.svg"'
    return Response(drawn, media_type="image/svg+xml", headers={"Content-Disposition": name})


def _graphs(request: _Request) -> Graphs:
    kept: Graphs = request.app.state.graphs
    return kept


async def _raw(conn: Connection, project_id: int, trace_id: str, after: str) -> RawView:
    try:
        cursor = Cursor.parse(after).key if after else None
    except Invalid:
        cursor = None  # an old or broken link starts at the beginning
    found = await span_store.records_of_trace(conn, project_id, trace_id, cursor, PAGE + 1)
    return RawView.of([(row, stored.record, stored.versions) for row, stored in found])


def _span(stored: StoredRecord | None) -> Span | None:
    return read(stored.record, stored.cost_basis) if stored else None


async def _elsewhere(conn: Connection, who: Viewer, trace_id: str) -> Membership:
    """Which of the person's other projects holds the trace. Raises NotFound."""
    ids = [m.project.id for m in who.memberships]
    found = await trace_store.projects_with(conn, ids, trace_id)
    member = next((m for m in who.memberships if m.project.id in found), None)
    if member is None:
        raise _unknown()
    return member


def _unknown() -> NotFound:
    return NotFound("No project of yours has a trace with this id. It may have been deleted, or never have arrived.")


ROUTES = [traces, trace, graph_svg]
