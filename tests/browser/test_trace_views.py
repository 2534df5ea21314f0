"""The views of a trace: by the mouse, by the keyboard alone, and without script."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import traces
from tests.browser.conftest import Visit
from tests.browser.site import Site
from tests.browser.test_fragments import Answers, kept, mark, one_fragment
from tests.browser.test_hostile import assert_clean
from tests.browser.test_keyboard import focus, press

VIEWS = ("Summary", "Timeline", "Graph", "Flow", "Verdicts", "Raw")
FAILED = f'a.node[data-n="{traces.span_id(4)}"]'


def test_a_tab_brings_the_view_and_leaves_the_panel(site: Site, page: Page) -> None:
    page.goto(site.trace("broken", span=3))
    answers = Answers(page)
    mark(page, "#panel .panel-body", ".trace-head")
    for word in VIEWS:
        page.locator(".tabs.views").get_by_role("link", name=word).click()
        expect(page.locator(".tabs.views [aria-current]")).to_have_text(word)
        one_fragment(answers, "tree")
        expect(page.locator("#panel h2")).to_have_text("execute_tool get_order")
        assert kept(page, "#panel .panel-body") and kept(page, ".trace-head")
        if word != "Timeline":
            expect(page).to_have_url(re.compile(f"view={word.lower()}.*span={traces.span_id(3)}"))
    page.go_back()
    expect(page.locator(".tabs.views [aria-current]")).to_have_text("Verdicts")


def test_a_node_opens_its_step_beside_the_graph(site: Site, page: Page) -> None:
    page.goto(site.trace("broken", view="graph"))
    expect(page.locator("#panel h2")).to_have_text("execute_tool query_ledger")
    expect(page.locator(FAILED)).to_have_attribute("aria-current", "true")
    answers = Answers(page)
    mark(page, ".graph")
    page.locator("a.node", has_text="get_order").click()
    expect(page.locator("#panel h2")).to_have_text("execute_tool get_order")
    expect(page).to_have_url(re.compile(f"view=graph.*span={traces.span_id(3)}"))
    one_fragment(answers, "panel")
    assert kept(page, ".graph")
    expect(page.locator("a.node[aria-current]")).to_contain_text("get_order")
    # What is marked as its path is what the server marks
    marked = "[...document.querySelectorAll('.on-path [data-n], path.e.on')].map((e) => e.dataset.n ?? e.dataset.to)"
    by_script = page.evaluate(marked)
    page.reload()
    assert sorted(page.evaluate(marked)) == sorted(by_script) and by_script
    page.go_back()
    expect(page.locator("#panel h2")).to_have_text("execute_tool query_ledger")


def test_the_failing_step_is_found_by_the_keyboard_alone(site: Site, page: Page) -> None:
    page.goto(site.trace("broken", view="graph", span="none"))
    for _ in range(60):
        press(page, "Tab")
        if page.evaluate("document.activeElement.matches('a.node')"):
            break
    expect(page.locator("a.node:focus")).to_contain_text("refund-agent")
    focus(page)
    # Arrows lead along the edges and to the neighbours; nothing leads out of the graph.
    graph = page.locator("svg[data-graph]")
    deeper, across = (
        ("ArrowDown", "ArrowRight") if graph.get_attribute("data-graph") == "down" else ("ArrowRight", "ArrowDown")
    )
    reached = set()
    for key in [deeper, across, across, across, across, across, deeper, across, deeper, across, deeper, across]:
        press(page, key)
        focus(page)
        reached.add(page.locator("a.node:focus title").text_content())
        if (
            "Error" in (page.locator("a.node:focus title").text_content() or "")
            and page.locator(FAILED + ":focus").count()
        ):
            break
    expect(page.locator(FAILED)).to_be_focused()
    press(page, "Enter")
    expect(page.locator("#panel h2")).to_have_text("execute_tool query_ledger")
    expect(page.locator("#panel .note.error")).to_contain_text("did not answer")
    press(page, "Escape")
    expect(page.locator("#panel h2")).to_have_count(0)
    expect(page.locator(FAILED)).to_be_focused()
    focus(page)


def test_edges_of_a_type_are_hidden_and_shown(site: Site, page: Page) -> None:
    page.goto(site.trace("broken", view="graph"))
    contains = page.locator(".graph path.e-contains")
    assert contains.count() >= 5
    page.locator("#edges-contains").click()
    expect(contains).to_have_count(0)
    expect(page).to_have_url(re.compile("edges=calls"))
    expect(page.locator("a.node")).to_have_count(6)
    page.locator("#edges-contains").click()
    expect(page).not_to_have_url(re.compile("edges="))
    assert contains.count() >= 5


def test_a_large_trace_is_folded_and_says_so(site: Site, page: Page) -> None:
    page.goto(site.trace("big", view="graph"))
    status = page.locator("#tree [role=status]")
    expect(status).to_contain_text("of 3,001 steps drawn" if page.locator("text=3,001").count() else "steps drawn")
    before = page.locator("a.node[data-step]").count()
    assert 20 < before <= 120
    rest = page.locator("a.node[data-unfold]").first
    assert (rest.text_content() or "").strip().count("+") >= 1
    rest.click()
    expect(page).to_have_url(re.compile("open="))
    page.wait_for_function(f"document.querySelectorAll('a.node[data-step]').length > {before}")
    page.get_by_role("link", name="Fold all").click()
    expect(page).not_to_have_url(re.compile("open="))
    expect(page.locator("a.node[data-step]")).to_have_count(before)


@pytest.mark.parametrize("javascript", [True, False])
def test_the_graph_is_a_file_of_its_own(javascript: bool, visit: Visit, site: Site, tmp_path: Path) -> None:
    page = visit(site.server, site.people["owner"], javascript=javascript)
    page.goto(site.trace("hostile", view="graph"))
    with page.expect_download() as started:
        page.get_by_role("link", name="Download SVG").click()
    assert started.value.suggested_filename == f"trace-{site.traces['hostile']}.svg"
    started.value.save_as(tmp_path / "graph.svg")
    root = ET.parse(tmp_path / "graph.svg").getroot()
    assert root.tag.endswith("}svg")
    names = {el.tag.rpartition("}")[2] for el in root.iter()}
    assert names <= {"svg", "title", "desc", "rect", "defs", "marker", "circle", "path", "g", "text"}
    assert traces.SCRIPT[:30] in ET.tostring(root, "unicode", "text")


def test_without_script_every_view_and_every_link_works(visit: Visit, site: Site) -> None:
    page = visit(site.server, site.people["owner"], javascript=False)
    page.goto(site.trace("broken", span=3))
    for word in VIEWS:
        page.locator(".tabs.views").get_by_role("link", name=word).click()
        expect(page.locator(".tabs.views [aria-current]")).to_have_text(word)
        expect(page.locator("#panel h2")).to_have_text("execute_tool get_order")
    page.locator(".tabs.views").get_by_role("link", name="Graph").click()
    page.locator(FAILED).click()
    expect(page.locator("#panel h2")).to_have_text("execute_tool query_ledger")
    expect(page.locator(FAILED)).to_have_attribute("aria-current", "true")
    page.locator("#edges-contains").click()
    expect(page.locator(".graph path.e-contains")).to_have_count(0)
    page.get_by_text("as a table").click()
    page.locator(".tabs.views").get_by_role("link", name="Flow").click()
    for word in ("Tokens", "Time", "Cost"):
        page.get_by_role("link", name=word, exact=True).click()
        expect(page.locator(".segments [aria-current]")).to_have_text(word)
    page.goto(site.trace("big", view="graph"))
    page.locator("a.node[data-unfold]").first.click()
    expect(page).to_have_url(re.compile("open="))
    page.goto(site.trace("big", view="raw"))
    page.get_by_role("link", name="Show the next").click()
    expect(page).to_have_url(re.compile("after="))
    page.get_by_role("link", name="Back to the first").click()
    expect(page).not_to_have_url(re.compile("after="))


def test_a_trace_is_a_file(site: Site, page: Page, tmp_path: Path) -> None:
    page.goto(site.trace("hostile", view="raw"))
    with page.expect_download() as started:
        page.get_by_role("link", name="Export as NDJSON").click()
    started.value.save_as(tmp_path / "trace.ndjson")
    *spans, manifest = map(json.loads, (tmp_path / "trace.ndjson").read_bytes().splitlines())
    assert manifest["manifest"]["spans"] == len(spans) == page.locator("details.record").count()


@pytest.mark.parametrize("view", ["summary", "graph", "flow&measure=tokens", "flow&measure=time", "verdicts", "raw"])
def test_hostile_names_stay_text(view: str, site: Site, page: Page) -> None:
    page.goto(site.trace("hostile") + f"?view={view}")
    assert_clean(page)
    for link in ("#view-graph", "#view-flow", "#view-summary"):
        page.locator(link).click()
        expect(page.locator(link)).to_have_attribute("aria-current", "page")
        assert_clean(page)


def test_of_two_views_asked_for_the_later_stays(site: Site, page: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.goto(site.trace("broken"))
    page.route("**/*view=graph*", hold)
    page.locator("#view-graph").click()
    expect(page.locator("#view-timeline")).to_have_attribute("aria-current", "page")
    page.locator("#view-flow").click()
    page.wait_for_timeout(300)
    held[0].continue_()
    page.wait_for_timeout(1_000)
    expect(page.locator("#view-flow")).to_have_attribute("aria-current", "page")
    expect(page).to_have_url(re.compile("view=flow"))
