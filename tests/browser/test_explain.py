"""From what went wrong to what caused it, in a real browser."""

from __future__ import annotations

import itertools
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.governed import tool_span
from tests.browser.site import Site

_numbers = itertools.count(0xEA00)


@pytest.fixture
def page(visit: Visit, site: Site) -> Page:
    """As the owner of the project that is governed sees it."""
    return visit(site.server, site.people["governor"])


def test_from_a_violation_to_its_cause_in_two_clicks(site: Site, page: Page) -> None:
    trace = f"{next(_numbers):032x}"
    site.governed.send(
        tool_span(trace, 1, "look_up", {"what": "age"}, agent="cleaner"),
        tool_span(trace, 2, "delete_records", {"table": "customers", "count": 4711}, agent="cleaner"),
    )
    page.goto(f"/violations?q=trace:{trace}")
    page.locator("tbody a.whole").first.click()
    page.get_by_role("button", name="Explain").click()
    expect(page).to_have_url(re.compile("/explain/abl_"))
    expect(page.locator(".finding .says")).to_contain_text("Without delete_records", timeout=15_000)
    cause = page.locator(".cause-sets a").first
    expect(cause).to_have_text("delete_records")
    expect(page.get_by_text("1 other step has no part in it")).to_be_visible()
    cause.click()
    expect(page).to_have_url(re.compile(f"/traces/{trace}.*{2:016x}"))
    expect(page.locator("#panel")).to_contain_text("4711")


def test_a_trace_says_what_can_be_asked_and_the_keyboard_asks(site: Site, page: Page) -> None:
    page.goto(site.governed.trace)
    page.locator("a.explain").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/explain\?trace="))
    page.get_by_role("button", name="Why did it take so long?").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/explain/abl_"))
    expect(page.locator(".shares tbody tr").first).to_be_visible(timeout=15_000)
    page.keyboard.press("g")
    page.keyboard.press("x")
    expect(page.locator(".asked-before")).to_contain_text("Why did it take so long?")


def test_without_scripts(site: Site, visit: Visit) -> None:
    page = visit(site.server, site.people["governor"], javascript=False)
    page.goto(f"/explain?trace={site.governed.trace.rpartition('/')[2]}")
    page.get_by_role("button", name="Why is bulk-delete-prevention violated?").click()
    expect(page.locator(".finding .says")).to_contain_text("delete_records")


def test_an_open_page_shows_progress_and_then_the_answer(site: Site, page: Page) -> None:
    trace = f"{next(_numbers):032x}"
    tokens = {"input": 40, "output": 5}
    steps = [
        tool_span(trace, n, "call", None, agent="busy", kind="llm", model="gpt-4o", tokens=tokens)
        for n in range(1, 3_001)
    ]
    for i in range(0, len(steps), 1_000):
        site.governed.send(*steps[i : i + 1_000])
    page.goto(f"/explain?trace={trace}")
    page.get_by_role("button", name="Why did it use so many tokens?").click()
    expect(page).to_have_url(re.compile("/explain/abl_"))
    expect(page.locator(".shares tbody tr").first).to_be_visible(timeout=60_000)
    expect(page.locator(".finding")).to_contain_text("estimated from")
