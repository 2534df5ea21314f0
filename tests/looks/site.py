"""Serves every template with sample data under the real Content-Security-Policy, for looking and for tests."""

from __future__ import annotations

from pathlib import Path

from litestar import Litestar, Response, get
from litestar.datastructures import ResponseHeader
from litestar.plugins.htmx import HTMXRequest
from litestar.static_files import create_static_files_router

from audittrail.model.errors import Invalid
from audittrail.model.filters import TraceFilter
from audittrail.web.render import Renderer, page
from audittrail.web.views.links import TraceAsk
from audittrail.web.views.problem import ProblemView
from audittrail.web.views.trace import root_id, selected_id, trace_view
from tests.looks import samples

ROOT = Path(__file__).parents[2]
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@get("/look/{name:str}")
async def look(request: HTMXRequest) -> Response[str]:
    template, view, path, signed_in, notices, status = samples.PAGES[request.path_params["name"]]
    return page(request, template, view, samples.chrome(path, signed_in=signed_in, notices=notices), status)


@get("/traces")
async def traces(request: HTMXRequest) -> Response[str]:
    names = ("q", "range", "status", "agent", "session", "user", "after")
    asked = {name: request.query_params.get(name, "") for name in names}
    try:
        view = samples.traces_view(TraceFilter.parse(**asked))
    except Invalid as problem:
        view = samples.traces_view(TraceFilter(q=asked["q"]), error=str(problem))
    return page(request, "pages/traces.html", view, samples.chrome("/traces"))


@get("/traces/{trace_id:str}")
async def trace(request: HTMXRequest) -> Response[str]:
    trace_id = request.path_params["trace_id"]
    if trace_id not in samples.TRACES:
        view = ProblemView(404, "Not found", "There is no such trace here.")
        return page(request, "pages/problem.html", view, samples.chrome("/traces"), 404)
    spans = samples.TRACES[trace_id]
    rows = samples.rows_of(spans)
    by_id = {s.span_id: s for s in spans}
    names = ("span", "tab", "fold", "only", "find")
    ask = TraceAsk.parse(
        start=request.query_params.get("from", ""), **{n: request.query_params.get(n, "") for n in names}
    )
    chosen = by_id.get(selected_id(rows, ask.span) or "")
    listed = next(r for r in samples.ROWS if r.trace_id == trace_id)
    view = trace_view(
        listed,
        rows,
        ask,
        selected=chosen,
        record=samples.record_of(chosen) if chosen else b"",
        versions=2,
        root=by_id.get(root_id(rows) or ""),
        project="Checkout agents",
        now_us=samples.NOW,
    )
    return page(request, "pages/trace.html", view, samples.chrome("/traces"))


def make() -> Litestar:
    app = Litestar(
        [look, traces, trace, create_static_files_router("/static", [ROOT / "static"])],
        request_class=HTMXRequest,
        response_headers=[ResponseHeader(name="Content-Security-Policy", value=CSP)],
        openapi_config=None,
    )
    app.state.renderer = Renderer(ROOT / "templates", ROOT / "static", reload=True)
    return app
