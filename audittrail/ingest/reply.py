"""What an OTLP client is told, in the encoding it spoke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from audittrail.model.batch import Refusal

Encoding = Literal["protobuf", "json"]

# Clients write the message to a log line: enough to find the fault, not every span of a batch of thousands.
_REASONS, _PLACES = 5, 3


def success(kind: Encoding, refused: Sequence[Refusal] = (), of: Literal["Spans", "LogRecords"] = "Spans") -> bytes:
    """The body of a 200: empty, or how many were refused and why. Clients do not send those again."""
    if kind == "protobuf":
        # The answers to traces and to logs differ in a field's name, and not on the wire.
        response = ExportTraceServiceResponse()
        if refused:
            response.partial_success.rejected_spans = len(refused)
            response.partial_success.error_message = explain(refused)
        body: bytes = response.SerializeToString()
        return body
    answer: dict[str, Any] = {}
    if refused:
        # 64-bit integers are text in protobuf's JSON mapping.
        answer = {"partialSuccess": {f"rejected{of}": str(len(refused)), "errorMessage": explain(refused)}}
    return msgspec.json.encode(answer)


def failure(kind: Encoding, code: int, message: str) -> bytes:
    """The body of a refusal: google.rpc.Status with one of its codes (3 invalid argument, 14 unavailable, …)."""
    if kind == "protobuf":
        status: bytes = Status(code=code, message=message).SerializeToString()
        return status
    return msgspec.json.encode({"code": code, "message": message})


def explain(refused: Sequence[Refusal]) -> str:
    """The refusals in words: each reason once, with the first places it was met at."""
    places: dict[str, list[str]] = {}
    for refusal in refused:
        places.setdefault(refusal.reason, []).append(refusal.where)
    parts = []
    for reason, where in list(places.items())[:_REASONS]:
        shown = ", ".join(where[:_PLACES])
        more = f" and {len(where) - _PLACES} more" if len(where) > _PLACES else ""
        parts.append(f"{shown}{more}: {reason}")
    others = sum(len(where) for where in list(places.values())[_REASONS:])
    if others:
        parts.append(f"{others} more for other reasons.")
    return " ".join(parts)
