"""Requests as exporters make them, and answers as they read them."""

from __future__ import annotations

from typing import Any

import httpx
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.live import Server

PROTOBUF = "application/x-protobuf"
START = 1_795_000_000_000_000_000


def span(trace: str, number: int = 1, **fields: Any) -> Span:
    """A span of one second; fields over it."""
    values: dict[str, Any] = {
        "trace_id": bytes.fromhex(trace),
        "span_id": number.to_bytes(8, "big"),
        "name": f"step {number}",
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + 1_000_000_000,
    }
    return Span(**(values | fields))


def attribute(one: Span, key: str, value: Any) -> Span:
    """The span with one attribute more."""
    added = one.attributes.add(key=key)
    kind = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value", bytes: "bytes_value"}[
        type(value)
    ]
    setattr(added.value, kind, value)
    return one


def request(*spans: Span) -> bytes:
    """The body of an export."""
    body = ExportTraceServiceRequest()
    body.resource_spans.add().scope_spans.add().spans.extend(spans)
    return body.SerializeToString()


def export(server: Server, body: Any, **headers: str) -> httpx.Response:
    """Posts a body; protobuf unless told otherwise. Header names take underscores."""
    sent = {"Content-Type": PROTOBUF, "Authorization": f"Bearer {server.key}"}
    sent |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    with httpx.Client(trust_env=False, verify=False, timeout=60) as client:
        return client.post(server.url + "/v1/traces", content=body, headers={k: v for k, v in sent.items() if v})


def partial(answer: httpx.Response) -> tuple[int, str]:
    """(rejected spans, message) of a protobuf success."""
    assert answer.status_code == 200, f"{answer.status_code} {answer.content[:300]!r}"
    assert answer.headers["content-type"] == PROTOBUF
    said = ExportTraceServiceResponse.FromString(answer.content).partial_success
    return said.rejected_spans, said.error_message


def failure(answer: httpx.Response) -> tuple[int, str]:
    """(HTTP status, message) of a google.rpc.Status in protobuf."""
    assert answer.headers["content-type"] == PROTOBUF
    status = Status.FromString(answer.content)
    assert status.message
    assert status.code
    return answer.status_code, status.message


def spans_of(server: Server, trace_id: str) -> list[dict[str, Any]]:
    """All spans of a trace as the API gives them; [] where there is no such trace."""
    found: list[dict[str, Any]] = []
    after = ""
    with server.client() as client:
        while True:
            answer = client.get(
                f"/api/v1/traces/{trace_id}/spans", params={"after": after, "limit": 500} if after else {}
            )
            if answer.status_code == 404:
                return found
            assert answer.status_code == 200, answer.text[:300]
            found += answer.json()["data"]
            after = answer.json()["next"]
            if not after:
                return found
