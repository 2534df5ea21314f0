"""Ingest without OpenTelemetry, through a real server."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.http.otlp import spans_of
from tests.live import Server

New = Callable[[], str]
START = 1_795_000_000_000_000


def send(live: Server, path: str, body: Any, **headers: str) -> httpx.Response:
    with live.client() as client:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(
            f"/api/v1/ingest/{path}", content=content, headers={"Content-Type": "application/json"} | headers
        )


def run_of(trace: str) -> list[dict[str, Any]]:
    """An agent's run as it reports it: each step when it starts and again when it ends."""
    steps = [
        {"span_id": "00000000000000a1", "name": "clerk", "kind": "agent", "agent": "clerk", "session_id": "s-1"},
        {
            "span_id": "00000000000000a2",
            "parent_id": "00000000000000a1",
            "name": "chat",
            "kind": "llm",
            "model": "gpt-4o",
            "provider": "openai",
            "tokens": {"input": 1000, "output": 100, "cache_read": 400},
        },
        {
            "span_id": "00000000000000a3",
            "parent_id": "00000000000000a1",
            "name": "search",
            "kind": "tool",
            "tool": {"name": "search", "args": {"q": "x"}, "result": []},
        },
    ]
    started = [{"trace_id": trace, "started_us": START + i, **step} for i, step in enumerate(steps)]
    ended = [step | {"ended_us": START + 1_000_000 + i} for i, step in enumerate(started)]
    return [{k: v for k, v in step.items() if k != "tokens"} for step in started] + ended


@pytest.mark.parametrize("seed", range(4))
def test_steps_in_any_order_and_again_make_one_trace(live: Server, new_trace: New, seed: int) -> None:
    trace = new_trace()
    messages = run_of(trace) * 2
    random.Random(seed).shuffle(messages)
    for message in messages:
        answer = send(live, "spans", message)
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"accepted": 1, "rejected": [], "traces": [trace]}
    with live.client() as client:
        row = client.get(f"/api/v1/traces/{trace}").json()["data"]
    assert (row["span_count"], row["agent"], row["session_id"]) == (3, "clerk", "s-1")
    assert (row["input_tokens"], row["output_tokens"], row["llm_calls"], row["tool_calls"]) == (1000, 100, 1, 1)
    assert row["cost"] == "0.003", "600 tokens at 2.5, 400 at 1.25, 100 at 10 dollars a million"
    basis = {s["kind"]: s["cost_basis"] for s in spans_of(live, trace)}
    assert basis["llm"]["rates"] == {"input": "2.5", "cache_read": "1.25", "output": "10"}
    assert basis["agent"] is None


def test_a_trace_at_once(live: Server, new_trace: New) -> None:
    trace = new_trace()
    spans = [{k: v for k, v in step.items() if k != "trace_id"} for step in run_of(trace)[3:]]
    body = gzip.compress(json.dumps({"trace_id": trace, "end_user": "u-9", "spans": spans}).encode())
    answer = send(live, "traces", body, **{"Content-Encoding": "gzip"})
    assert answer.json() == {"accepted": 3, "rejected": [], "traces": [trace]}
    assert {s["end_user"] for s in spans_of(live, trace)} == {"u-9"}
    with live.browser() as browser:
        page = browser.get(f"/traces/{trace}", params={"span": "00000000000000a2"}).text
    assert "How the cost is known" in page
    assert "genai-prices" in page


def test_what_is_wrong_is_named_and_the_rest_is_kept(live: Server, new_trace: New) -> None:
    trace = new_trace()
    good = {"trace_id": trace, "span_id": "00000000000000a1", "started_us": START}
    answer = send(live, "spans", {"spans": [good, good | {"span_id": "no"}, {"kind": 5}]})
    assert answer.status_code == 200
    assert [r["where"] for r in answer.json()["rejected"]] == ["spans[1]", "spans[2].kind"]
    assert len(spans_of(live, trace)) == 1
    alone = send(live, "spans", good | {"kind": "wizard"})
    assert alone.status_code == 400
    assert alone.json()["accepted"] == 0


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"x", {"Content-Encoding": "br"}, 415),
        (bytes(17 << 20), {}, 413),
        (b"{}", {"Authorization": "Bearer sk-at-" + "0" * 40}, 401),
    ],
)
def test_a_request_that_cannot_be_taken_says_so(
    live: Server, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = send(live, "spans", body, **headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_every_field_is_described(live: Server) -> None:
    with live.client() as client:
        schema = client.get("/schema/openapi.json").json()
    spans = schema["paths"]["/api/v1/ingest/spans"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"$ref": "#/components/schemas/NativeSpan"} in spans["oneOf"]
    fields = set(schema["components"]["schemas"]["NativeSpan"]["properties"])
    assert {"trace_id", "kind", "tokens", "tool", "cost", "input", "output", "error", "events", "links"} <= fields
    assert "requestBody" in schema["paths"]["/v1/traces"]["post"]
