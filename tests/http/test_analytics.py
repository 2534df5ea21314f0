"""The API of the overview's numbers, sessions and agents, through a real server on each database."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.browser.site import command
from tests.live import Server

New = Callable[[], str]
PATHS = (
    "/api/v1/analytics/summary",
    "/api/v1/analytics/series",
    "/api/v1/analytics/breakdown?by=agent",
    "/api/v1/sessions",
    "/api/v1/agents",
)


def key_of(server: Server, project: str, *scopes: str) -> str:
    """A new key's secret; the project is made where there is none."""
    if project not in command(server, "project", "list"):
        command(server, "project", "add", project, "--owner", server.email)
    asked = [part for scope in scopes for part in ("--scope", scope)]
    return command(server, "key", "create", "test", "--project", project, *asked).split()[-1]


def client(server: Server, key: str) -> httpx.Client:
    return httpx.Client(
        base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False, verify=False
    )


def run(trace: str, agent: str, ago_s: float, *, failed: bool = False, session: str = "") -> list[dict[str, Any]]:
    """An agent's run of two seconds: a model's call of one, a tool's of half."""
    at = int((time.time() - ago_s) * 1e6)
    root = {"name": "run", "kind": "agent", "agent": agent, "started_us": at, "ended_us": at + 2_000_000}
    root |= {"status": "error"} if failed else {}
    root |= {"session_id": session, "input": f"ask {agent}", "output": "done"} if session else {}
    model = {"name": "chat", "kind": "llm", "model": "gpt-4o", "provider": "openai"}
    model |= {"tokens": {"input": 1000, "output": 100}, "started_us": at, "ended_us": at + 1_000_000}
    tool = {"name": "look", "kind": "tool", "tool": {"name": "look"}, "started_us": at, "ended_us": at + 500_000}
    return [
        {"trace_id": trace, "span_id": f"{n:016x}", **({"parent_id": f"{1:016x}"} if n > 1 else {}), **one}
        for n, one in enumerate((root, model, tool), 1)
    ]


def send(api: httpx.Client, *spans: dict[str, Any]) -> None:
    answer = api.post("/api/v1/ingest/spans", json=list(spans))
    assert (answer.status_code, answer.json()["rejected"]) == (200, []), answer.text


