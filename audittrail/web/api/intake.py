"""What every way in has in common: the key, a body bounded in size and time, decoding, storing, counting refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Literal

import msgspec
from litestar import Request

from audittrail.ingest.body import BodyLimits, read_body
from audittrail.ingest.formats import DECODERS, Format
from audittrail.ingest.pipeline import prepare
from audittrail.model.account import Key
from audittrail.model.batch import Batch, Fragment, Prepared, Refusal
from audittrail.model.errors import AuditTrailError, Invalid, TooLarge, Unavailable
from audittrail.runtime import Runtime
from audittrail.web.auth import agent_key

BODY_SECONDS = 10.0  # for the whole body: after that exporters have given up themselves
DRAIN_SECONDS = 5.0
# Above this a body is read in a process of its own: 32 KB are about 6 spans, or two milliseconds.
INLINE_BYTES = 32 << 10
DECODED_FACTOR = 4  # how much larger than as sent a body may be after decompression

_Request = Request[Any, Any, Any]
Signal = Literal["traces", "logs", "metrics"]


class Taken(msgspec.Struct, frozen=True):
    """What a request brought, all of it on disk but what is refused. Of log records: what they say, by span."""

    spans: tuple[Prepared, ...]
    refused: list[Refusal]
    stored: int


async def take(
    request: _Request, runtime: Runtime, format_for: Callable[[str], Format], signal: Signal = "traces"
) -> Taken:
    """Stores what a request brings; `format_for` is given its content type, and may raise UnsupportedMedia.

    Raises what the error is after counting it for the key's project and reading the body to its end.
    """
    key: Key | None = None
    runtime.receiving += 1
    try:
        key = await agent_key(request, runtime, "ingest")
        form = format_for(request.headers.get("content-type", ""))
        limit = runtime.settings.max_body_bytes
        body = await read_request(request, BodyLimits(limit, DECODED_FACTOR * limit), runtime.writer.admit)
        if len(body) > INLINE_BYTES:
            spans, refused = await runtime.reading.prepare(form, body)
        else:
            spans, refused = _prepared(runtime, form, body)
        if refused:
            runtime.writer.count_refused(key.project_id, signal, [r.reason for r in refused])
        late = await runtime.writer.submit(_batch(key.project_id, signal, spans))
    except Exception as error:
        if key is not None and isinstance(error, AuditTrailError):
            runtime.writer.count_refused_request(key.project_id, signal, str(error))
        await drain(request)
        raise
    finally:
        runtime.receiving -= 1
    return Taken(spans, refused + late, len(spans) - len(late))


def _batch(project_id: int, signal: Signal, spans: tuple[Prepared, ...]) -> Batch:
    if signal == "traces":
        return Batch(project_id, spans)
    return Batch(project_id, (), tuple(Fragment(s.row.trace_id, s.row.span_id, s.record) for s in spans))


def _prepared(runtime: Runtime, form: Format, body: bytes) -> tuple[tuple[Prepared, ...], list[Refusal]]:
    decoded = DECODERS[form](body)
    return prepare(decoded.records, runtime.redactor, runtime.constitution.rules), decoded.refused


async def read_request(request: _Request, limits: BodyLimits, admit: Callable[[int], None] | None = None) -> bytes:
    """The body, unpacked. `admit` is told the length that the client says, before anything is read.

    Raises TooLarge, UnsupportedMedia, Invalid, Unavailable when it is slow, or what `admit` raises.
    """
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limits.max_bytes:
        raise TooLarge(f"The body is over the limit of {limits.max_bytes >> 20} MiB per request; send less at once.")
    if admit is not None:
        admit(int(length) if length.isdigit() else 0)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await read_body(
                _chunks(request), encoding=request.headers.get("content-encoding", ""), limits=limits
            )
    except TimeoutError:
        raise Unavailable(f"The body did not arrive within {BODY_SECONDS:.0f} s.", 1) from None


async def drain(request: _Request) -> None:
    """Reads and forgets what is left of a refused body: a client that is still sending sees a reset, not our answer."""
    if getattr(request.state, "body_read", False):
        return
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in _chunks(request):
                pass
    except (TimeoutError, Invalid):
        return


async def _chunks(request: _Request) -> AsyncIterator[bytes]:
    while True:
        message: Any = await request.receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The client went away before its body was complete.")
        # Before it is handed on: whoever finds it bad does not come back for more, and nothing is left to be drained.
        last = request.state.body_read = not message["more_body"]
        yield message["body"]
        if last:
            return
