"""From a number to the list that it counts; charts without a mouse; a conversation across its traces."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.site import Site


def number(page: Page, id_: str) -> int:
    return int(page.locator(f"#number-{id_} .value a").inner_text())


@pytest.mark.parametrize("javascript", [True, False])
def test_each_number_leads_to_the_list_it_counts(site: Site, visit: Visit, javascript: bool) -> None:
    page = visit(site.settled().server, site.people["owner"], javascript=javascript)
    page.goto("/")
    errors, traces = number(page, "errors"), number(page, "traces")
    assert errors > 0 and traces > 50
    page.locator("#number-errors .value a").click()
    expect(page).to_have_url(re.compile(r"/traces\?status=error&range=24h$"))
    expect(page.locator("tbody tr")).to_have_count(errors)
    page.goto("/")
    row = page.locator("#by-agent tbody tr", has_text="refund-agent")
    expect(row.locator("td").first).to_have_text("1")
    row.locator("td a").click()
    expect(page).to_have_url(re.compile(r"/traces\?agent=refund-agent&status=error&range=24h$"))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.goto("/")
    page.locator("#by-tool").get_by_role("link", name="query_ledger").click()
    expect(page).to_have_url(re.compile(r"/traces\?tool=query_ledger&range=24h$"))
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator(".chips")).to_contain_text("query_ledger")


def test_violations_and_what_waits_are_counted_as_their_lists_have_them(site: Site, visit: Visit) -> None:
    page = visit(site.server, site.people["governor"])
    page.goto("/?range=1h")
    violations, waiting = number(page, "violations"), number(page, "approvals")
    assert violations > 0 and waiting > 0
    page.locator("#number-violations .value a").click()
    expect(page).to_have_url(re.compile(r"/violations\?outcome=violation&range=1h$"))
    while (more := page.get_by_role("link", name="Load older")).count():
        rows = page.locator("tbody tr:not(.more)").count()
        more.click()
        expect(page.locator("tbody tr:not(.more)").nth(rows)).to_be_visible()
    expect(page.locator("tbody tr:not(.more)")).to_have_count(violations)
    page.goto("/?range=1h")
    page.locator("#number-approvals .value a").click()
    expect(page.locator(".ask-card")).to_have_count(waiting)


@pytest.mark.parametrize("javascript", [True, False])
def test_the_range_stands_in_the_address(site: Site, visit: Visit, javascript: bool) -> None:
    page = visit(site.server, site.people["owner"], javascript=javascript)
    page.goto("/")
    chosen = page.get_by_role("navigation", name="Time range").locator("[aria-current]")
    expect(chosen).to_have_text("24h")
    steps = page.locator("#chart-traces [data-col]")
    expect(steps).to_have_count(25)
    page.get_by_role("link", name="7d").click()
    expect(page).to_have_url(re.compile(r"/\?range=7d$"))
    expect(chosen).to_have_text("7d")
    expect(steps).to_have_count(29)
    page.go_back()
    expect(chosen).to_have_text("24h")


def test_a_chart_is_read_by_keyboard_and_has_its_table(site: Site, visit: Visit) -> None:
    page = visit(site.server, site.people["owner"])
    page.goto("/")
    chart = page.locator("#chart-traces")
    steps = chart.locator("[data-col]")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#chart-traces [data-col]')"):
            break
    expect(steps.last).to_be_focused()
    says = chart.locator("[data-col]:focus .says")
    expect(says).to_be_visible()
    last = says.text_content() or ""
    assert re.fullmatch(r"\d\d:\d\d: errors \d+, others \d+", last)
    page.keyboard.press("ArrowLeft")
    expect(steps.nth(23)).to_be_focused()
    expect(says).to_be_visible()
    page.keyboard.press("Home")
    expect(steps.first).to_be_focused()
    page.keyboard.press("End")
    expect(steps.last).to_be_focused()
    # One stop: the next is outside of the chart's steps.
    page.keyboard.press("Tab")
    expect(chart.locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    rows = chart.locator("tbody tr")
    expect(rows).to_have_count(25)
    counted = sum(int(cell) for cell in chart.locator("tbody td").all_inner_texts())
    assert counted == number(page, "traces")
    assert re.findall(r"\d+", last)[2:] == rows.last.locator("td").all_inner_texts()


def test_a_conversation_and_back_to_its_traces(site: Site, visit: Visit) -> None:
    page = visit(site.server, site.people["owner"])
    page.goto("/")
    for key in "gn":
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("/sessions$"))
    page.get_by_role("link", name="sess-weather").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("sess-weather")
    # Its root says nothing; its model call does.
    expect(page.locator(".exchange .r-user")).to_contain_text("What should I wear in Oslo?")
    expect(page.locator(".exchange .r-assistant")).to_contain_text("A warm waterproof jacket.")
    page.locator(".exchange a.to-trace").click()
    expect(page).to_have_url(re.compile(f"/traces/{site.traces['small']}"))


def test_agents_lead_to_their_traces(site: Site, visit: Visit) -> None:
    page = visit(site.settled().server, site.people["owner"])
    page.goto("/traces")
    for key in "ge":
        page.keyboard.press(key)
    expect(page).to_have_url(re.compile("/agents$"))
    row = page.locator("tbody tr", has_text="refund-agent")
    expect(row).to_contain_text("100 %")
    row.get_by_role("link", name="refund-agent").click()
    expect(page).to_have_url(re.compile(r"/traces\?agent=refund-agent&range=24h$"))
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_phone_has_every_place(site: Site, visit: Visit) -> None:
    page = visit(site.server, site.people["owner"], width=360, height=740)
    page.goto("/")
    for name in ("Sessions", "Agents", "Constitution"):
        page.locator("details.more-places > summary").click()
        page.locator("details.more-places").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
