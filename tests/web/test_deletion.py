"""Deleting for good, as people and programs ask for it: asked first, by owners alone, with a receipt, never twice."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import httpx
import pytest

from audittrail.web.views.links import session_path
from tests.live import Server
from tests.web.conftest import Person

_numbers = itertools.count(0xDE1E7E)
Join = Callable[[str], Person]


@pytest.fixture
def key(admin: Person, project: str) -> str:
    """An API key of the project, with all scopes."""
    made = admin.browser.post("/api/v1/keys", json={"name": "k", "scopes": ["ingest", "check", "read"]})
    assert made.status_code == 201, made.text
    return str(made.json()["secret"])


def new_trace() -> str:
    return f"{next(_numbers):032x}"


def send(live: Server, key: str, trace: str, steps: int = 3, **fields: object) -> httpx.Response:
    spans = [
        {"trace_id": trace, "span_id": f"{n:016x}", "name": f"step {n}", "kind": "tool", "output": "nasturtium",
         "started_at": "2026-11-01T10:00:00Z", "ended_at": "2026-11-01T10:00:01Z", **fields}
        for n in range(1, steps + 1)
    ]  # fmt: skip
    with httpx.Client(
        base_url=live.url, headers={"Authorization": f"Bearer {key}"}, trust_env=False, verify=False
    ) as client:
        return client.post("/api/v1/ingest/spans", json=spans)


def test_a_trace_is_deleted_by_the_pages_with_a_question_and_a_receipt(live: Server, admin: Person, key: str) -> None:
    trace, other = new_trace(), new_trace()
    for one in (trace, other):
        assert send(live, key, one).json()["rejected"] == []
    page = admin.get(f"/traces/{trace}").text
    assert f'href="/traces/{trace}/delete"' in page
    asked = admin.get(f"/traces/{trace}/delete")
    assert asked.status_code == 200 and "3 steps" in asked.text and "cannot be undone" in asked.text
    assert admin.get(f"/traces/{trace}").status_code == 200  # asking is not doing
    done = admin.post(f"/traces/{trace}/delete")
    assert done.status_code == 303
    receipt = admin.get(done.headers["location"])
    assert receipt.status_code == 200 and "This trace was deleted" in receipt.text and admin.email in receipt.text
    gone = admin.get(f"/traces/{trace}", headers={"Accept": "text/html"})
    assert gone.status_code == 410 and "This trace was deleted" in gone.text
    # A page that was open on it asks for itself again, and must be given something to show.
    live_page = {"Accept": "text/html", "HX-Request": "true", "HX-Target": "main", "AuditTrail-Live": "true"}
    again = admin.get(f"/traces/{trace}", headers=live_page)
    assert again.status_code == 200 and "This trace was deleted" in again.text and "HX-Retarget" not in again.headers
    for path in (f"/traces/{trace}/delete", "/deletions/" + "0" * 24, f"/deletions/{'é' * 3}"):
        assert admin.get(path, headers={"Accept": "text/html"}).status_code == 404
    assert admin.post(f"/traces/{trace}/delete").status_code == 404
    assert [row["trace_id"] for row in admin.get("/api/v1/traces").json()["data"]] == [other]
    assert trace in admin.get("/settings/data").text
    late = send(live, key, trace, 1).json()
    assert "deleted" in str(late["rejected"]) and late["accepted"] == 0


def test_a_trace_and_a_session_are_deleted_by_the_api_with_counts(live: Server, admin: Person, key: str) -> None:
    trace, odd = new_trace(), "a/b <s>"
    send(live, key, trace)
    for _ in range(3):
        send(live, key, new_trace(), 2, session_id=odd)
    done = admin.browser.delete(f"/api/v1/traces/{trace}")
    assert done.status_code == 200, done.text
    data = done.json()["data"]
    assert (data["traces"], data["spans"]) == (1, 3) and data["bytes"] > 0
    again = admin.browser.delete(f"/api/v1/traces/{trace}")
    assert again.status_code == 404 and again.headers["content-type"] == "application/problem+json"
    assert admin.get(session_path(odd) + "/delete").status_code == 200
    done = admin.browser.delete(f"/api/v1{session_path(odd)}")
    assert (done.json()["data"]["traces"], done.json()["data"]["spans"]) == (3, 6)
    assert admin.get(session_path(odd), headers={"Accept": "text/html"}).status_code == 404
    assert admin.browser.delete(f"/api/v1{session_path(odd)}").status_code == 404
    assert admin.browser.delete("/api/v1/traces/%00").status_code == 404
    assert admin.browser.delete("/api/v1/sessions/%00").status_code == 404
    assert admin.browser.delete("/api/v1/sessions/~AA").status_code == 404
    total = admin.get("/api/v1/analytics/summary?range=30d").json()
    total = total.get("data", total)
    assert total["traces"] == 0


def test_a_session_is_deleted_by_its_page(live: Server, admin: Person, key: str) -> None:
    send(live, key, new_trace(), 2, session_id="s-1")
    assert 'href="/sessions/s-1/delete"' in admin.get("/sessions/s-1").text
    done = admin.post("/sessions/s-1/delete")
    assert done.status_code == 303 and "This session was deleted" in admin.get(done.headers["location"]).text


def test_only_owners_may_and_no_key(live: Server, admin: Person, key: str, join: Join) -> None:
    trace = new_trace()
    send(live, key, trace, session_id="s")
    for role in ("reviewer", "viewer"):
        person = join(role)
        assert "/delete" not in person.get(f"/traces/{trace}").text + person.get("/sessions/s").text
        for path in (f"/traces/{trace}/delete", "/sessions/s/delete"):
            assert person.get(path).status_code == 403 and person.post(path).status_code == 403
        for path in (f"/api/v1/traces/{trace}", "/api/v1/sessions/s"):
            assert person.browser.delete(path).status_code == 403
    with httpx.Client(base_url=live.url, trust_env=False, verify=False) as client:
        for headers, status in (({"Authorization": f"Bearer {key}"}, 403), ({}, 401)):
            assert client.delete(f"/api/v1/traces/{trace}", headers=headers).status_code == status
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Accept": "text/html"}
    assert admin.browser.post(f"/traces/{trace}/delete", headers=elsewhere).status_code == 403
    assert admin.get(f"/traces/{trace}").status_code == 200


def test_how_it_stands_is_said(admin: Person, key: str) -> None:
    page = admin.get("/settings/data").text
    assert "<strong>90 days</strong>" in page and "nothing yet" in page
    health = admin.get("/api/v1/health").json()
    assert health["tasks"]["retention"]["running"] and health["status"] == "ok"
    instance = admin.get("/api/v1/instance").json()
    assert instance["retention_days"] == 90 and instance["last_purge_us"] is None
    assert re.search(r"Data</a>", page)
