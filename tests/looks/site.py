"""Serves every template with sample data under the real Content-Security-Policy, for looking and for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from litestar import Litestar, Response, get
from litestar.datastructures import ResponseHeader
from litestar.params import Parameter
from litestar.plugins.htmx import HTMXRequest
from litestar.static_files import create_static_files_router

from audittrail.model.errors import Invalid
from audittrail.model.filters import TraceFilter
from audittrail.model.summary import summarise
from audittrail.web.render import Renderer, page
from audittrail.web.views.links import TraceAsk
from audittrail.web.views.problem import ProblemView
from audittrail.web.views.trace import root_id, selected_id, trace_view
from tests.looks import samples

ROOT = Path(__file__).parents[2]
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@get("/look/{name:str}")
async def look(request: HTMXRequest, name: str) -> Response[str]:
    template, view, path, signed_in, notices, status = samples.PAGES[name]
    return page(request, template, view, samples.chrome(path, signed_in=signed_in, notices=notices), status)


@get("/traces")
async def traces(
    request: HTMXRequest, q: str = "", status: str = "", agent: str = "", session: str = "", user: str = "", after: str = "",
    in_range: Annotated[str, Parameter(query="range")] = "",
) -> Response[str]:  # fmt: skip
    try:
        want = TraceFilter.parse(q=q, status=status, agent=agent, session=session, user=user, after=after, range=in_range)
        view = samples.traces_view(want)
    except Invalid as problem:
        view = samples.traces_view(TraceFilter(q=q), error=str(problem))
    return page(request, "pages/traces.html", view, samples.chrome("/traces"))


@get("/traces/{trace_id:str}")
async def trace(
    request: HTMXRequest, trace_id: str, span: str = "", tab: str = "", fold: str = "", only: str = "", find: str = "",
    start: Annotated[str, Parameter(query="from")] = "",
) -> Response[str]:  # fmt: skip
    if trace_id not in samples.TRACES:
        view = ProblemView(404, "Not found", "There is no such trace here.")
        return page(request, "pages/problem.html", view, samples.chrome("/traces"), 404)
    spans = samples.TRACES[trace_id]
    rows = samples.rows_of(spans)
    by_id = {s.span_id: s for s in spans}
    ask = TraceAsk.parse(span=span, tab=tab, start=start, fold=fold, only=only, find=find)
    chosen = by_id.get(selected_id(rows, ask.span) or "")
    view = trace_view(
        next((r for r in samples.ROWS if r.trace_id == trace_id), summarise(rows, samples.NOW).row), rows, ask, selected=chosen,
        record=samples.record_of(chosen) if chosen else b"", versions=2, root=by_id.get(root_id(rows) or ""),
        project="Checkout agents", now_us=samples.NOW,
    )  # fmt: skip
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
