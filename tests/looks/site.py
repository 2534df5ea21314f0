"""Serves every template with sample data under the real Content-Security-Policy, for looking and for tests."""

from __future__ import annotations

from pathlib import Path

from litestar import Litestar, Response, get
from litestar.datastructures import ResponseHeader
from litestar.plugins.htmx import HTMXRequest
from litestar.static_files import create_static_files_router

from audittrail.attribution.graph import graph_of
from audittrail.model.errors import Invalid
from audittrail.model.filters import TraceFilter
from audittrail.model.summary import SpanRow
from audittrail.model.violation import ViolationFilter
from audittrail.web.render import Renderer, page
from audittrail.web.views.links import TraceAsk
from audittrail.web.views.problem import ProblemView
from audittrail.web.views.raw import PAGE, RawView
from audittrail.web.views.trace import root_id, selected_id, trace_view
from tests.looks import governed, measured, samples

ROOT = Path(__file__).parents[2]
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


PAGES = samples.PAGES | governed.PAGES | measured.PAGES


@get("/look/{name:str}")
async def look(request: HTMXRequest) -> Response[str]:
    template, view, path, signed_in, notices, status = PAGES[request.path_params["name"]]
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


@get("/violations")
async def violations(request: HTMXRequest) -> Response[str]:
    names = ("q", "range", "status", "outcome", "severity", "mode", "rule", "agent", "trace", "after")
    asked = {name: request.query_params.get(name, "") for name in names}
    try:
        view = governed.violations_view(ViolationFilter.parse(**asked))
    except Invalid as problem:
        view = governed.violations_view(ViolationFilter(q=asked["q"]), (), error=str(problem))
    return page(request, "pages/violations.html", view, samples.chrome("/violations"))


@get("/violations/{violation_id:str}")
async def violation(request: HTMXRequest) -> Response[str]:
    view = governed.violation_view(governed.ALL[request.path_params["violation_id"]])
    return page(request, "pages/violation.html", view, samples.chrome(request.url.path))


@get("/approvals")
async def approvals(request: HTMXRequest) -> Response[str]:
    view = governed.approvals_view(status=request.query_params.get("status", ""))
    return page(request, "pages/approvals.html", view, samples.chrome("/approvals"))


@get("/approvals/{approval_id:str}")
async def approval(request: HTMXRequest) -> Response[str]:
    view = governed.approval_view(governed.REQUESTS[request.path_params["approval_id"]])
    return page(request, "pages/approval.html", view, samples.chrome(request.url.path))


@get("/constitution")
async def constitution(request: HTMXRequest) -> Response[str]:
    return page(request, "pages/constitution.html", governed.constitution_view(), samples.chrome("/constitution"))


@get("/constitution/{rule_id:str}")
async def rule(request: HTMXRequest) -> Response[str]:
    view = governed.rule_view(request.path_params["rule_id"], governed.CALM[:1])
    return page(request, "pages/rule.html", view, samples.chrome(request.url.path))


@get("/traces/{trace_id:str}")
async def trace(request: HTMXRequest) -> Response[str]:
    trace_id = request.path_params["trace_id"]
    if trace_id not in samples.TRACES:
        view = ProblemView(404, "Not found", "There is no such trace here.")
        return page(request, "pages/problem.html", view, samples.chrome("/traces"), 404)
    spans = samples.TRACES[trace_id]
    rows = samples.rows_of(spans)
    by_id = {s.span_id: s for s in spans}
    ask = TraceAsk.of(request.query_params)
    verdicts = governed.OF_TRACE.get(trace_id, ())
    chosen = by_id.get(selected_id(rows, ask.span, verdicts) or "")
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
        verdicts=verdicts,
        can_change=True,
        edges=graph_of(spans) if ask.view == "graph" else None,
        raw=RawView.of([(SpanRow.of(s), samples.record_of(s), 1) for s in spans[: PAGE + 1]]),
    )
    return page(request, "pages/trace.html", view, samples.chrome("/traces"))


def make() -> Litestar:
    app = Litestar(
        [
            look,
            traces,
            violations,
            violation,
            approvals,
            approval,
            constitution,
            rule,
            trace,
            create_static_files_router("/static", [ROOT / "static"]),
        ],
        request_class=HTMXRequest,
        response_headers=[ResponseHeader(name="Content-Security-Policy", value=CSP)],
        openapi_config=None,
    )
    app.state.renderer = Renderer(ROOT / "templates", ROOT / "static", reload=True)
    return app
