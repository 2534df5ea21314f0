"""Asking what caused an outcome, of a real server on both databases: answered, again, cancelled, interrupted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.live import Server

New = Callable[[], str]
RULE = {"rule": "bulk-delete-prevention"}


def step(trace: str, number: int, **fields: Any) -> dict[str, Any]:
    times = {"started_at": f"2026-11-01T10:00:{number % 60:02}Z", "ended_at": f"2026-11-01T10:00:{number % 60:02}.5Z"}
    return {"trace_id": trace, "span_id": f"{number:016x}", **times, **fields}


def deletion(trace: str) -> list[dict[str, Any]]:
    """An agent that looks something up and then deletes too much."""
    root = step(trace, 1, kind="agent", name="steward", ended_at="2026-11-01T10:00:30Z")
    calls = [
        step(trace, 2, parent_id=f"{1:016x}", kind="tool", tool={"name": "look_up", "args": {"what": "age"}}),
        step(trace, 3, parent_id=f"{1:016x}", kind="tool", tool={"name": "delete_records", "args": {"count": 250}}),
    ]
    return [root, *calls]


def long_trace(trace: str, steps: int = 4_000) -> list[dict[str, Any]]:
    """One that takes seconds: a rule about the whole trace has to be judged again and again."""
    tokens = {"input": 40, "output": 5}
    calls = [
        step(trace, n, parent_id=f"{1:016x}", kind="llm", model="gpt-4o", tokens=tokens) for n in range(2, steps + 2)
    ]
    return [step(trace, 1, kind="agent", name="busy", ended_at="2026-11-01T10:01:00Z"), *calls]


def send(server: Server, spans: list[dict[str, Any]]) -> None:
    with server.client() as client:
        for i in range(0, len(spans), 2_000):
            answer = client.post("/api/v1/ingest/spans", json=spans[i : i + 2_000], timeout=60)
            assert answer.status_code == 200 and answer.json()["rejected"] == [], answer.text[:500]


def ask(server: Server, trace: str, outcome: Any, wait: float = 60, **more: Any) -> httpx.Response:
    with server.client() as client:
        path = f"/api/v1/traces/{trace}/ablations"
        return client.post(path, params={"wait": wait}, json={"outcome": outcome, **more}, timeout=wait + 30)


def test_the_deletion_is_named_and_proved(live: Server, new_trace: New) -> None:
    trace = new_trace()
    send(live, deletion(trace))
    answer = ask(live, trace.upper(), RULE, method="shapley", level="recorded", players="spans")
    assert answer.status_code == 200, answer.text
    run = answer.json()
    assert (run["status"], run["spans"], run["trace_id"]) == ("done", 3, trace)
    result = run["result"]
    assert result["level"] == "proved" and result["exact"] is True
    assert [one["span_ids"] for one in result["sets"]] == [[f"{3:016x}"]]
    values = {part["span_id"]: part["value"] for part in result["parts"]}
    assert values == {f"{2:016x}": 0.0, f"{3:016x}": 1.0}
    assert abs(sum(values.values()) - (result["with_all"] - result["with_none"])) < 1e-9
    assert "delete_records" in result["finding"]


def test_the_same_question_is_answered_once_until_the_trace_changes(live: Server, new_trace: New) -> None:
    trace = new_trace()
    send(live, deletion(trace))
    first = ask(live, trace, RULE).json()
    assert ask(live, trace, RULE).json()["id"] == first["id"]
    other = ask(live, trace, RULE, seed=7).json()
    assert other["id"] != first["id"] and other["result"]["sets"] == first["result"]["sets"]
    late = step(trace, 4, parent_id=f"{1:016x}", kind="tool", tool={"name": "delete_records", "args": {"count": 9_000}})
    send(live, [late])
    again = ask(live, trace, RULE).json()
    assert again["id"] != first["id"]
    assert [one["span_ids"] for one in again["result"]["sets"]] == [[f"{3:016x}", f"{4:016x}"]], "both have to be gone"
    with live.client() as client:
        listed = client.get("/api/v1/ablations", params={"trace": trace}).json()["data"]
        assert [run["id"] for run in listed] == [again["id"], other["id"], first["id"]]
        assert all(run["result"] is None and "delete_records" in run["finding"] for run in listed)
        page = client.get("/api/v1/ablations", params={"trace": trace, "limit": 2}).json()
        assert len(page["data"]) == 2
        rest = client.get("/api/v1/ablations", params={"trace": trace, "after": page["next"]}).json()
        assert [run["id"] for run in rest["data"]] == [first["id"]] and rest["next"] is None


def test_an_outcome_that_the_trace_does_not_have_is_answered_with_those_it_has(live: Server, new_trace: New) -> None:
    trace = new_trace()
    send(live, deletion(trace))
    run = ask(live, trace, {"rule": "cost-guard"}).json()
    assert run["status"] == "failed" and run["result"] is None
    assert "bulk-delete-prevention" in run["error"] and "duration" in run["error"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"outcome": {}},
        {"outcome": {"rule": 5}},
        {"outcome": {"error": "not an id"}},
        {"outcome": {"measure": "luck"}},
        {"outcome": RULE, "method": "guess"},
        {"outcome": RULE, "players": "nobody"},
        {"outcome": RULE, "level": "replayed"},
        {"outcome": RULE, "seed": -1},
        {"outcome": RULE, "unknown": 1},
        {"outcome": {"rule": "x" * 10_000}},
        [],
    ],
    ids=range(12),
)
def test_what_cannot_be_asked_is_refused(live: Server, new_trace: New, body: Any) -> None:
    trace = new_trace()
    send(live, deletion(trace))
    with live.client() as client:
        answer = client.post(f"/api/v1/traces/{trace}/ablations", json=body)
        assert answer.status_code == 400 and answer.json()["detail"], answer.text
        assert client.get("/api/v1/ablations", params={"trace": trace}).json()["data"] == []


def test_who_may_ask(live: Server, new_trace: New) -> None:
    trace = new_trace()
    send(live, deletion(trace))
    run = ask(live, trace, RULE).json()
    paths = f"/api/v1/ablations/{run['id']}", f"/explain/{run['id']}", f"/explain?trace={trace}"
    with live.browser() as browser:
        assert [browser.get(path).status_code for path in paths] == [200, 200, 200]
        assert browser.post("/settings/projects", data={"name": f"abl {trace[-6:]}"}).status_code in (303, 200)
        # Now the new project is looked at: the trace is of another one.
        assert [browser.get(path).status_code for path in paths] == [404, 404, 404]
        assert browser.post(f"/traces/{trace}/explain", data={"outcome": '{"error":true}'}).status_code == 404
        assert browser.post(f"/explain/{run['id']}/cancel").status_code == 404
    with live.client() as nobody:
        nobody.headers.pop("Authorization")
        answer = nobody.post(f"/api/v1/traces/{trace}/ablations", json={"outcome": RULE})
        assert answer.status_code == 401
        assert nobody.get(paths[0]).status_code == 401
    with live.client() as client:
        for unknown in ("abl_" + "0" * 32, "nothing", "%00"):
            assert client.get(f"/api/v1/ablations/{unknown}").status_code == 404
        assert ask(live, "0" * 32, RULE).status_code == 404


def test_it_can_be_cancelled_while_it_works(live: Server, new_trace: New) -> None:
    trace = new_trace()
    send(live, long_trace(trace))
    answer = ask(live, trace, {"measure": "tokens"}, wait=0)
    assert answer.status_code == 202
    run = answer.json()
    with live.client() as client:
        cancelled = client.post(f"/api/v1/ablations/{run['id']}/cancel")
        assert cancelled.status_code == 200 and cancelled.json()["status"] == "cancelled"
        assert client.post(f"/api/v1/ablations/{run['id']}/cancel").status_code == 409
        # What was cancelled stays so, and the next question is taken up.
        send(live, deletion(other := new_trace()))
        assert ask(live, other, RULE).json()["status"] == "done"
        assert client.get(f"/api/v1/ablations/{run['id']}", params={"wait": 1}).json()["status"] == "cancelled"


def test_what_a_killed_server_left_is_answered_by_the_next(fallible: Server) -> None:
    fallible.start()
    trace = f"{0xAB1A:032x}"
    send(fallible, long_trace(trace))
    run = ask(fallible, trace, {"measure": "tokens"}, wait=0).json()
    deadline = time.monotonic() + 30
    with fallible.client() as client:
        while client.get(f"/api/v1/ablations/{run['id']}").json()["status"] == "queued":
            assert time.monotonic() < deadline
            time.sleep(0.02)
    fallible.kill()
    fallible.start()
    with fallible.client() as client:
        done = client.get(f"/api/v1/ablations/{run['id']}", params={"wait": 100}, timeout=130).json()
    assert done["status"] == "done", done["error"]
    parts = sum(part["value"] for part in done["result"]["parts"])
    assert abs(parts - (done["result"]["with_all"] - done["result"]["with_none"])) < 1e-6
