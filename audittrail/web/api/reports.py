"""Reports: ordered, waited for, downloaded as PDF, deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter

from audittrail.model.errors import Invalid
from audittrail.model.filters import PAGE_SIZE, Cursor, as_stored, check_size
from audittrail.model.human import microseconds
from audittrail.model.report import MAX_TITLE, MAX_WAIT, Report, ReportKind
from audittrail.runtime import Runtime
from audittrail.store import reports as report_store
from audittrail.web.api.bodies import Body, json_only
from audittrail.web.api.listing import Listing
from audittrail.web.auth import access, person, require_role
from audittrail.web.reports import check_audience, pdf_response

_Request = Request[Any, Any, Any]
_Wait = Annotated[float, Parameter(ge=0, le=MAX_WAIT, description="Seconds to wait while it has not ended.")]
_Moment = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339, with an offset: 2026-11-01T00:00:00Z.")]


class Ordered(Body, frozen=True):
    """A report: docs/reports.md. Of a trace it needs `trace_id`, of a range `from` and, not included, `to`."""

    kind: ReportKind
    from_: _Moment | None = msgspec.field(name="from", default=None)
    to: _Moment | None = None
    trace_id: Annotated[str, msgspec.Meta(max_length=64)] = ""
    title: Annotated[str, msgspec.Meta(max_length=MAX_TITLE)] = ""


@post("/api/v1/reports", status_code=202, guards=[json_only], tags=["report"], summary="Order a report")
async def order(request: _Request, runtime: Runtime, data: Ordered, wait: _Wait = 0) -> Response[Report]:
    """202 while it is being made, 200 when it has ended within `wait` seconds."""
    who = await access(request, runtime)
    check_audience(who.viewer, data.kind)
    if data.kind == "trace":
        if not data.trace_id:
            raise Invalid("Name the trace that the report is about, as `trace_id`.")
        asked: dict[str, Any] = {"trace_id": as_stored(data.trace_id)}
    elif data.trace_id:
        raise Invalid("A report of a range is about all traces: leave `trace_id` out, or ask for the kind “trace”.")
    elif data.from_ is None or data.to is None:
        raise Invalid("Say what time the report is about, as `from` and `to`.")
    else:
        asked = {"from_us": microseconds(data.from_), "to_us": microseconds(data.to)}
    report = await runtime.reports.ask(who.project_id, data.kind, by=who.name, title=runtime.kept(data.title), **asked)
    if wait:
        report = await runtime.reports.wait(who.project_id, report.id, wait)
    return Response(report, status_code=202 if report.open else 200)


@get("/api/v1/reports", tags=["report"], summary="List reports, newest first")
async def list_reports(
    request: _Request, runtime: Runtime, trace: str = "", after: str = "", limit: int = PAGE_SIZE
) -> Listing[Report]:
    """Of the project; about one trace, if one is named."""
    who = await access(request, runtime)
    check_size(limit)
    cursor = Cursor.parse(after) if after else None
    async with runtime.db.read() as conn:
        found = await report_store.list_reports(
            conn, who.project_id, trace=as_stored(trace) if trace else "", after=cursor, size=limit
        )
    return Listing(list(found.items), found.next)


@get("/api/v1/reports/{report_id:str}", tags=["report"], summary="How a report stands; may wait for its end")
async def get_report(request: _Request, runtime: Runtime, report_id: str, wait: _Wait = 0) -> Report:
    """Returns as soon as it is made or failed, or after `wait` seconds as it is."""
    who = await access(request, runtime)
    return await runtime.reports.wait(who.project_id, report_id, wait)


@get(
    "/api/v1/reports/{report_id:str}/pdf",
    tags=["report"],
    summary="A report as PDF",
    responses={200: ResponseSpec(bytes, media_type="application/pdf", description="The file.")},
)
async def get_pdf(request: _Request, runtime: Runtime, report_id: str) -> Response[Any]:
    """409 while it is not made."""
    who = await access(request, runtime)
    found = await runtime.reports.report(who.project_id, report_id)
    check_audience(who.viewer, found.kind)
    return pdf_response(runtime, found)


@delete("/api/v1/reports/{report_id:str}", tags=["report"], summary="Delete a report and its files")
async def delete_report(request: _Request, runtime: Runtime, report_id: str) -> None:
    """As a signed-in reviewer or owner."""
    who = await person(request, runtime)
    member = require_role(who, "reviewer")
    await runtime.reports.delete(member.project.id, report_id, who.user.email)


ROUTES = [order, list_reports, get_report, get_pdf, delete_report]
