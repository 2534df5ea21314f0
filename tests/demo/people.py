# ruff: noqa: E501 - one note a line
"""What is done over the API beside the traces: agents ask, and the people of the company answer, judge and ask why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from tests.live import Server

# Rule, the remarkable run that it found something in, and what a person made of it.
NOTES: tuple[tuple[str, str, str, str], ...] = (
    ("bulk-delete-prevention", "unasked before", "resolved", "Restored from the backup of 02:00. The job asks now: POST /api/v1/check before delete_records."),
    ("cost-guard", "runaway", "resolved", "Wrong model in the job's settings: Opus for a mechanical change. It runs on Sonnet now, ten modules at a time."),
    ("token-budget", "runaway", "resolved", "Same cause as the cost."),
    ("pii-guard", "leaked", "acknowledged", "The key in .env was rotated (OPS-4471); .env is now outside the workspace."),
    ("pii-guard", "second card", "acknowledged", "Customer pasted a card number. The chat form warns of it since Tuesday."),
    ("cite-sources", "uncited", "acknowledged", "Prompt changed: the number of the source before the full stop."),
    ("latency-slo", "slow tests", "resolved", "All tests ran instead of one file. Selection mended in SHOP-2250."),
    ("token-budget", "circle", "acknowledged", "Known: the agent repeats a call that fails. Version 2.5 stops after five."),
)  # fmt: skip


class People:
    """Two clients of one server: the agents' key, and a person's session."""

    def __init__(self, server: Server) -> None:
        self.agents, self.person = server.client(), server.browser()

    def __enter__(self) -> People:
        return self

    def __exit__(self, *_: object) -> None:
        self.agents.close()
        self.person.close()

    def check(self, action: dict[str, Any]) -> dict[str, Any]:
        """An agent asks whether it may."""
        return _told(self.agents.post("/api/v1/check", json=action))

    def status(self, approval: str) -> str:
        """How a question stands."""
        return str(_told(self.agents.get(f"/api/v1/approvals/{approval}"))["status"])

    def answer(self, approval: str, decision: str, reason: str) -> None:
        """A person approves or denies."""
        _told(self.person.post(f"/api/v1/approvals/{approval}", json={"decision": decision, "reason": reason}))

    def began(self, trace_id: str, span_id: str, at: float, name: str, said: str) -> None:
        """A job that reports its beginning in plain JSON, and nothing after it."""
        span = {
            "trace_id": trace_id,
            "span_id": span_id,
            "kind": "agent",
            "name": name,
            "agent": "data-operator",
            "started_us": int(at * 1_000_000),
            "input": said,
        }
        _told(self.agents.post("/api/v1/ingest/spans", json={"spans": [span]}))

    def judge(self, traces: dict[str, str]) -> int:
        """Notes at the findings of some runs, whose traces are given by title; how many."""
        noted = 0
        for rule, title, status, note in NOTES:
            want = {"rule": rule, "trace": traces[title]}
            for found in _told(self.agents.get("/api/v1/violations", params=want))["data"]:
                _told(self.person.post(f"/api/v1/violations/{found['id']}", json={"status": status, "note": note}))
                noted += 1
        return noted

    def ask_why(self, trace_id: str, outcome: dict[str, Any], wait: float = 0, **more: Any) -> None:
        """Asks which steps caused an outcome; it is worked out in the background."""
        path = f"/api/v1/traces/{trace_id}/ablations"
        _told(self.person.post(path, params={"wait": wait}, json={"outcome": outcome, **more}))

    def report(self, since: float, until: float) -> bool:
        """Asks for an audit report of the time, where the server makes them."""
        if "/api/v1/reports" not in _told(self.agents.get("/schema/openapi.json"))["paths"]:
            return False
        asked = {"kind": "audit", "from": _rfc3339(since), "to": _rfc3339(until), "title": "Audit of the demo's week"}
        _told(self.person.post("/api/v1/reports", json=asked))
        return True


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def _told(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise RuntimeError(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:400]}")
    return answer.json()
