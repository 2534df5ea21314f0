"""Asking before an action, and a person's answer, through a real server on both databases."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.http.otlp import spans_of
from tests.live import Server

New = Callable[[], str]
START = 1_795_000_000_000_000


def ask(live: Server, name: str = "delete_records", args: Any = None, key: str = "", **more: Any) -> dict[str, Any]:
    answer = post(live, {"agent": "clerk", "action": {"name": name, "args": args}} | more, key)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def post(live: Server, body: Any, key: str = "", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Authorization": f"Bearer {key or live.key}", "Content-Type": "application/json"} | headers
    return httpx.post(
        live.url + "/api/v1/check", content=content, headers=sent, timeout=30, trust_env=False, verify=False
    )


def approval(live: Server, id_: str, **params: Any) -> dict[str, Any]:
    with live.client() as client:
        found: dict[str, Any] = client.get(f"/api/v1/approvals/{id_}", params=params).raise_for_status().json()
    return found


def answer(live: Server, id_: str, decision: str, reason: str = "looked at it") -> httpx.Response:
    with live.browser() as browser:
        body = {"decision": decision, "reason": reason}
        return browser.post(f"/api/v1/approvals/{id_}", params={"project": "tests"}, json=body)


_rows = iter(range(200, 100_000))


def bulk(**more: Any) -> dict[str, Any]:
    """Arguments that no other test asks about."""
    return {"table": "customers", "count": next(_rows)} | more


def until(found: Callable[[], Any]) -> Any:
    """What `found` finds, within 10 s: decisions are written after they are answered."""
    deadline = time.monotonic() + 10
    while not (value := found()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return value


def test_a_harmless_call_is_allowed_and_becomes_a_span_of_its_trace(live: Server, new_trace: New) -> None:
    trace = new_trace()
    said = ask(live, "search_docs", {"q": "x"}, trace_id=trace, parent_id="00000000000000aa", session_id="s-1")
    assert (said["decision"], said["reasons"], said["approval_id"]) == ("allow", [], None)
    assert said["trace_id"] == trace
    (span,) = until(lambda: spans_of(live, trace))
    assert (span["span_id"], span["parent_id"], span["kind"]) == (said["span_id"], "00000000000000aa", "guardrail")
    assert (span["agent"], span["session_id"], span["status"]) == ("clerk", "s-1", "ok")
    assert span["input"] == {"kind": "tool", "name": "search_docs", "args": {"q": "x"}}
    assert span["output"]["decision"] == "allow"
    assert span["unmapped"] == []


def test_without_a_trace_it_begins_one(live: Server) -> None:
    said = ask(live, "search_docs", {"q": "y"})
    assert until(lambda: spans_of(live, said["trace_id"]))[0]["name"] == "check search_docs"


def test_a_bulk_delete_waits_for_a_person_and_then_goes_on_once(live: Server) -> None:
    args = bulk()
    said = ask(live, args=args)
    assert said["decision"] == "require_approval"
    assert said["reasons"][0]["rule_id"] == "bulk-delete-prevention"
    waiting = approval(live, said["approval_id"])
    assert (waiting["status"], waiting["decision"]) == ("pending", "require_approval")
    assert waiting["request"]["args"] == args
    # Until somebody answers, the decision is a running span.
    assert spans_of(live, said["trace_id"])[0]["status"] == "running"

    threading.Timer(0.5, lambda: answer(live, said["approval_id"], "approve", "ticket 12")).start()
    began = time.monotonic()
    known = approval(live, said["approval_id"], wait=30)
    assert 0.3 < time.monotonic() - began < 10
    assert (known["status"], known["decision"], known["reason"]) == ("approved", "allow", "ticket 12")
    assert known["decided_by"] == live.email

    allowed = ask(live, args=args)
    assert (allowed["decision"], allowed["approval_id"]) == ("allow", said["approval_id"])
    assert approval(live, said["approval_id"])["status"] == "used"
    again = ask(live, args=args)
    assert again["decision"] == "require_approval"
    assert again["approval_id"] != said["approval_id"]
    span = until(lambda: next((s for s in spans_of(live, said["trace_id"]) if s["status"] != "running"), None))
    assert (span["status"], span["output"]["decision"], span["output"]["reason"]) == ("ok", "allow", "ticket 12")


def test_the_order_of_keys_does_not_matter_and_one_character_does(live: Server) -> None:
    count = next(_rows)
    first = ask(live, args={"table": "customers", "count": count, "where": {"a": 1, "b": [1, 2]}})
    same = ask(live, args={"where": {"b": [1, 2], "a": 1}, "count": count, "table": "customers"})
    other = ask(live, args={"table": "customerz", "count": count, "where": {"a": 1, "b": [1, 2]}})
    assert same["approval_id"] == first["approval_id"]
    assert other["approval_id"] != first["approval_id"]
    assert answer(live, first["approval_id"], "approve").status_code == 200
    changed = ask(
        live,
        args={"table": "customers", "count": count, "where": {"a": 1, "b": [2, 1]}},
        approval_id=first["approval_id"],
    )
    assert changed["decision"] == "require_approval"
    assert ask(live, args={"table": "customers", "count": count, "where": {"a": 1, "b": [1, 2]}})["decision"] == "allow"


def test_another_agent_needs_an_approval_of_its_own(live: Server) -> None:
    args = bulk()
    mine = ask(live, args=args)
    assert answer(live, mine["approval_id"], "approve").status_code == 200
    theirs = ask(live, args=args, agent="someone else")
    assert theirs["decision"] == "require_approval"
    assert theirs["approval_id"] != mine["approval_id"]


def test_what_differs_only_in_what_is_redacted_differs(live: Server) -> None:
    count = next(_rows)
    first = ask(live, args={"count": count, "owner": "ann@example.org"})
    other = ask(live, args={"count": count, "owner": "bob@example.org"})
    assert first["approval_id"] != other["approval_id"]
    kept = approval(live, first["approval_id"])["request"]
    assert kept["args"]["owner"].startswith("<EMAIL:")
    assert kept["pii"] == {"EMAIL": 1}


def test_a_denial_is_told_with_its_reason_and_stands(live: Server) -> None:
    args = bulk()
    said = ask(live, args=args)
    assert answer(live, said["approval_id"], "deny", "not this week").status_code == 200
    known = approval(live, said["approval_id"], wait=30)
    assert (known["status"], known["decision"], known["reason"]) == ("denied", "deny", "not this week")
    again = ask(live, args=args)
    assert (again["decision"], again["approval_id"]) == ("deny", said["approval_id"])
    assert again["approval_reason"] == "not this week"
    span = until(lambda: next((s for s in spans_of(live, said["trace_id"]) if s["status"] != "running"), None))
    assert span["status"] == "blocked"


def test_an_answer_is_given_once(live: Server) -> None:
    said = ask(live, args=bulk())
    assert answer(live, said["approval_id"], "approve").status_code == 200
    late = answer(live, said["approval_id"], "deny")
    assert late.status_code == 409
    assert live.email in late.json()["detail"]
    assert approval(live, said["approval_id"])["status"] == "approved"


def test_many_at_once_ask_for_one_approval_and_one_of_them_uses_it(live: Server) -> None:
    args = bulk()

    def at_once() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        threads = [threading.Thread(target=lambda: found.append(ask(live, args=args))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    asked = at_once()
    assert len({said["approval_id"] for said in asked}) == 1
    assert answer(live, asked[0]["approval_id"], "approve").status_code == 200
    assert sorted(said["decision"] for said in at_once()) == ["allow", *["require_approval"] * 7]


@pytest.fixture(scope="module")
def elsewhere(live: Server) -> Iterator[str]:
    """The secret of a key of another project."""
    yield key(live, project="elsewhere")


def key(live: Server, project: str, *scopes: str) -> str:
    with live.browser() as browser:
        made = browser.post("/api/v1/projects", json={"name": project})
        assert made.status_code in (201, 409), made.text
        body = {"name": f"{project} {scopes}", "scopes": list(scopes) or ["check", "ingest", "read"]}
        secret: str = browser.post("/api/v1/keys", params={"project": project}, json=body).json()["secret"]
    return secret


def test_another_project_knows_nothing_of_it(live: Server, elsewhere: str) -> None:
    args = bulk()
    mine = ask(live, args=args)
    assert answer(live, mine["approval_id"], "approve").status_code == 200
    theirs = ask(live, args=args, key=elsewhere, approval_id=mine["approval_id"])
    assert theirs["decision"] == "require_approval"
    assert theirs["approval_id"] != mine["approval_id"]
    headers = {"Authorization": f"Bearer {elsewhere}"}
    for path in (f"/api/v1/approvals/{mine['approval_id']}", f"/api/v1/approvals/{'ü' * 8}", "/api/v1/approvals/%00"):
        assert httpx.get(live.url + path, headers=headers, trust_env=False, verify=False).status_code == 404
    with live.browser() as browser:  # whoever may answer there may not answer here
        url = f"/api/v1/approvals/{theirs['approval_id']}"
        assert browser.post(url, params={"project": "tests"}, json={"decision": "approve"}).status_code == 404
        assert browser.post(url, params={"project": "elsewhere"}, json={"decision": "approve"}).status_code == 200
        listed = browser.get("/api/v1/approvals", params={"project": "elsewhere"}).json()["data"]
    assert [one["id"] for one in listed] == [theirs["approval_id"]]


def test_scopes_and_roles_are_asked_for(live: Server) -> None:
    said = ask(live, args=bulk())
    assert post(live, {"action": {"name": "x"}}, key(live, "tests", "ingest")).status_code == 403
    assert post(live, {"action": {"name": "x"}}, "sk-at-" + "w" * 40).status_code == 401
    only_check = {"Authorization": f"Bearer {key(live, 'tests', 'check')}"}
    path = f"{live.url}/api/v1/approvals/{said['approval_id']}"
    assert httpx.get(path, headers=only_check, trust_env=False, verify=False).status_code == 200
    # An agent cannot approve what it asked for.
    for_people = httpx.post(path, headers=only_check, json={"decision": "approve"}, trust_env=False, verify=False)
    assert for_people.status_code == 403
    assert approval(live, said["approval_id"])["status"] == "pending"
    assert (
        httpx.get(live.url + "/api/v1/approvals", headers=only_check, trust_env=False, verify=False).status_code == 403
    )


def test_lists_are_paged_and_filtered(live: Server) -> None:
    asked = [ask(live, args=bulk())["approval_id"] for _ in range(5)]
    assert answer(live, asked[0], "deny").status_code == 200
    with live.client() as client:
        seen, after = [], ""
        while True:
            page = client.get("/api/v1/approvals", params={"status": "pending", "limit": 2, "after": after}).json()
            seen += [one["id"] for one in page["data"]]
            after = page["next"]
            if not after:
                break
        assert len(seen) == len(set(seen))
        assert set(asked[1:]) <= set(seen)
        assert asked[0] not in seen
        assert client.get("/api/v1/approvals", params={"status": "wrong"}).status_code == 400


def tool_span(trace: str, args: Any, span: str = "00000000000000b1") -> dict[str, Any]:
    return {
        "trace_id": trace,
        "span_id": span,
        "name": "delete_records",
        "kind": "tool",
        "started_us": START,
        "ended_us": START + 1,
        "tool": {"name": "delete_records", "args": args},
    }


def violations(live: Server, trace: str) -> list[str]:
    with live.client() as client:
        found = client.get("/api/v1/violations", params={"trace": trace, "rule": "bulk-delete-prevention"}).json()
    return [one["span_id"] for one in found["data"]]


def test_what_was_approved_is_no_violation_and_what_was_not_is(live: Server, new_trace: New) -> None:
    args, trace = bulk(owner="ann@example.org"), new_trace()
    with live.client() as client:
        assert client.post("/api/v1/ingest/spans", json=tool_span(trace, args)).status_code == 200
        assert violations(live, trace) == ["00000000000000b1"]

        said = ask(live, args=args, trace_id=trace)
        assert answer(live, said["approval_id"], "approve").status_code == 200
        assert ask(live, args=args, trace_id=trace)["decision"] == "allow"
        done = tool_span(trace, args, "00000000000000b2")
        for _ in range(2):  # the same delivery twice is the same step
            assert client.post("/api/v1/ingest/spans", json=done).status_code == 200
        assert violations(live, trace) == ["00000000000000b1"]
        # Approved once, done twice.
        twice = tool_span(trace, args, "00000000000000b3")
        assert client.post("/api/v1/ingest/spans", json=twice).status_code == 200
    assert sorted(violations(live, trace)) == ["00000000000000b1", "00000000000000b3"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "JSON"),
        (b"{", 400, "JSON"),
        (b"[]", 400, "object"),
        (b"{}", 400, "action"),
        (b'{"action":{"name":""}}', 400, "name"),
        (b'{"action":{"name":"x","kind":"spell"}}', 400, "kind"),
        (b'{"action":{"name":"x"},"trace":"1"}', 400, "trace"),
        (b'{"action":{"name":"x"},"trace_id":"zz"}', 400, "trace_id"),
        (b'{"action":{"name":"x","args":' + b"[" * 100 + b"]" * 100 + b"}}", 400, "64 levels"),
        (b'{"action":{"name":"x","args":' + b"[" * 200_000 + b"]" * 200_000 + b"}}", 400, "64 levels"),
        (b'{"action":{"name":"x","args":"' + b"a" * (2 << 20) + b'"}}', 413, ""),
    ],
)
def test_a_bad_question_gets_a_sentence(live: Server, body: bytes, status: int, says: str) -> None:
    said = post(live, body)
    assert said.status_code == status, said.text[:300]
    assert says in said.json()["detail"]


@pytest.mark.parametrize(
    "args",
    [
        b"NaN",
        b"1e400",
        str(10**400).encode(),
        b'"\\u0000\\ud800"',
        b'"login' + b" " * 100_000 + b'"',
        b'"' + b"1" * 900_000 + b'"',
        b'"' + b"@" * 900_000 + b'"',
        b'{"__proto__":{"constructor":1}}',
    ],
    ids=range(8),
)
def test_strange_arguments_are_answered(live: Server, args: bytes) -> None:
    said = post(live, b'{"action":{"name":"look","args":' + args + b"}}")
    assert (said.status_code, said.json()["decision"]) == (200, "allow"), said.text[:300]


@pytest.mark.parametrize("said", ["a NUL: \0", "🙂" * 100, "<script>"])
def test_what_people_write_is_kept_whatever_it_is(live: Server, new_trace: New, said: str) -> None:
    id_ = ask(live, args=bulk())["approval_id"]
    trace = new_trace()
    body = json.dumps({"decision": "deny", "reason": said})
    with live.browser(headers={"Content-Type": "application/json"}, params={"project": "tests"}) as browser:
        assert browser.post(f"/api/v1/approvals/{id_}", content=body).status_code == 200
    with live.client() as client:
        client.post("/api/v1/ingest/spans", json=tool_span(trace, bulk())).raise_for_status()
        (found,) = client.get("/api/v1/violations", params={"trace": trace}).json()["data"]
    note = json.dumps({"status": "acknowledged", "note": said})
    with live.browser(headers={"Content-Type": "application/json"}, params={"project": "tests"}) as browser:
        kept = browser.post(f"/api/v1/violations/{found['id']}", content=note)
    assert kept.status_code == 200, kept.text
    written = said.replace("\0", "\\u0000")
    assert kept.json()["data"]["note"] == written
    assert approval(live, id_)["reason"] == written


def test_ids_that_are_none_change_nothing(live: Server) -> None:
    form = {"action": "resolve", "id": ["\0", "none", "'; DROP TABLE verdicts", *[f"{n:016x}" for n in range(600)]]}
    with live.browser() as browser:
        assert browser.post("/violations", data=form).status_code == 303
        assert browser.get("/violations").status_code == 200


def test_a_question_may_be_packed_and_not_too_much(live: Server) -> None:
    packed = gzip.compress(b'{"action":{"name":"look"}}')
    assert post(live, packed, **{"Content-Encoding": "gzip"}).json()["decision"] == "allow"
    bomb = gzip.compress(b" " * (64 << 20))
    assert post(live, bomb, **{"Content-Encoding": "gzip"}).status_code == 413


def test_it_wants_json(live: Server) -> None:
    assert post(live, b"action=x", **{"Content-Type": "text/plain"}).status_code == 415


def test_waiting_ends_with_the_server(live: Server) -> None:
    """The last test of the module: it stops the server, and starts it again."""
    said = ask(live, args=bulk())
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.append(approval(live, said["approval_id"], wait=60)))
    waiting.start()
    time.sleep(0.5)
    assert live.stop() < 3
    waiting.join()
    assert found[0]["status"] == "pending"
    live.start()
    assert ask(live, args=said["trace_id"])["decision"] == "allow"
    assert approval(live, said["approval_id"])["status"] == "pending"
