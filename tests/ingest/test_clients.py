"""Bodies that real instrumentation libraries sent, decoded and understood as their expect.json says."""

import asyncio
import functools
import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from audittrail.ingest.body import read_body
from audittrail.ingest.normalise import normalise
from audittrail.ingest.otlp import Decoded, decode_json, decode_protobuf
from audittrail.model.errors import AuditTrailError
from audittrail.model.record import encode as encode_record
from audittrail.model.record import rank
from audittrail.model.span import Span

CLIENTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "clients"
MISSING = f"the captured client bodies are not beside the checkout ({CLIENTS.name})"

UNDERSTOOD = (
    "oi-",
    "otel-",
    "plain-",
    "strands-",
    "pydantic-",
    "retry-",
    "langfuse-",
    "vercel6-",
    "traceloop-",
    "mlflow-",
    "langsmith-",
)
# Their messages travel beside the spans, as log records.
NOT_TRACES = ("plain-js-json-logs", "plain-js-json-metrics", "plain-py-logs", "plain-py-metrics")


def names(*prefixes: str) -> list[str]:
    if not CLIENTS.is_dir():
        return []
    return sorted(
        p.name for p in CLIENTS.iterdir() if p.is_dir() and p.name.startswith(prefixes) and p.name not in NOT_TRACES
    )


@pytest.fixture(scope="module", autouse=True)
def bodies_are_here() -> None:
    if not CLIENTS.is_dir():
        pytest.skip(MISSING)


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 1000):
        yield data[at : at + 1000]


def send(request: Path) -> Decoded | None:
    """What a server makes of one captured request; None where it is not about traces."""
    meta = json.loads((request / "meta.json").read_text())
    if not meta["path"].endswith("/v1/traces"):
        return None
    headers = {name.lower(): value for name, value in meta["headers"]}
    packed = (request / "body.bin").read_bytes()
    body = asyncio.run(read_body(_chunks(packed), encoding=headers.get("content-encoding", "")))
    decode = decode_json if headers["content-type"].startswith("application/json") else decode_protobuf
    return decode(body)


@functools.cache
def understood(name: str) -> dict[tuple[str, str], Span]:
    versions: dict[tuple[str, str], list] = {}
    for request in sorted(p for p in (CLIENTS / name).iterdir() if p.is_dir()):
        decoded = send(request)
        for record in decoded.records if decoded else ():
            versions.setdefault((record.trace_id, record.span_id), []).append(record)
    return {key: normalise(max(found, key=lambda r: rank(r, encode_record(r)))) for key, found in versions.items()}


def expectation(name: str) -> dict:
    return json.loads((CLIENTS / name / "expect.json").read_text())


def faults(want: dict, span: Span | None) -> list[str]:
    """What of an expected span is not as it should be."""
    if span is None:
        return ["absent"]
    out = []
    if span.kind not in [want["kind"], *want.get("kind_also_acceptable", [])]:
        out.append(f"kind {span.kind} for {want['kind']}")
    if "model" in want and want["model"] not in (span.model or ""):
        out.append(f"model {span.model} for {want['model']}")
    tokens = want.get("tokens") or {}
    for ours, theirs in (
        ("input", "input"),
        ("output", "output"),
        ("cache_read", "cached"),
        ("reasoning", "reasoning"),
    ):
        if theirs in tokens and getattr(span.tokens, ours) != tokens[theirs]:
            out.append(f"{ours} {getattr(span.tokens, ours)} for {tokens[theirs]}")
    if "tool_name" in want and (span.tool is None or span.tool.name != want["tool_name"]):
        out.append(f"tool {span.tool} for {want['tool_name']}")
    if "tool_args" in want and (span.tool is None or span.tool.args != want["tool_args"]):
        out.append(f"args {span.tool and span.tool.args} for {want['tool_args']}")
    if want["error"] != (span.status == "error"):
        out.append(f"status {span.status}, error {want['error']}")
    if want.get("error_message") and (span.error is None or want["error_message"] not in span.error.message):
        out.append(f"error {span.error} for {want['error_message']}")
    shown = msgspec.json.encode([span.input, span.output, span.tool]).decode()
    for side, value in (("prompt", span.input), ("completion", span.output)):
        snippet = (want.get(side) or {}).get("snippet")
        text = msgspec.json.encode([value, span.tool]).decode()
        if snippet and snippet.split("@")[0][:24] not in text:
            out.append(f"{side} lacks {snippet[:24]!r} in {text[:200]}")
    for side in ("input", "output"):
        payload = (
            getattr(span, side) if span.tool is None else getattr(span.tool, "args" if side == "input" else "result")
        )
        if want.get(f"{side}_present") is True and payload is None and getattr(span, side) is None:
            out.append(f"{side} is not there: {shown[:200]}")
    return out


def case_faults(name: str) -> list[str]:
    want, spans = expectation(name), understood(name)
    out = [] if len(spans) == want["spans"] else [f"{len(spans)} spans of {want['spans']}"]
    for x in want["expected_spans"]:
        span = spans.get((x["trace_id"], x["span_id"]))
        out += [f"{x['name']}: {fault}" for fault in faults(x, span)]
    for trace, identity in want["trace_identity"].items():
        roots = [
            s
            for s in spans.values()
            if s.trace_id == trace and (s.parent_id is None or (trace, s.parent_id) not in spans)
        ]
        every = sorted((s for s in spans.values() if s.trace_id == trace), key=lambda s: s.started_us)
        for ours, theirs in (("session_id", "session_id"), ("end_user", "user_id")):
            found = next((v for s in [*roots, *every] if (v := getattr(s, ours)) is not None), None)
            if found != identity[theirs]:
                out.append(f"trace {trace}: {ours} {found} for {identity[theirs]}")
    return out


@pytest.mark.parametrize("name", names(*UNDERSTOOD))
def test_a_client_is_understood(name: str) -> None:
    assert case_faults(name) == []


@pytest.mark.parametrize("name", names(""))
def test_no_body_of_any_client_breaks_the_reading(name: str) -> None:
    """Also those whose dialect is not known yet: all their spans come out, and nothing of them is lost."""
    want = expectation(name)
    if name.startswith("crafted-") or "expected_spans" not in want:
        return
    spans = understood(name)
    assert {(x["trace_id"], x["span_id"]) for x in want["expected_spans"]} == set(spans)


@pytest.mark.parametrize("name", [n for n in names("crafted-") if n != "crafted-type-missing"])
def test_a_crafted_body_is_answered_as_it_should(name: str) -> None:
    want = expectation(name)
    statuses = want.get("status_any_of") or [want["status"]]
    try:
        decoded = send(CLIENTS / name / "001")
    except AuditTrailError as error:
        status = {"Invalid": 400, "UnsupportedMedia": 415}[type(error).__name__]
        assert status in statuses
        return
    assert decoded is not None
    assert 200 in statuses
    distinct = {(r.trace_id, r.span_id) for r in decoded.records}
    assert len(distinct) in (want.get("spans_any_of") or [want["spans"]])
    assert len(decoded.refused) == want.get("rejected_spans", len(decoded.refused))
    if "trace_id" in want:
        assert decoded.records[0].trace_id == want["trace_id"]
    assert all(normalise(record).trace_id == record.trace_id for record in decoded.records)
