"""Ingest, exactly as OTLP/HTTP says (OpenTelemetry Protocol 1.x, section OTLP/HTTP)."""

from __future__ import annotations

from typing import Any, Literal

from litestar import Request, Response, post

from audittrail.ingest import reply
from audittrail.ingest.body import BodyLimits
from audittrail.ingest.formats import Format
from audittrail.ingest.otlp import IGNORED
from audittrail.model.errors import UnsupportedMedia
from audittrail.runtime import Runtime
from audittrail.web.api.intake import DECODED_FACTOR, drain, read_request, take
from audittrail.web.auth import agent_key
from audittrail.web.errors import explain

Encoding = Literal["protobuf", "json"]

MEDIA: dict[Encoding, str] = {"protobuf": "application/x-protobuf", "json": "application/json"}
# google.rpc.Code of what we answer with.
CODES = {400: 3, 401: 16, 403: 7, 413: 8, 415: 3, 429: 8, 503: 14}
# The second is where Langfuse's SDK posts.
BASES = ("/v1", "/api/public/otel/v1")
PATHS = tuple(f"{base}/{signal}" for base in BASES for signal in ("traces", "logs", "metrics"))
METRICS_IGNORED = "ignored: metrics are not kept"


def format_for(content_type: str) -> Format:
    """Of the body's encoding; a charset parameter is allowed. Raises UnsupportedMedia."""
    name = content_type.partition(";")[0].strip().lower()
    if name == "application/x-protobuf":
        return "otlp-protobuf"
    if name == "application/json":
        return "otlp-json"
    raise UnsupportedMedia("Content-Type must be application/x-protobuf or application/json.")


@post(
    [f"{base}/traces" for base in BASES],
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


def logs_format_for(content_type: str) -> Format:
    """The same for log records."""
    return "otlp-protobuf-logs" if format_for(content_type) == "otlp-protobuf" else "otlp-json-logs"


@post(
    [f"{base}/logs" for base in BASES],
    status_code=200,
    request_max_body_size=None,
    tags=["ingest"],
    summary="OTLP/HTTP log records: messages of model calls are joined to their spans, others counted as ignored",
)
async def logs(request: Request[Any, Any, Any], runtime: Runtime) -> Response[bytes]:
    """200 means: on disk. They are part of their span within seconds, or as soon as it comes within a day."""
    try:
        taken = await take(request, runtime, logs_format_for, "logs")
    except Exception as error:  # noqa: BLE001 - as above
        return failure(request, error)
    runtime.joining.ring()
    encoding = _encoding(request)
    refused = [one for one in taken.refused if one.reason != IGNORED]
    return Response(reply.success(encoding, refused, "LogRecords"), media_type=MEDIA[encoding])


@post(
    [f"{base}/metrics" for base in BASES],
    status_code=200,
    request_max_body_size=None,
    tags=["ingest"],
    summary="OTLP/HTTP metrics: accepted, so that no client complains, and counted as ignored",
)
async def metrics(request: Request[Any, Any, Any], runtime: Runtime) -> Response[bytes]:
    """Nothing of them is kept."""
    try:
        key = await agent_key(request, runtime, "ingest")
        limit = runtime.settings.max_body_bytes
        await read_request(request, BodyLimits(limit, DECODED_FACTOR * limit))
    except Exception as error:  # noqa: BLE001 - as above
        await drain(request)
        return failure(request, error)
    runtime.writer.count_refused_request(key.project_id, "metrics", METRICS_IGNORED)
    encoding = _encoding(request)
    return Response(reply.success(encoding), media_type=MEDIA[encoding])


def _encoding(request: Request[Any, Any, Any]) -> Encoding:
    return "protobuf" if "protobuf" in request.headers.get("content-type", "") else "json"


def failure(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """google.rpc.Status in the request's own encoding."""
    encoding = _encoding(request)
    problem, headers = explain(error)
    body = reply.failure(encoding, CODES.get(problem.status, 2), problem.detail)
    return Response(body, media_type=MEDIA[encoding], status_code=problem.status, headers=headers)


ROUTES = [traces, logs, metrics]
