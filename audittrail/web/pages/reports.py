"""Reports: ordered, looked at, downloaded, deleted."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Redirect

from audittrail.model.account import Viewer
from audittrail.model.errors import Invalid
from audittrail.model.filters import PAGE_SIZE, Cursor, as_stored
from audittrail.model.report import MAX_TITLE
from audittrail.runtime import Runtime
from audittrail.store import reports as report_store
from audittrail.web.auth import has_role, require_project, require_role, viewer
from audittrail.web.chrome import chrome_of
from audittrail.web.forms import read_form
from audittrail.web.render import page
from audittrail.web.reports import check_audience, pdf_response
from audittrail.web.views.reports import Order, ReportsView, ReportView

# A person who orders a report waits this long for it before being shown how far it is.
PATIENCE = 2.0
_Request = Request[Any, Any, Any]


@get("/reports", include_in_schema=False)
async def reports(request: _Request, runtime: Runtime) -> Response[str]:
    """What was made, and the form to make another."""
    who = await viewer(request, runtime)
    kind = "audit" if has_role(require_project(who), "reviewer") else "period"
    return await _reports(request, runtime, who, Order(kind=kind, today_us=runtime.now_us()))


async def _reports(request: _Request, runtime: Runtime, who: Viewer, order: Order, error: str = "") -> Response[str]:
    member = require_project(who)
    project_id = member.project.id
    params = request.query_params
    after, trace = params.get("after", ""), params.get("trace", "")
    cursor = Cursor.parse(after) if after else None
    async with runtime.db.read() as conn:
        found = await report_store.list_reports(
            conn, project_id, trace=as_stored(trace) if trace else "", after=cursor, size=PAGE_SIZE
        )
    view = ReportsView(
        reports=found.items,
        next=found.next,
        order=order,
        error=error,
        trace_id=trace,
        reviews=has_role(member, "reviewer"),
    )
    return page(request, "pages/reports.html", view, chrome_of(request, runtime, who), status=422 if error else 200)


@post("/reports", status_code=303, include_in_schema=False)
async def order(request: _Request, runtime: Runtime) -> Response[Any]:
    """Orders one about a range, and goes to where it will be."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    form = await read_form(request)
    asked = Order(
        kind=form.text("kind"),
        range=form.text("range"),
        first=form.text("from"),
        last=form.text("to"),
        title=form.text("title").strip()[: MAX_TITLE + 1],
        today_us=runtime.now_us(),
    )
    try:
        kind, from_us, to_us = asked.parse()
        check_audience(who, kind)
        report = await runtime.reports.ask(
            project_id, kind, by=who.user.email, from_us=from_us, to_us=to_us, title=runtime.kept(asked.title)
        )
    except Invalid as wrong:
        return await _reports(request, runtime, who, asked, str(wrong))
    await runtime.reports.wait(project_id, report.id, PATIENCE)
    return Redirect(f"/reports/{report.id}", status_code=303)


@post("/traces/{trace_id:str}/report", status_code=303, include_in_schema=False)
async def order_sheet(request: _Request, runtime: Runtime, trace_id: str) -> Redirect:
    """Orders a trace's sheet, and goes to where it will be."""
    who = await viewer(request, runtime)
    project_id = require_project(who).project.id
    report = await runtime.reports.ask(project_id, "trace", by=who.user.email, trace_id=as_stored(trace_id))
    await runtime.reports.wait(project_id, report.id, PATIENCE)
    return Redirect(f"/reports/{report.id}", status_code=303)


@get("/reports/{report_id:str}", include_in_schema=False)
async def report(request: _Request, runtime: Runtime, report_id: str) -> Response[str]:
    """One report: how far it is, or what is in it."""
    who = await viewer(request, runtime)
    member = require_project(who)
    found = await runtime.reports.report(member.project.id, report_id)
    check_audience(who, found.kind)
    document = await asyncio.to_thread(runtime.reports.files.read, found.id) if found.status == "done" else None
    view = ReportView(report=found, document=document, can_delete=has_role(member, "reviewer"))
    return page(request, "pages/report.html", view, chrome_of(request, runtime, who))


@get("/reports/{report_id:str}/pdf", include_in_schema=False)
async def pdf(request: _Request, runtime: Runtime, report_id: str) -> Response[Any]:
    """The file."""
    who = await viewer(request, runtime)
    found = await runtime.reports.report(require_project(who).project.id, report_id)
    check_audience(who, found.kind)
    return pdf_response(runtime, found)


@post("/reports/{report_id:str}/delete", status_code=303, include_in_schema=False)
async def delete(request: _Request, runtime: Runtime, report_id: str) -> Redirect:
    """For reviewers and owners."""
    who = await viewer(request, runtime)
    await runtime.reports.delete(require_role(who, "reviewer").project.id, report_id, who.user.email)
    return Redirect("/reports", status_code=303)


ROUTES = [reports, order, order_sheet, report, pdf, delete]
