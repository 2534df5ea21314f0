"""Ingest, exactly as OTLP/HTTP says (OpenTelemetry Protocol 1.x, section OTLP/HTTP)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Literal

from litestar import Request, Response, post

from audittrail.ingest import reply
from audittrail.ingest.body import BodyLimits, read_body
from audittrail.ingest.otlp import decode_json, decode_protobuf
from audittrail.ingest.pipeline import prepare
from audittrail.model.account import Key
from audittrail.model.batch import Batch, Prepared, Refusal
from audittrail.model.errors import AuditTrailError, Invalid, TooLarge, Unavailable, UnsupportedMedia
from audittrail.runtime import Runtime
from audittrail.web.auth import ingest_key
from audittrail.web.errors import explain

Encoding = Literal["protobuf", "json"]

MEDIA: dict[Encoding, str] = {"protobuf": "application/x-protobuf", "json": "application/json"}
BODY_SECONDS = 10.0  # for the whole body: after that exporters have given up themselves
DRAIN_SECONDS = 5.0
# Above this a body is decoded in a thread: 32 KB are about 6 spans, or half a millisecond.
INLINE_BYTES = 32 << 10
DECODED_FACTOR = 4  # how much larger than as sent a body may be after decompression
# google.rpc.Code of what we answer with.
CODES = {400: 3, 401: 16, 403: 7, 413: 8, 415: 3, 503: 14}


def encoding_of(content_type: str) -> Encoding:
    """The body's encoding; a charset parameter is allowed. Raises UnsupportedMedia."""
    name = content_type.partition(";")[0].strip().lower()
    if name == "application/x-protobuf":
        return "protobuf"
    if name == "application/json":
        return "json"
    raise UnsupportedMedia("Content-Type must be application/x-protobuf or application/json.")


def decode(encoding: Encoding, body: bytes) -> tuple[tuple[Prepared, ...], list[Refusal]]:
    """The spans of a body, ready to be stored, and those that cannot be."""
    decoded = decode_protobuf(body) if encoding == "protobuf" else decode_json(body)
    return prepare(decoded.records), decoded.refused


@post(
    ["/v1/traces", "/api/public/otel/v1/traces"],
    status_code=200,
    request_max_body_size=None,  # read_body has limits of its own, before and after decompression
    tags=["ingest"],
    summary="OTLP/HTTP traces, protobuf or JSON, gzip or deflate or plain",
)
async def traces(request: Request[Any, Any, Any], runtime: Runtime) -> Response[bytes]:
    """200 means: on disk. Spans that could not be taken are named in `partial_success`."""
    encoding: Encoding = "protobuf" if "protobuf" in request.headers.get("content-type", "") else "json"
    key: Key | None = None
    try:
        key = await ingest_key(request, runtime)
        encoding = encoding_of(request.headers.get("content-type", ""))
        body = await _body(request, runtime)
        if len(body) > INLINE_BYTES:
            async with runtime.decoding:
                spans, refused = await asyncio.to_thread(decode, encoding, body)
        else:
            spans, refused = decode(encoding, body)
        if refused:
            runtime.writer.count_refused(key.project_id, "traces", [r.reason for r in refused])
        refused += await runtime.writer.submit(Batch(key.project_id, spans))
    except Exception as error:  # noqa: BLE001 - an exporter cannot read a page; `explain` logs it under a reference
        if key is not None and isinstance(error, AuditTrailError):
            runtime.writer.count_refused_request(key.project_id, "traces", str(error))
        await _drain(request)
        return _failure(encoding, error)
    return Response(reply.success(encoding, refused), media_type=MEDIA[encoding])


async def _body(request: Request[Any, Any, Any], runtime: Runtime) -> bytes:
    limit = runtime.settings.max_body_bytes
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise TooLarge(f"The body is over the limit of {limit >> 20} MiB per request; send smaller batches.")
    runtime.writer.admit(int(length) if length.isdigit() else 0)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await read_body(
                _chunks(request),
                encoding=request.headers.get("content-encoding", ""),
                limits=BodyLimits(limit, DECODED_FACTOR * limit),
            )
    except TimeoutError:
        raise Unavailable(f"The body did not arrive within {BODY_SECONDS:.0f} s.", 1) from None


async def _chunks(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    while True:
        message: Any = await request.receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The client went away before its body was complete.")
        yield message["body"]
        if not message["more_body"]:
            request.state.body_read = True
            return


async def _drain(request: Request[Any, Any, Any]) -> None:
    """Reads and forgets what is left of a refused body: a client that is still sending sees a reset, not our answer."""
    if getattr(request.state, "body_read", False):
        return
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in _chunks(request):
                pass
    except (TimeoutError, Invalid):
        return


def _failure(encoding: Encoding, error: Exception) -> Response[bytes]:
    problem, headers = explain(error)
    body = reply.failure(encoding, CODES.get(problem.status, 2), problem.detail)
    return Response(body, media_type=MEDIA[encoding], status_code=problem.status, headers=headers)


ROUTES = [traces]
