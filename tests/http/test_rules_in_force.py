"""Rule files of one's own in a running server: loaded, changed, broken, and what they decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.http.otlp import spans_of
from tests.http.test_check import START, approval, ask
from tests.live import Server
from tests.postgres import Postgres

RULE = """
id: {id}
title: {id}
severity: medium
stages: [before, after]
scope: {scope}
match: {match}
when: {when}
effect: {effect}
mode: {mode}
{more}
message: "{id} said so"
tests:
{tests}
"""
TOOL_TESTS = """
  - {{action: {{name: {tool}}}, expect: {outcome}}}
  - {{action: {{name: something_else}}, expect: pass}}
"""


def tool_rule(id: str, effect: str, mode: str = "enforce", more: str = "", tool: str = "") -> str:
    outcome = "violation" if effect in ("deny", "require_approval") else "warning"
    return RULE.format(
        id=id,
        scope="span",
        match="{kind: tool}",
        when=f"span.tool.name == '{tool or id}'",
        effect=effect,
        mode=mode,
        more=more,
        tests=TOOL_TESTS.format(tool=tool or id, outcome=outcome),
    )


BUDGET = RULE.format(
    id="budget",
    scope="trace",
    match="{}",
    when="trace.tokens.total > 1000",
    effect="deny",
    mode="enforce",
    more="",
    tests="  - {trace: {tokens: {input: 1001}}, stage: before, expect: violation}\n"
    "  - {trace: {tokens: {input: 1000}}, expect: pass}\n",
)
# Divides by the number of calls, which its tests never leave at 0.
ERRS = RULE.format(
    id="errs",
    scope="span",
    match="{kind: retriever}",
    when="1000 / span.tokens.input > 5",
    effect="deny",
    mode="enforce",
    more="",
    tests="  - {span: {kind: retriever, tokens: {input: 10}}, expect: violation}\n"
    "  - {span: {kind: retriever, tokens: {input: 1000}}, expect: pass}\n",
)
FILES = {
    "denied.yaml": tool_rule("denied", "deny"),
    "warned.yaml": tool_rule("warned", "warn"),
    "watched.yaml": tool_rule("watched", "deny", mode="observe"),
    "short.yaml": tool_rule("short", "require_approval", more="approval: {timeout: 1, on_timeout: deny}"),
    "lenient.yaml": tool_rule("lenient", "require_approval", more="approval: {timeout: 1, on_timeout: allow}"),
    "budget.yaml": BUDGET,
    "errs.yaml": ERRS,
}


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the rules of FILES; its folder is `server.data / "rules"`."""
    data = tmp_path_factory.mktemp("rules")
    (data / "rules").mkdir()
    for name, text in FILES.items():
        (data / "rules" / name).write_text(text)
    url = None
    if request.param == "postgres":
        cluster: Postgres = request.getfixturevalue("postgres")
        url = cluster.fresh()
    with Server(data, url, AUDITTRAIL_RULES_DIR=str(data / "rules")) as server:
        yield server
    assert "Unexpected error" not in server.log, server.log[-4000:]


def get(live: Server, path: str, **params: Any) -> Any:
    with live.client() as client:
        return client.get(path, params=params).raise_for_status().json()


