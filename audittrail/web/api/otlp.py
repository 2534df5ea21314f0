"""Ingest, exactly as OTLP/HTTP says (OpenTelemetry Protocol 1.x, section OTLP/HTTP)."""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, Response, post

from audittrail.ingest import reply
from audittrail.ingest.formats import Format
from audittrail.model.errors import UnsupportedMedia
from audittrail.runtime import Runtime
from audittrail.web.api.intake import take
from audittrail.web.errors import explain

Encoding = Literal["protobuf", "json"]

MEDIA: dict[Encoding, str] = {"protobuf": "application/x-protobuf", "json": "application/json"}
# google.rpc.Code of what we answer with.
CODES = {400: 3, 401: 16, 403: 7, 413: 8, 415: 3, 429: 8, 503: 14}
PATHS = ("/v1/traces", "/api/public/otel/v1/traces")


def format_for(content_type: str) -> Format:
    """Of the body's encoding; a charset parameter is allowed. Raises UnsupportedMedia."""
    name = content_type.partition(";")[0].strip().lower()
    if name == "application/x-protobuf":
        return "otlp-protobuf"
    if name == "application/json":
        return "otlp-json"
    raise UnsupportedMedia("Content-Type must be application/x-protobuf or application/json.")


@post(
    list(PATHS),
    status_code=200,
    request_max_body_size=None,  # `take` has limits of its own, before and after decompression
    tags=["ingest"],
    summary="OTLP/HTTP traces, protobuf or JSON, gzip or deflate or plain",
)
async def traces(request: Request[Any, Any, Any], runtime: Runtime) -> Response[bytes]:
    """200 means: on disk. Spans that could not be taken are named in `partial_success`."""
    try:
        taken = await take(request, runtime, format_for)
    except Exception as error:  # noqa: BLE001 - an exporter cannot read a page; `explain` logs it under a reference
        return failure(request, error)
    encoding = _encoding(request)
    return Response(reply.success(encoding, taken.refused), media_type=MEDIA[encoding])


def _encoding(request: Request[Any, Any, Any]) -> Encoding:
    return "protobuf" if "protobuf" in request.headers.get("content-type", "") else "json"


def failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """google.rpc.Status in the request's own encoding."""
    encoding = _encoding(request)
    problem, headers = explain(error)
    body = reply.failure(encoding, CODES.get(problem.status, 2), problem.detail)
    return Response(body, media_type=MEDIA[encoding], status_code=problem.status, headers=headers)


ROUTES = [traces]