def get(api: httpx.Client, path: str, **params: Any) -> Any:
    answer = api.get(path, params=params or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def settled(api: httpx.Client, count: int) -> dict[str, Any]:
    """The summary, once so many traces have settled."""
    deadline = time.monotonic() + 20
    while True:
        summary: dict[str, Any] = get(api, "/api/v1/analytics/summary")["data"]
        if summary["ended"] == count:
            return summary
        assert time.monotonic() < deadline, summary
        time.sleep(0.2)


def test_what_was_sent_is_counted_and_only_in_its_project(live: Server, new_trace: New) -> None:
    with (
        client(live, key_of(live, "counted", "ingest", "read")) as api,
        client(live, key_of(live, "other", "ingest", "read")) as other,
    ):
        assert get(api, "/api/v1/analytics/summary")["data"]["traces"] == 0
        assert get(api, "/api/v1/analytics/summary")["data"]["error_rate"] is None
        ids = [new_trace() for _ in range(5)]
        ages = (60, 600, 7_200, 3 * 86_400, 20 * 86_400)
        for n, (trace, age) in enumerate(zip(ids, ages, strict=True)):
            send(api, *run(trace, f"agent {n % 2}", age, failed=n == 1))
        send(other, *run(new_trace(), "secret", 60, session="of another"))

        summary = settled(api, 3)
        assert (summary["range"], summary["traces"], summary["errors"]) == ("24h", 3, 1)
        assert summary["error_rate"] == pytest.approx(1 / 3)
        assert (summary["input_tokens"], summary["output_tokens"]) == (3_000, 300)
        assert summary["average_us"] == 2_000_000
        assert summary["p95_us"] == pytest.approx(2_000_000, rel=1 / 32)
        rows = get(api, "/api/v1/traces", range="24h")["data"]
        assert Decimal(summary["cost"]) == sum(Decimal(row["cost"]) for row in rows)
        assert (summary["violations"], summary["pending_approvals"], summary["unpriced_calls"]) == (0, 0, 0)

        for range_, count, steps in (("1h", 2, 13), ("24h", 3, 25), ("7d", 4, 29), ("30d", 5, 31)):
            assert get(api, "/api/v1/analytics/summary", range=range_)["data"]["traces"] == count
            series = get(api, "/api/v1/analytics/series", range=range_)
            assert series["next"] is None
            assert len(series["data"]) in (steps, steps - 1)  # a range that begins on a step has one less
            assert sum(step["traces"] for step in series["data"]) == count
            agents = get(api, "/api/v1/analytics/breakdown", by="agent", range=range_)["data"]
            assert sum(one["calls"] for one in agents) == count
        (model,) = get(api, "/api/v1/analytics/breakdown", by="model")["data"]
        assert (model["name"], model["calls"], model["average_us"]) == ("gpt-4o", 3, 1_000_000)
        assert Decimal(model["cost"]) == Decimal(summary["cost"])
        (tool,) = get(api, "/api/v1/analytics/breakdown", by="tool")["data"]
        assert (tool["name"], tool["calls"], tool["cost"], tool["input_tokens"]) == ("look", 3, None, None)
        two = get(api, "/api/v1/analytics/breakdown", by="agent", range="30d", limit=1)["data"]
        assert [one["name"] for one in two] == ["agent 0"]

        names = [row["agent"] for row in get(api, "/api/v1/agents")["data"]]
        assert names == ["agent 0", "agent 1"]
        assert get(api, "/api/v1/sessions") == {"data": [], "next": None}
        (theirs,) = get(other, "/api/v1/sessions")["data"]
        assert (theirs["session_id"], theirs["traces"]) == ("of another", 1)


def test_sessions_and_agents_page_by_page(live: Server, new_trace: New) -> None:
    with client(live, key_of(live, "paged", "ingest", "read")) as api:
        for n in range(7):
            send(api, *run(new_trace(), f"agent {n % 4}", 1_000 - n, session=f"session {n % 4}", failed=n == 2))
        settled(api, 7)
        for path, field, expected in (
            ("/api/v1/sessions", "session_id", ["session 2", "session 1", "session 0", "session 3"]),
            ("/api/v1/agents", "agent", [f"agent {n}" for n in range(4)]),
        ):
            found: list[dict[str, Any]] = []
            after = ""
            while True:
                page = get(api, path, limit=3, after=after)
                found += page["data"]
                if page["next"] is None:
                    break
                after = page["next"]
            assert [one[field] for one in found] == expected
            assert sum(one["traces"] for one in found) == 7
            assert sum(one["errors"] for one in found) == 1
        seen = get(api, "/api/v1/agents")["data"]
        assert all(one["connected"] for one in seen)
        assert [sum(one["series"]) for one in seen] == [2, 2, 2, 1]
        with httpx.Client(base_url=live.url, trust_env=False, verify=False) as anyone:
            assert anyone.get("/api/v1/instance").json()["connected_agents"] >= 4


@pytest.mark.parametrize("path", PATHS)
def test_who_may_read(live: Server, path: str) -> None:
    with httpx.Client(base_url=live.url, trust_env=False, verify=False) as anyone:
        assert anyone.get(path).status_code == 401
    with client(live, key_of(live, "counted", "ingest")) as writer:
        assert writer.get(path).status_code == 403
    with live.browser() as person:
        answer = person.get(path)
        assert answer.status_code == 200 and "data" in answer.json()


@pytest.mark.parametrize(
    ("path", "params", "words"),
    [
        ("/api/v1/analytics/summary", {"range": "2h"}, "1h, 24h, 7d, 30d"),
        ("/api/v1/analytics/series", {"range": "' OR 1=1"}, "1h, 24h, 7d, 30d"),
        ("/api/v1/analytics/breakdown", {"by": "shoe"}, "agent, model, tool"),
        ("/api/v1/analytics/breakdown", {"by": ""}, "agent, model, tool"),
        ("/api/v1/analytics/breakdown", {"by": "tool", "limit": 0}, "between 1 and 500"),
        ("/api/v1/analytics/breakdown", {"by": "tool", "limit": 501}, "between 1 and 500"),
        ("/api/v1/sessions", {"after": "nonsense"}, "after"),
        ("/api/v1/sessions", {"range": "1y"}, "1h, 24h, 7d, 30d"),
        ("/api/v1/agents", {"after": "é"}, "after"),
        ("/api/v1/agents", {"limit": 1000}, "between 1 and 500"),
    ],
)
def test_what_means_nothing_is_refused_in_words(live: Server, path: str, params: dict[str, Any], words: str) -> None:
    with live.client() as api:
        answer = api.get(path, params=params)
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["detail"]


def test_the_api_is_described(live: Server) -> None:
    with live.client() as api:
        paths = api.get("/schema/openapi.json").json()["paths"]
    for path in PATHS:
        described = paths[path.partition("?")[0]]["get"]
        assert described["summary"]
        names = {one["name"] for one in described.get("parameters", ())}
        assert "range" in names, path


def test_traces_are_found_by_model_and_tool(live: Server, new_trace: New) -> None:
    with client(live, key_of(live, "named", "ingest", "read")) as api:
        mine, trace = run(new_trace(), "a", 60), new_trace()
        send(api, *mine)
        send(api, {"trace_id": trace, "span_id": "1" * 16, "name": "gpt-4o look", "started_us": mine[0]["started_us"]})
        for asked in ({"model": "gpt-4o"}, {"tool": "look"}, {"q": "model:gpt-4o tool:look"}, {"q": 'model:"gpt-4o"'}):
            found = get(api, "/api/v1/traces", **asked)["data"]
            assert [row["trace_id"] for row in found] == [mine[0]["trace_id"]], asked
        for asked in ({"model": "gpt-4"}, {"tool": "Look"}, {"model": "gpt-4o", "tool": "other"}):
            assert get(api, "/api/v1/traces", **asked)["data"] == []
