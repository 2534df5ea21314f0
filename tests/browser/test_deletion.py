"""A trace is deleted for good by its page, and another page that is open on it says so by itself."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.site import Site
from tests.http.otlp import export, partial, request, span


def test_a_trace_is_deleted_for_good_and_whoever_looks_at_it_is_told(visit: Visit, site: Site) -> None:
    trace = f"{0xDE1E7ED:032x}"
    assert partial(export(site.server, request(span(trace)))) == (0, "")
    onlooker, page = visit(site.server, site.people["viewer"]), visit(site.server, site.people["owner"])
    onlooker.goto(f"/traces/{trace}")
    onlooker.wait_for_selector("[data-stream=live]")
    expect(onlooker.get_by_role("link", name="Delete…")).to_have_count(0)
    page.goto(f"/traces/{trace}")
    page.get_by_role("link", name="Delete…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete this trace for good?")
    page.get_by_role("link", name="Keep it").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("button", name="Delete 1 step for good").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This trace was deleted")
    expect(onlooker.get_by_role("heading", level=1)).to_have_text("This trace was deleted")
