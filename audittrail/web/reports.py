"""Who sees a report, and its PDF as an answer: for programs and for people alike."""

from __future__ import annotations

import re
from typing import Any

from litestar import Response
from litestar.response import File

from audittrail.model import human
from audittrail.model.account import Viewer
from audittrail.model.errors import Conflict, NotFound
from audittrail.model.report import Report, ReportKind
from audittrail.runtime import Runtime
from audittrail.web.auth import require_role


def check_audience(who: Viewer | None, kind: ReportKind) -> None:
    """An audit holds the project's part of the activity log, which its viewers do not see. None: a key, which does.

    Raises Forbidden.
    """
    if who is not None and kind == "audit":
        require_role(who, "reviewer")


def file_name(report: Report) -> str:
    """`audit-2026-11-01-0a1b2c3d.pdf`: of letters, digits and hyphens, whatever the title is."""
    about = report.trace_id[:12] if report.trace_id else human.iso(report.from_us)[:10]
    return re.sub(r"[^a-z0-9-]", "", f"{report.kind}-{about}-{report.id[4:12]}") + ".pdf"


def pdf_response(runtime: Runtime, report: Report) -> Response[Any]:
    """Raises Conflict while it is not made, and NotFound where its file is not there."""
    if report.status == "failed":
        raise Conflict(f"This report could not be made, so there is no PDF: {report.error}")
    if report.open:
        raise Conflict("This report is still being made. Ask again when its status is “done”, or wait with ?wait=.")
    path = runtime.reports.files.pdf(report.id)
    if not path.is_file():
        raise NotFound(
            "The report's file is not in this server's data folder. It may have been removed there, or be on another"
            " server; make the report again."
        )
    return File(
        path=path,
        filename=file_name(report),
        media_type="application/pdf",
        content_disposition_type="attachment",
    )
