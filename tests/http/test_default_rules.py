"""The six rules that come with AuditTrail, through a real server: what they find, and the near miss that they leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.live import Server

START = 1_795_000_000_000_000
LONG = "Customer records may be kept for 24 months after the last order, and are then to be deleted within a month."


def step(kind: str, **more: Any) -> dict[str, Any]:
    return {"name": "a step", "kind": kind, "started_us": START, "ended_us": START + 1_000_000} | more


def tool(name: str, args: Any, **more: Any) -> dict[str, Any]:
    return step("tool", tool={"name": name, "args": args}, **more)


def answer(text: str) -> dict[str, Any]:
    searched = {
        "role": "assistant",
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "search_docs"}}],
    }
    found = {"role": "tool", "tool_call_id": "c1", "name": "search_docs", "content": "Records are kept for 24 months."}
    asked = [{"role": "user", "content": "How long may records be kept?"}, searched, found]
    return step("llm", model="gpt-4o", input=asked, output=[{"role": "assistant", "content": text}])


# The rule, the outcome, steps that it is about, and steps that only look like it.
CASES: dict[str, tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = {
    "bulk-delete-prevention": (
        "violation",
        [tool("run_sql", {"sql": "DELETE FROM customers"})],
        [tool("delete_records", {"table": "customers", "count": 100})],
    ),
    "cite-sources": ("warning", [answer(LONG)], [answer(LONG + " [1]")]),
    "cost-guard": (
        "violation",
        [step("llm", model="x", cost="3.00"), step("llm", model="x", cost="2.01")],
        [step("llm", model="x", cost="3.00"), step("llm", model="x", cost="2.00")],
    ),
    "latency-slo": (
        "warning",
        [tool("look", {}, ended_us=START + 30_001_000)],
        [tool("look", {}, ended_us=START + 30_000_000)],
    ),
    "pii-guard": (
        "warning",
        [tool("pay", {"card": "4111 1111 1111 1111"})],
        [tool("pay", {"card": "4111 1111 1111 1112"})],
    ),
    "token-budget": (
        "warning",
        [step("llm", model="x", tokens={"input": 400_000}), step("llm", model="x", tokens={"input": 100_001})],
        [step("llm", model="x", tokens={"input": 400_000}), step("llm", model="x", tokens={"input": 100_000})],
    ),
}


def found_by(live: Server, rule: str, trace: str, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    spans = [{"trace_id": trace, "span_id": f"{n:016x}"} | each for n, each in enumerate(steps, 1)]
    with live.client() as client:
        for span in reversed(spans):
            answered = client.post("/api/v1/ingest/spans", json=span).json()
            assert answered["rejected"] == [], answered
        found: list[dict[str, Any]] = client.get("/api/v1/violations", params={"trace": trace, "rule": rule}).json()[
            "data"
        ]
    return found


@pytest.mark.parametrize("rule", list(CASES))
def test_it_finds_what_it_is_for_and_leaves_the_near_miss(
    live: Server, new_trace: Callable[[], str], rule: str
) -> None:
    outcome, violating, passing = CASES[rule]
    (one,) = found_by(live, rule, new_trace(), violating)
    assert (one["outcome"], one["status"], one["mode"]) == (outcome, "open", "enforce")
    assert one["message"]
    assert one["values"]
    assert one["evidence"]
    assert one["controls"]
    assert found_by(live, rule, new_trace(), passing) == []


def test_together_they_leave_an_ordinary_run_alone(live: Server, new_trace: Callable[[], str]) -> None:
    trace = new_trace()
    steps = [steps[0] for _, _, steps in CASES.values()]
    assert found_by(live, "", trace, steps) == []
    with live.client() as client:
        rules = {rule["id"]: rule["counts"] for rule in client.get("/api/v1/rules").json()["data"]}
    assert set(rules) == set(CASES)
    assert all(counts["passed"] > 0 for counts in rules.values()), rules
