"""The demo shows what it promises: asked of a real server that it has filled."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.demo.filling import Filled, fill
from tests.demo.people import NOTES, People
from tests.demo.week import DAY, week
from tests.demo.wire import Wire
from tests.live import ROOT, Server, clean_environment, free_port

SEED = 1
LEAKED = ("4111 1111 1111 1111", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "hanne.solberg@example.com", "7946 0455")


class Shown:
    """A server that was filled with a day, and ways to ask it."""

    def __init__(self, server: Server, filled: Filled) -> None:
        self.server, self.filled, self.client = server, filled, server.client()

    def one(self, path: str) -> Any:
        """What an address answers."""
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.text[:300])
        return answer.json()

    def all(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.client.get(path, params={"limit": 100, "after": after}).json()
            found += page["data"]
            after = page["next"]
            if not after:
                return found

    def spans(self, title: str) -> list[dict[str, Any]]:
        """Of a remarkable run."""
        return list(self.one(f"/api/v1/traces/{self.filled.titles[title]}/spans?limit=500")["data"])


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with Server(tmp_path_factory.mktemp("demo")) as server, People(server) as people:
        wire = Wire(server.url, server.key, SEED)
        try:
            filled = fill(wire, people, SEED, 1, say=lambda _: None)
        finally:
            wire.close()
        demo = Shown(server, filled)
        yield demo
        demo.client.close()
    assert "Traceback" not in server.log, server.log[-4000:]


def test_every_run_arrived_whole(shown: Shown) -> None:
    rows = {row["trace_id"]: row for row in shown.all("/api/v1/traces")}
    for trace_id, take in shown.filled.traces.items():
        sent = len(take.pieces) - take.lost_root
        assert rows[trace_id]["span_count"] == sent, take.title or take.agent
    # And beside these what was played in real time: five runs that asked, and the job that never ended.
    assert len(rows) == len(shown.filled.traces) + 6
    assert {row["agent"] for row in rows.values()} == {
        "support-clerk", "research-analyst", "data-operator", "code-smith",
    }  # fmt: skip


def test_runs_end_well_badly_blocked_and_never(shown: Shown) -> None:
    titles = shown.filled.titles
    status = {title: shown.one(f"/api/v1/traces/{titles[title]}")["data"]["status"] for title in titles}
    assert status["never ended"] == status["lost root"] == "running"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:  # a trace runs until it has been quiet for five seconds
        rows = shown.all("/api/v1/traces")
        if len([row for row in rows if row["status"] == "running"]) <= 4:
            break
        time.sleep(0.5)
    by_id = {row["trace_id"]: row["status"] for row in rows}
    assert [by_id[titles[title]] for title in ("refund lost", "circle", "injection", "migration")] == [
        "error", "error", "blocked", "ok",
    ]  # fmt: skip
    count = Counter(by_id.values())
    # The two that never end, and the two that wait for a person.
    assert count["running"] == 4
    assert count["ok"] > 0.85 * len(rows)


def test_every_kind_of_step_is_there(shown: Shown) -> None:
    kinds = Counter(s["kind"] for title in shown.filled.titles for s in shown.spans(title))
    assert {"agent", "chain", "llm", "tool", "retriever", "embedding", "reranker", "guardrail"} <= set(kinds)
    assert len(shown.spans("migration")) > 200
    lost = [s for s in shown.spans("refund lost") if s["name"] == "execute_tool issue_refund"]
    assert [s["error"] and s["status"] for s in lost] == ["error"] * 3
    circle = Counter(s["name"] for s in shown.spans("circle") if s["status"] == "error")
    assert circle["execute_tool run_tests"] == 26


def test_steps_run_beside_each_other(shown: Shown) -> None:
    searches = [s for s in shown.spans("slow page") if s["name"] == "execute_tool web_search"]
    assert len(searches) == 3
    assert max(s["started_us"] for s in searches) < min(s["ended_us"] for s in searches)


def test_all_rules_are_violated_and_some_findings_were_dealt_with(shown: Shown) -> None:
    found = shown.all("/api/v1/violations")
    rules = {rule["id"] for rule in shown.one("/api/v1/rules")["data"]}
    assert {one["rule_id"] for one in found} == rules
    standings = Counter(one["status"] for one in found)
    assert set(standings) == {"open", "acknowledged", "resolved"}
    assert sum(bool(one["note"]) for one in found) == shown.filled.notes >= len(NOTES)
    by_title = {
        title: {one["rule_id"] for one in found if one["trace_id"] == id_} for title, id_ in shown.filled.titles.items()
    }
    assert "bulk-delete-prevention" in by_title["unasked"]
    assert {"cost-guard", "token-budget"} <= by_title["runaway"]
    assert "cite-sources" in by_title["uncited"] and "latency-slo" in by_title["slow page"]
    assert "pii-guard" in by_title["card"] and "pii-guard" in by_title["leaked"] and "pii-guard" in by_title["export"]


def test_people_were_asked_and_two_questions_wait(shown: Shown) -> None:
    asked = shown.all("/api/v1/approvals")
    assert Counter(one["status"] for one in asked) == {"pending": 2, "used": 2, "denied": 1}
    assert all(one["reason"] for one in asked if one["status"] != "pending")
    waiting = {reason["rule_id"] for one in asked if one["status"] == "pending" for reason in one["reasons"]}
    assert waiting == {"bulk-delete-prevention", "cost-guard"}
    # What was approved was done after the answer, and is no violation.
    (done, *_) = [one for one in asked if one["status"] == "used"]
    spans = shown.one(f"/api/v1/traces/{done['trace_id']}/spans")["data"]
    (deleted,) = [s for s in spans if s["name"] == "execute_tool delete_records"]
    assert deleted["started_us"] > max(s["ended_us"] for s in spans if s["kind"] == "guardrail")
    assert not shown.one(f"/api/v1/violations?trace={done['trace_id']}")["data"]
    # A denied question is a blocked step of its trace.
    denied = next(one for one in asked if one["status"] == "denied")
    spans = shown.one(f"/api/v1/traces/{denied['trace_id']}/spans")["data"]
    assert "blocked" in {s["status"] for s in spans}
    assert not any(s["name"] == "execute_tool delete_records" for s in spans)


def test_nothing_secret_is_kept(shown: Shown) -> None:
    found: Counter[str] = Counter()
    for row in shown.all("/api/v1/traces"):
        found.update(row["pii"] or {})
    assert found["CARD"] and found["SECRET"] and found["EMAIL"] > 50 and found["PHONE"]
    for path in shown.server.data.rglob("*"):
        if path.is_file():
            kept = path.read_bytes()
            assert not [text for text in LEAKED if text.encode() in kept], path
    for trace_id in [*list(shown.filled.traces)[::7], *shown.filled.titles.values()]:
        said = shown.client.get(f"/api/v1/traces/{trace_id}/spans").text
        assert not [leak for leak in LEAKED if leak in said], trace_id
    for title, mark in (("card", "CARD"), ("leaked", "SECRET")):
        said = msgspec.json.encode(shown.spans(title)).decode()
        assert re.search(f"<{mark}:[0-9a-f]{{8}}>", said), title


def test_calls_have_prices_and_one_model_has_none(shown: Shown) -> None:
    models = {g["name"]: g for g in shown.one("/api/v1/analytics/breakdown?by=model&range=7d&limit=50")["data"]}
    assert [name for name, g in models.items() if g["cost"] is None] == ["nordfell-summariser-8b"]
    assert (
        len({m["provider"] for t in ("runaway", "slow page", "unasked") for m in shown.spans(t) if m["provider"]}) >= 4
    )
    assert float(shown.one(f"/api/v1/traces/{shown.filled.titles['runaway']}")["data"]["cost"]) > 5


def test_sessions_hold_several_runs_of_one_customer(shown: Shown) -> None:
    sessions = shown.all("/api/v1/sessions")
    assert max(s["traces"] for s in sessions) >= 2
    assert all(s["end_user"].startswith("cust-") for s in sessions)


def test_causes_were_asked_for_and_found(shown: Shown) -> None:
    runs = shown.all("/api/v1/ablations")
    assert len(runs) == 3
    ended = [shown.one(f"/api/v1/ablations/{run['id']}?wait=60") for run in runs]
    assert {run["status"] for run in ended} == {"done"}
    assert any("delete_records" in run["result"]["finding"] for run in ended)


def test_the_same_seed_gives_the_same_week() -> None:
    until = 1_795_000_000.0

    def made(seed: int) -> bytes:
        return msgspec.json.encode([(t.agent, t.at, t.session, t.pieces) for t in week(seed, until, 7)])

    assert made(1) == made(1)
    assert made(1) != made(2)
    days = Counter(int(take.at // DAY) for take in week(1, until, 7))
    assert 400 < sum(days.values()) < 800
    first, second = (Wire("http://unused.example", "", 3).ids for _ in range(2))
    assert [first.generate_trace_id() for _ in range(9)] == [second.generate_trace_id() for _ in range(9)]


def test_it_runs_on_and_ends_cleanly_when_interrupted(tmp_path: Path) -> None:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "tests.demo",
        "--days",
        "0.2",
        "--port",
        str(port),
        "--data",
        str(tmp_path / "data"),
    ]
    process = subprocess.Popen(
        command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout
        printed = ""
        while "Ctrl-C" not in printed:
            line = process.stdout.readline()
            assert line, printed
            printed += line
        key = re.search(r"sk-at-\S+", printed)
        assert key and f"http://127.0.0.1:{port}" in printed and "ida.berg@nordfell.example" in printed
        server = Server(tmp_path, port=port)
        with server.client() as client:
            before = client.get("/api/v1/analytics/summary?range=1h").json()["data"]["traces"]
            deadline = time.monotonic() + 60
            while client.get("/api/v1/analytics/summary?range=1h").json()["data"]["traces"] <= before:
                assert time.monotonic() < deadline, "no new run came"
                time.sleep(0.3)
        os.kill(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=40)
        assert (process.returncode, "Traceback" in rest) == (0, False), rest
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, "the server still runs"
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=40)


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("mine")
    command = [sys.executable, "-m", "tests.demo", "--port", str(free_port()), "--data", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "holds something else" in done.stderr
    assert (tmp_path / "letters.txt").read_text() == "mine"