def until(live: Server, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The health once it is as wanted: the folder is looked at every second."""
    deadline = time.monotonic() + 15
    while not condition(health := get(live, "/api/v1/health")):
        assert time.monotonic() < deadline, health
        time.sleep(0.05)
    return health


def ingest(live: Server, *spans: dict[str, Any]) -> None:
    with live.client() as client:
        assert client.post("/api/v1/ingest/spans", json=list(spans)).json()["rejected"] == []


def test_they_are_counted_and_listed(live: Server) -> None:
    assert get(live, "/api/v1/health")["rules_loaded"] == get(live, "/api/v1/instance")["rule_count"] == len(FILES)
    rules = get(live, "/api/v1/rules")["data"]
    assert [rule["id"] for rule in rules] == sorted(name.removesuffix(".yaml") for name in FILES)
    assert rules[1]["source"] == FILES[rules[1]["file"]]
    assert rules[1]["tests"] == 2


@pytest.mark.parametrize(
    ("tool", "decision"), [("denied", "deny"), ("warned", "warn"), ("watched", "allow"), ("something_else", "allow")]
)
def test_each_effect_has_its_answer(live: Server, tool: str, decision: str) -> None:
    said = ask(live, tool)
    assert said["decision"] == decision
    assert [r["rule_id"] for r in said["reasons"]] == ([] if tool == "something_else" else [tool])
    if tool == "denied":
        assert said["reasons"][0]["message"] == "denied said so"


def test_a_check_knows_what_its_trace_has_used(live: Server, new_trace: Callable[[], str]) -> None:
    trace = new_trace()
    call = {
        "trace_id": trace,
        "span_id": "00000000000000c1",
        "kind": "llm",
        "name": "chat",
        "started_us": START,
        "ended_us": START + 1,
        "tokens": {"input": 900, "output": 50},
    }
    ingest(live, call)
    assert ask(live, "look", trace_id=trace)["decision"] == "allow"
    ingest(live, call | {"span_id": "00000000000000c2"})
    said = ask(live, "look", trace_id=trace)
    assert (said["decision"], said["reasons"][0]["rule_id"]) == ("deny", "budget")
    assert ask(live, "look")["decision"] == "allow"
    (found,) = get(live, "/api/v1/violations", trace=trace)["data"]
    assert (found["rule_id"], found["span_id"]) == ("budget", None)
    assert set(found["evidence"]) == {"00000000000000c1", "00000000000000c2"}


@pytest.mark.parametrize(("tool", "decision", "status"), [("short", "deny", "blocked"), ("lenient", "allow", "ok")])
def test_what_nobody_answers_expires_as_its_rule_says(live: Server, tool: str, decision: str, status: str) -> None:
    said = ask(live, tool, {"n": 1})
    assert said["decision"] == "require_approval"
    known = approval(live, said["approval_id"], wait=20)
    assert (known["status"], known["decision"]) == ("expired", decision)
    again = ask(live, tool, {"n": 1})
    assert (again["decision"], again["approval_id"]) == (decision, said["approval_id"])
    with live.browser() as browser:
        late = browser.post(f"/api/v1/approvals/{said['approval_id']}", json={"decision": "approve"})
    assert late.status_code == 409
    deadline = time.monotonic() + 10
    while (span := spans_of(live, said["trace_id"])[0])["status"] == "running":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert span["status"] == status


def test_a_rule_that_errs_is_recorded_denies_before_and_stops_nothing(
    live: Server, new_trace: Callable[[], str]
) -> None:
    trace = new_trace()
    step = {"trace_id": trace, "kind": "retriever", "name": "search", "started_us": START, "ended_us": START + 1}
    ingest(live, *[step | {"span_id": f"{n:016x}"} for n in range(1, 40)])
    found = get(live, "/api/v1/violations", trace=trace)["data"]
    assert {(one["rule_id"], one["outcome"]) for one in found} == {("errs", "error")}
    assert len(found) == 39
    said = ask(live, "search", trace_id=trace, action={"name": "search", "kind": "retriever"})
    assert (said["decision"], said["reasons"][0]["outcome"]) == ("deny", "error")
    assert get(live, "/api/v1/health")["status"] == "ok"


def write(live: Server, name: str, text: str | bytes) -> Path:
    path = live.data / "rules" / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_new_rule_is_in_force_without_a_restart(live: Server) -> None:
    path = write(live, "late.yaml", tool_rule("late", "deny"))
    until(live, lambda health: health["rules_loaded"] == len(FILES) + 1)
    assert ask(live, "late")["decision"] == "deny"
    path.unlink()
    until(live, lambda health: health["rules_loaded"] == len(FILES))
    assert ask(live, "late")["decision"] == "allow"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (tool_rule("wrong", "deny").replace("span.tool.name", "span.tool.nme"), "wrong.yaml:8:"),
        (tool_rule("wrong", "deny") + "id: again\n", "wrong.yaml:"),
        (tool_rule("wrong", "deny").replace("expect: pass", "expect: violation"), "wrong.yaml:"),
        (tool_rule("wrong", "deny").replace("effect: deny", "effect: explode"), "wrong.yaml:9:"),
        (BOMB, "wrong.yaml:"),
        (b"# " + b"x" * (10 << 20), "wrong.yaml"),
        (b"\xff\xfe\x00", "wrong.yaml"),
        ("id: [", "wrong.yaml:"),
    ],
    ids=["unknown variable", "key twice", "failing test", "bad effect", "alias bomb", "10 MB", "not text", "not YAML"],
)
def test_a_broken_file_keeps_the_last_good_set_and_says_where(live: Server, text: str | bytes, place: str) -> None:
    path = write(live, "wrong.yaml", text)
    try:
        health = until(live, lambda health: health["status"] == "degraded")
        assert place in health["reasons"][0]
        assert health["rules_loaded"] == len(FILES)
        assert ask(live, "denied")["decision"] == "deny"
        with live.browser() as browser:
            page = browser.get("/constitution").raise_for_status().text
        assert "wrong.yaml" in page
    finally:
        path.unlink()
    until(live, lambda health: health["status"] == "ok")


def test_without_any_good_set_every_check_is_denied_and_recording_goes_on(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "wrong.yaml").write_text("id: [")
    with Server(tmp_path / "data", AUDITTRAIL_RULES_DIR=str(rules)) as server:
        assert get(server, "/api/v1/health")["status"] == "degraded"
        said = ask(server, "search_docs")
        assert (said["decision"], said["reasons"][0]["rule_id"]) == ("deny", "audittrail")
        ingest(
            server,
            {"trace_id": "c" * 32, "span_id": "d" * 16, "name": "x", "started_us": START, "ended_us": START + 1},
        )
        (rules / "wrong.yaml").write_text(tool_rule("denied", "deny"))
        until(server, lambda health: health["status"] == "ok")
        assert ask(server, "search_docs")["decision"] == "allow"


def test_a_folder_that_is_not_there_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="AUDITTRAIL_RULES_DIR"):
        Server(tmp_path, AUDITTRAIL_RULES_DIR=str(tmp_path / "none")).start()


def test_health_tells_a_stranger_no_more_than_places(live: Server) -> None:
    path = write(live, "wrong.yaml", tool_rule("secret-plan", "deny").replace("span.tool.name", "span.tool.nme"))
    try:
        until(live, lambda health: health["status"] == "degraded")
        assert "secret-plan" not in httpx.get(live.url + "/api/v1/health", trust_env=False, verify=False).text
    finally:
        path.unlink()
    until(live, lambda health: health["status"] == "ok")
