"""Whatever an agent writes is text: nothing runs, nothing is made of it, and it does not break the page's order."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import traces
from tests.browser.conftest import Visit
from tests.browser.places import TABS
from tests.browser.site import Cookies, Site, sign_in

# The `watch` fixture fails on any dialog, script error, policy violation and failed request as well.
_MADE = """() => ({
  pwned: window.__pwned ?? null,
  scripts: [...document.scripts].filter((s) => !s.src.startsWith(location.origin + "/static/")).length,
  images: document.images.length,
  handlers: [...document.querySelectorAll("*")].filter(
    (el) => [...el.attributes].some((a) => /^on/i.test(a.name))).length,
  links: [...document.links].filter((a) => a.protocol !== location.protocol || a.host !== location.host).length,
})"""
CLEAN = {"pwned": None, "scripts": 0, "images": 0, "handlers": 0, "links": 0}


def assert_clean(page: Page) -> None:
    page.wait_for_load_state("load")
    assert page.evaluate(_MADE) == CLEAN


def test_in_the_list(site: Site, page: Page) -> None:
    page.goto("/traces")
    assert_clean(page)
    row = page.locator("tr", has=page.locator(f'a[href="/traces/{site.traces["hostile"]}"]'))
    expect(row).to_contain_text(traces.SCRIPT)
    expect(page.get_by_label("Agent").locator("option", has_text=traces.IMAGE)).to_have_count(1)
    # As a filter: in the select, the chip and the address
    page.get_by_label("Agent").select_option(traces.IMAGE)
    expect(page.get_by_role("list", name="Filters in force")).to_contain_text(traces.IMAGE[:50])
    expect(page.locator("a.whole")).to_have_count(1)
    assert_clean(page)
    page.reload()
    expect(page.get_by_label("Agent")).to_have_value(traces.IMAGE)
    assert_clean(page)
    # As a query that matches nothing, and with a session that closes the attribute
    page.goto("/traces?" + "&".join(f"{name}=%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E" for name in ("q", "session")))
    expect(page.get_by_role("heading", name="No trace matches")).to_be_visible()
    assert_clean(page)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_in_a_trace(number: int, site: Site, page: Page) -> None:
    for tab in TABS:
        page.goto(site.trace("hostile", span=number, tab=tab))
        assert_clean(page)
        for folded in page.locator("#panel details:not([open]) > summary").all():
            if folded.is_visible():
                folded.click()
        assert_clean(page)
    expect(page.locator("#panel h2")).to_contain_text("7*7" if number == 5 else "<" if number != 4 else "onload=")
    assert "49" not in page.locator("#panel h2").inner_text()


def test_in_fragments(site: Site, page: Page) -> None:
    page.goto(site.trace("hostile"))
    assert_clean(page)
    lines = page.locator(".waterfall a[data-row]")
    for n in range(lines.count()):
        lines.nth(n).click()
        expect(lines.nth(n)).to_have_attribute("aria-current", "true")
        assert_clean(page)
    page.get_by_label("Find in this trace").fill(traces.SCRIPT)
    page.get_by_label("Find in this trace").press("Enter")
    expect(page.locator(".tree-bar")).to_contain_text("match")
    expect(page.get_by_label("Find in this trace")).to_have_value(traces.SCRIPT)
    assert_clean(page)


def test_in_names_of_projects_people_and_keys(visit: Visit, site: Site) -> None:
    page = visit(site.server, _owner_of_a_new_project(visit, site, traces.IMAGE))
    page.goto("/settings/keys")
    page.get_by_label("Name", exact=True).fill(traces.IMAGE)
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("region", name="New key")).to_contain_text(traces.IMAGE)
    assert_clean(page)
    page.locator("tbody button", has_text="Revoke").click()
    expect(page.get_by_role("dialog")).to_contain_text(traces.IMAGE[:50])
    assert_clean(page)
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    for path in ("/settings", "/settings/project", "/settings/members", "/settings/ingest", "/traces"):
        page.goto(path)
        expect(page.locator(".rail .project .name")).to_contain_text(traces.IMAGE[:50])
        assert_clean(page)


def _owner_of_a_new_project(visit: Visit, site: Site, name: str) -> Cookies:
    cookies = sign_in(site.server, site.server.email, site.server.password)
    page = visit(site.server, cookies)
    page.goto("/settings/project")
    page.locator("#f-new-name").fill(name)
    page.get_by_role("button", name="Make the project").click()
    expect(page.locator("main").get_by_role("status")).to_contain_text("was made")
    return cookies


def test_right_to_left_names_are_isolated(site: Site, page: Page) -> None:
    directions = """(el) => {
      const found = [];
      for (let at = el; at && at.tagName !== "MAIN"; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (style.unicodeBidi.includes("isolate") || style.unicodeBidi === "plaintext") return true;
        found.push(at.tagName);
      }
      return found.join(" ");
    }"""
    page.goto(site.trace("rtl", span=2, tab="io"))
    shown = page.locator(f"main :text-is('{traces.RTL_NAME}')")
    assert shown.count() >= 5
    for each in shown.all():
        assert each.evaluate(directions) is True, each.evaluate("el => el.outerHTML")
    # What follows such a name stays on its right, as in every other row.
    page.goto("/traces")
    name = page.locator(f"a.whole :text-is('{traces.RTL_NAME}')").bounding_box()
    other = page.locator("a.whole :text-is('refund-agent')").first.bounding_box()
    error = page.locator(f".first-error:has-text('{traces.RTL_NAME}')").bounding_box()
    assert name and error and other
    assert name["x"] == pytest.approx(other["x"], abs=1)
    assert error["x"] > name["x"] + name["width"] - 1


def test_long_names_are_cut_and_whole_in_the_title(site: Site, page: Page) -> None:
    page.goto("/traces")
    name = page.locator(f'bdi[title="{traces.LONG_NAME}"]')
    cell = page.locator("td.c-name", has=name)
    box, row = cell.bounding_box(), page.locator("tr", has=name).bounding_box()
    assert box and row and row["height"] < 40, "one line per row"
    assert cell.evaluate("el => el.scrollWidth > el.clientWidth && getComputedStyle(el).textOverflow") == "ellipsis"
    expect(page.locator("td.c-agent", has_text="A" * 70).locator("[title]")).to_have_attribute("title", "A" * 200)
    page.goto(site.trace("long", span=2))
    expect(page.locator(f'h1 [title="{traces.LONG_NAME}"]')).to_be_visible()
    expect(page.locator("#panel h2 [title]")).to_have_attribute("title", "W" * 200)
    heading = page.locator("h1").bounding_box()
    assert heading and heading["height"] < 60, "two lines at most"
    for line in page.locator(".waterfall > li").all():
        height = line.bounding_box()
        assert height and height["height"] < 40, "one line per step"
    # A step's whole name can be read without opening it.
    for name, text in ((0, traces.LONG_NAME), (1, "W" * 200)):
        found = page.locator(".waterfall a[data-row]").nth(name)
        assert text in (found.get_attribute("title") or found.locator("bdi").get_attribute("title") or "")
