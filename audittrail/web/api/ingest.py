"""Ingest without OpenTelemetry: AuditTrail's own JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, post

from audittrail.ingest.formats import Format
from audittrail.model.errors import UnsupportedMedia
from audittrail.runtime import Runtime
from audittrail.web.api.intake import take

_Request = Request[Any, Any, Any]


class Rejected(msgspec.Struct, frozen=True):
    """A span that was not stored, and why."""

    where: str  # spans[2].tokens.input
    reason: str


class Accepted(msgspec.Struct, frozen=True):
    """What is on disk now, and what is not."""

    accepted: int
    rejected: list[Rejected]
    traces: list[str]  # their ids, as stored


async def _take(request: _Request, runtime: Runtime, form: Format) -> Response[Accepted]:
    def format_for(content_type: str) -> Format:
        if content_type.partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMedia("Content-Type must be application/json.")
        return form

    taken = await take(request, runtime, format_for)
    rejected = [Rejected(r.where, r.reason) for r in taken.refused]
    answer = Accepted(taken.stored, rejected, list(dict.fromkeys(span.row.trace_id for span in taken.spans)))
    # A client that looks at the status alone must see when nothing was stored.
    return Response(answer, status_code=400 if rejected and not taken.stored else 200)


@post(
    "/api/v1/ingest/spans",
    status_code=200,
    request_max_body_size=None,
    tags=["ingest"],
    summary="Spans, one by one or many, as they start and again as they end",
)
async def ingest_spans(request: _Request, runtime: Runtime) -> Response[Accepted]:
    """A span, a list of spans, or {"spans": […]}. 200 means: what is not under `rejected` is on disk."""
    return await _take(request, runtime, "native-spans")


@post(
    "/api/v1/ingest/traces",
    status_code=200,
    request_max_body_size=None,
    tags=["ingest"],
    summary="A trace with its spans",
)
async def ingest_traces(request: _Request, runtime: Runtime) -> Response[Accepted]:
    """{"trace_id": …, "spans": […]}; its session, end user and agent hold for the spans that do not say."""
    return await _take(request, runtime, "native-trace")


ROUTES = [ingest_spans, ingest_traces]
