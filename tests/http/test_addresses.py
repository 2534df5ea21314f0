"""What no stored text holds, in any part of an address, is not found or refused; never an error of ours."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from tests.http.otlp import export, request, span
from tests.live import Server

TRACE = "a" * 32
CURSOR = base64.urlsafe_b64encode(b"1.a\0b").decode().rstrip("=")
PAGES = ("/traces/{}", "/traces/{}/graph.svg", "/sessions/{}", "/violations/{}", "/approvals/{}", "/constitution/{}",
         "/explain/{}", "/explain?trace={}")  # fmt: skip
API = ("traces/{}", "traces/{}/spans", "traces/{}/graph", "ablations/{}", "ablations?trace={}", "approvals/{}",
       "violations?trace={}", "traces?agent={}", "analytics/breakdown?by={}")  # fmt: skip
LISTS = ("/traces", "/violations", "/approvals", "/explain", "/sessions", "/agents")


@pytest.mark.parametrize("id_", ["%00", "a%00", "%EF%BF%BF", "~AGEA"])
def test_an_address_with_what_no_id_can_be(live: Server, id_: str) -> None:
    export(live, request(span(TRACE)))
    with live.browser() as browser:
        found = {path: browser.get(path.format(id_)).status_code for path in PAGES}
        found |= {path: browser.get("/api/v1/" + path.format(id_)).status_code for path in API}
        found["ask"] = browser.post(f"/traces/{id_}/explain", data={"outcome": '{"error":true}'}).status_code
        found["api"] = browser.post(f"/api/v1/traces/{id_}/ablations", json={"outcome": {"error": True}}).status_code
    assert {path: status for path, status in found.items() if status not in (200, 400, 404)} == {}


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_no_list_gave(live: Server, path: str) -> None:
    with live.browser() as browser:
        assert browser.get(path, params={"after": CURSOR}).status_code in (200, 400)
        assert browser.get(path, params={"q": "\0", "range": "\0"}).status_code in (200, 400)


def test_a_rule_that_no_trace_breaks_whatever_it_is_called(live: Server, new_trace: Callable[[], str]) -> None:
    trace = new_trace()
    export(live, request(span(trace)))
    with live.browser() as browser:
        asked = {"outcome": {"rule": "a\0b"}}
        answer = browser.post(f"/api/v1/traces/{trace}/ablations?wait=20", json=asked)
        assert (answer.status_code, answer.json()["status"]) == (200, "failed")
        span_page = browser.get(f"/traces/{trace.upper()}", params={"span": "\0", "view": "raw", "after": CURSOR})
        assert span_page.status_code == 200
