"""Which steps caused an outcome: what can be asked, what was asked, and the answers."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.response import Redirect

from audittrail.attribution import Ablation, Outcome, parse
from audittrail.jobs.ablations import Question
from audittrail.model.errors import Conflict, Invalid, NotFound
from audittrail.model.filters import PAGE_SIZE, Cursor, as_stored
from audittrail.model.summary import TraceRow
from audittrail.runtime import Runtime
from audittrail.store import ablations as ablation_store
from audittrail.store import traces as trace_store
from audittrail.web.auth import require_project, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.forms import read_form
from audittrail.web.render import page
from audittrail.web.views.explain import AblationView, Asked, Choice, ExplainView

# A person who asks waits this long for the answer itself before being shown how far it is.
PATIENCE = 2.0
_Request = Request[Any, Any, Any]


@get("/explain", include_in_schema=False)
async def explain(request: _Request, runtime: Runtime) -> Response[str]:
    """What was asked; with ?trace=, what can be asked of that trace."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    params = request.query_params
    trace_id = as_stored(named) if (named := params.get("trace", "")) else ""
    after = params.get("after", "")
    trace: TraceRow | None = None
    async with runtime.db.read() as conn:
        if trace_id:
            trace = await _trace(conn, project_id, trace_id, runtime.now_us())
        cursor = Cursor.parse(after) if after else None
        found = await ablation_store.list_ablations(conn, project_id, trace=trace_id, after=cursor, size=PAGE_SIZE)
    choices: list[Outcome] = []
    too_large = ""
    if trace is not None:
        try:
            choices = await runtime.ablations.outcomes(project_id, trace.trace_id)
        except Invalid as error:
            too_large = str(error)
    view = ExplainView(
        trace=trace,
        choices=tuple(Choice.of(outcome) for outcome in choices),
        too_large=too_large,
        runs=tuple(Asked(run) for run in found.items),
        next=found.next,
    )
    return page(request, "pages/explain.html", view, chrome_of(request, runtime, who))


@post("/traces/{trace_id:str}/explain", status_code=303, include_in_schema=False)
async def ask(request: _Request, runtime: Runtime, trace_id: str) -> Redirect:
    """Asks, and goes to where the answer will be."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    form = await read_form(request)
    try:
        asked = msgspec.json.decode(form.text("outcome"))
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise Invalid("Say what is to be explained: one of the outcomes that the page Explain lists.") from None
    run = await runtime.ablations.ask(project_id, as_stored(trace_id), Question(outcome=parse(asked)), who.user.email)
    if run.open:
        await runtime.ablations.wait(project_id, run.id, PATIENCE)
    return Redirect(f"/explain/{run.id}", status_code=303)


@get("/explain/{run_id:str}", include_in_schema=False)
async def ablation(request: _Request, runtime: Runtime, run_id: str) -> Response[str]:
    """One question, how far it is, and its answer."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    async with runtime.db.read() as conn:
        run = await ablation_store.ablation(conn, project_id, run_id)
        if run is None:
            raise NotFound("No explanation of this project has that id.")
        trace = await trace_store.trace(conn, project_id, run.trace_id, runtime.now_us())
    view = AblationView(
        run=run,
        answer=msgspec.convert(run.result, Ablation) if run.status == "done" else None,
        trace_name=trace.name if trace else "",
        changed=trace is not None and run.status == "done" and trace.received_us != run.received_us,
    )
    return page(request, "pages/ablation.html", view, chrome_of(request, runtime, who))


@post("/explain/{run_id:str}/cancel", status_code=303, include_in_schema=False)
async def cancel(request: _Request, runtime: Runtime, run_id: str) -> Redirect:
    """Ends it without an answer. One that has ended meanwhile is shown as it ended."""
    who = await viewer(request, runtime)
    with contextlib.suppress(Conflict):
        await runtime.ablations.cancel(require_project(who).project.id, run_id)
    return Redirect(f"/explain/{run_id}", status_code=303)


async def _trace(conn: Any, project_id: int, trace_id: str, now_us: int) -> TraceRow:
    found = await trace_store.trace(conn, project_id, trace_id, now_us)
    if found is None:
        raise NotFound("No trace of this project has that id.")
    return found


ROUTES = [explain, ask, ablation, cancel]
