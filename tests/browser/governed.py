"""What the rules found and what waits for a person, for the pages to show."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import httpx

from tests.browser.traces import HOSTILE, LONG_NAME, RTL_NAME
from tests.live import ROOT, Server

# The default rule gives a person five minutes, and the tests take longer.
WIRE = """
id: wire-transfer
title: A wire transfer needs a person
severity: high
stages: [before, after]
match: {kind: tool}
when: span.tool.name == 'wire_transfer'
effect: require_approval
approval: {timeout: 86400, on_timeout: deny}
message: "{span.agent} wants to send {span.tool.args_text}"
tests:
  - {action: {name: wire_transfer}, expect: violation}
  - {action: {name: wire_status}, expect: pass}
"""
OBSERVED = """
id: no-gossip
title: Nobody is talked about
severity: info
stages: [after]
match: {kind: tool, tool: gossip}
when: span.tool.args_text != ''
effect: deny
mode: observe
message: "{span.tool.name}: {span.tool.args_text}"
tests:
  - {span: {kind: tool, tool: {name: gossip, args: {about: x}}}, expect: violation}
  - {span: {kind: tool, tool: {name: gossip}}, expect: pass}
"""


def rules_folder(folder: Path) -> Path:
    """The default rules, and two more."""
    for path in (ROOT / "rules").glob("*.yaml"):
        shutil.copy(path, folder)
    (folder / "wire-transfer.yaml").write_text(WIRE)
    (folder / "no-gossip.yaml").write_text(OBSERVED)
    return folder


def tool_span(trace: str, number: int, name: str, args: Any, **more: Any) -> dict[str, Any]:
    """A tool's call that ended a moment ago."""
    now = time.time_ns() // 1000
    ended = {"started_us": now - 2_000_000, "ended_us": now - 1_000_000}
    tool = {"name": name, "args": args}
    return {"trace_id": trace, "span_id": f"{number:016x}", "name": name, "kind": "tool", "tool": tool} | ended | more


def answer(server: Server, person: list[dict[str, str]], id_: str, decision: str, reason: str) -> None:
    """A person's."""
    cookies = {c["name"]: c["value"] for c in person}
    with httpx.Client(base_url=server.url, cookies=cookies, trust_env=False, verify=False) as client:
        client.post(f"/api/v1/approvals/{id_}", json={"decision": decision, "reason": reason}).raise_for_status()


class Governed:
    """A project of its own, "treasury", and its key. `violation` and `approval` are ids by name."""

    def __init__(self, server: Server, key: str, owner: list[dict[str, str]]) -> None:
        self.server, self.key = server, key
        trace = f"{0xCD01:032x}"
        self.send(tool_span(trace, 1, "delete_records", {"table": "customers", "count": 250}, agent="steward"))
        self.send(*[tool_span(trace, 2 + n, "gossip", {"about": text}, agent=text) for n, text in enumerate(HOSTILE)])
        self.send(
            *[tool_span(trace, 10 + n, "gossip", {"about": t}, agent=t) for n, t in enumerate((LONG_NAME, RTL_NAME))],
        )
        self.send(*[tool_span(trace, 20 + n, "gossip", {"about": n}) for n in range(60)])
        with self.client() as client:
            found = client.get("/api/v1/violations", params={"limit": 100}).json()["data"]
        self.trace = f"/traces/{trace}"
        by_span = {one["span_id"]: one["id"] for one in found if one["trace_id"] == trace}
        self.violation = {
            "deleted": by_span[f"{1:016x}"],
            "hostile": by_span[f"{2:016x}"],
            "long": by_span[f"{10:016x}"],
        }
        self.approval = {
            "waiting": self.check("wire_transfer", {"to": "ACME Ltd", "amount": 1200, "note": "invoice 7"})[
                "approval_id"
            ],
            "hostile": self.check("wire_transfer", {key: [key, {key: key}] for key in HOSTILE}, HOSTILE[0])[
                "approval_id"
            ],
            "long": self.check("wire_transfer", {"to": LONG_NAME * 20, "rtl": RTL_NAME}, LONG_NAME)["approval_id"],
            "denied": self.check("wire_transfer", {"to": "nobody"})["approval_id"],
            "approved": self.check("wire_transfer", {"to": "the baker", "mail": "baker@example.org"})["approval_id"],
        }
        self.ablation = {
            "deleted": self.explain(trace, {"rule": "bulk-delete-prevention"}),
            "absent": self.explain(trace, {"rule": "cost-guard"}),
            "hostile": self.explain(trace, {"measure": "duration"}),
        }
        self.report = {
            "audit": self.make(kind="audit", **{"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}),
            "trace": self.make(kind="trace", trace_id=trace),
            "hostile": self.make(
                kind="period",
                title=(HOSTILE[0] * 5)[:200],
                **{"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"},
            ),
        }
        answer(server, owner, self.approval["denied"], "deny", "There is no such account.")
        answer(server, owner, self.approval["approved"], "approve", HOSTILE[1])
        self.check("wire_transfer", {"to": "the baker", "mail": "baker@example.org"})

    def client(self) -> httpx.Client:
        """Presents the project's key."""
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.server.url, headers=headers, timeout=30, trust_env=False, verify=False)

    def send(self, *spans: dict[str, Any]) -> None:
        """Through the native way in."""
        with self.client() as client:
            answer = client.post("/api/v1/ingest/spans", json=list(spans))
            assert answer.json()["rejected"] == [], answer.text

    def explain(self, trace: str, outcome: Any) -> str:
        """Asks why, and waits for the answer; its id."""
        with self.client() as client:
            path = f"/api/v1/traces/{trace}/ablations?wait=30"
            return str(client.post(path, json={"outcome": outcome}, timeout=60).raise_for_status().json()["id"])

    def make(self, **asked: Any) -> str:
        """Makes a report; its id."""
        with self.client() as client:
            answer = client.post("/api/v1/reports?wait=60", json=asked, timeout=90).raise_for_status().json()
        assert answer["status"] == "done", answer
        return str(answer["id"])

    def check(self, name: str, args: Any, agent: str = "treasurer") -> dict[str, Any]:
        """A question before an action."""
        with self.client() as client:
            body = {"agent": agent, "end_user": "customer-1", "action": {"name": name, "args": args}}
            found: dict[str, Any] = client.post("/api/v1/check", json=body).raise_for_status().json()
        return found
