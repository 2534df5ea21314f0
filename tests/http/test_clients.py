"""What real libraries sent, through a real server, understood as their expectations say; on both databases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.http.otlp import spans_of
from tests.live import ROOT, Server

CLIENTS = ROOT.parent / "shared" / "data" / "clients"
# What is understood is compared with what was sent, e-mail addresses of end users included.
SETTINGS = {"AUDITTRAIL_PII_REDACTION_ENABLED": "false"}
PATHS = tuple(f"{base}/{signal}" for base in ("/v1", "/api/public/otel/v1") for signal in ("traces", "logs", "metrics"))
CASES = sorted(p.parent for p in CLIENTS.glob("*/expect.json"))


def test_the_bodies_are_there() -> None:
    if not CLIENTS.is_dir():
        pytest.skip("the captured bodies are not beside the checkout (../shared/data/clients)")
    assert len(CASES) > 60


def headers_of(meta: dict[str, Any], key: str) -> dict[str, str]:
    kept = ("content-type", "content-encoding")
    return {k: v for k, v in meta["headers"] if k.lower() in kept} | {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("case", CASES, ids=lambda p: p.name)
def test_every_expectation_is_met(live: Server, case: Path) -> None:
    want = json.loads((case / "expect.json").read_text())
    statuses = []
    with live.client() as client:
        for path in sorted(case.glob("*/meta.json")):
            meta = json.loads(path.read_text())
            if meta["path"] not in PATHS:
                continue
            body = (path.parent / "body.bin").read_bytes()
            answer = client.request(meta["method"], meta["path"], content=body, headers=headers_of(meta, live.key))
            statuses.append(answer.status_code)
    if case.name.startswith("crafted-"):
        assert set(statuses) <= set(want.get("status_any_of") or [want["status"]])
        return
    assert set(statuses) <= {200}
    found = {}
    for trace in {x["trace_id"] for x in want["expected_spans"]}:
        found |= {(s["trace_id"], s["span_id"]): s for s in spans_of(live, trace)}
    assert len(found) == want["spans"]
    for expected in want["expected_spans"]:
        check(found[expected["trace_id"], expected["span_id"]], expected)
    with live.client() as client:
        for trace, identity in want.get("trace_identity", {}).items():
            row = client.get(f"/api/v1/traces/{trace}").json()["data"]
            assert row["session_id"] == identity["session_id"]
            assert row["end_user"] == identity["user_id"]
        if "totals_without_double_counting" in want:
            traces = {x["trace_id"] for x in want["expected_spans"]}
            rows = [client.get(f"/api/v1/traces/{trace}").json()["data"] for trace in traces]
            totals = want["totals_without_double_counting"]
            assert sum(r["input_tokens"] or 0 for r in rows) == totals["input"]
            assert sum(r["output_tokens"] or 0 for r in rows) == totals["output"]
            assert sum(r["llm_calls"] for r in rows) == totals["llm_calls"]


def check(span: dict[str, Any], want: dict[str, Any]) -> None:
    """One span against what its library meant."""
    name = want["name"]
    assert span["name"] == name
    assert span["kind"] in [want["kind"], *want.get("kind_also_acceptable", [])], name
    assert span["parent_id"] == want.get("parent_span_id"), name
    assert span["started_us"] == want["start_unix_nano"] // 1000, name
    # A clock that went back: the span ends where it starts, and says so in its notes.
    assert span["ended_us"] == max(want["start_unix_nano"], want["end_unix_nano"]) // 1000, name
    assert (span["status"] == "error") == want["error"], name
    if "model" in want:
        assert want["model"] in (span["model"] or ""), name
    pairs = (("input", "input"), ("output", "output"), ("cache_read", "cached"), ("reasoning", "reasoning"))
    for ours, theirs in pairs:
        if theirs in want.get("tokens", {}):
            assert span["tokens"][ours] == want["tokens"][theirs], (name, ours)
    tool = span["tool"] or {}
    if "tool_name" in want:
        assert tool.get("name") == want["tool_name"], name
    if "tool_args" in want:
        assert tool.get("args") == want["tool_args"], name
    if want.get("error_message"):
        assert want["error_message"] in "\n".join(span["error"].values()), name
    said = {side: json.dumps([span[side], tool], ensure_ascii=False) for side in ("input", "output")}
    for theirs, ours in (("prompt", "input"), ("completion", "output")):
        snippet = want.get(theirs, {}).get("snippet")
        if snippet:
            assert snippet[:24] in said[ours], (name, ours)
