"""Pages in a real browser, under the real policy: with the mouse, with the keyboard, and without script."""

import re

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.looks import samples
from tests.looks.__main__ import ARGS, Site, addresses, look

pytestmark = pytest.mark.browser
SMALL, REFUND, HOSTILE, BIG = samples.TRACES


@pytest.fixture(scope="module")
def base():
    with Site() as base:
        yield base


@pytest.fixture(scope="module")
def browser(chromium):
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser, base):
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, base_url=base, locale="en-GB", timezone_id="Asia/Tokyo"
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    wrong = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" and "404" not in m.text else None)
    page.on("pageerror", lambda e: wrong.append(str(e)))
    page.loads = 0
    page.on("load", lambda: setattr(page, "loads", page.loads + 1))
    yield page
    context.close()
    assert wrong == []


def test_a_click_on_a_step_fetches_its_panel_only_and_has_its_own_url(page):
    page.goto(f"/traces/{REFUND}")
    page.click("text=ask a person")
    page.wait_for_selector("#panel h2:has-text('ask a person')")
    assert page.loads == 1
    assert "span=" in page.url
    assert page.inner_text(".waterfall [aria-current]") == "ask a person"
    page.click("#tab-attributes")
    page.wait_for_selector("#tab-attributes[aria-current]")
    assert "tab=attributes" in page.url and page.loads == 1
    page.reload()
    assert page.inner_text(".waterfall [aria-current]") == "ask a person"
    page.go_back()
    page.wait_for_selector("#panel h2:has-text('ask a person')")
    page.go_back()
    page.wait_for_selector("#panel h2:has-text('connect ledger-replica-2')")


def test_a_trace_by_keyboard(page):
    page.goto(f"/traces/{REFUND}")
    page.keyboard.press("]")
    page.wait_for_selector("#panel h2:has-text('ask a person')")
    page.keyboard.press("[")
    page.wait_for_selector("#panel h2:has-text('connect ledger-replica-2')")
    page.keyboard.press("k")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel h2:has-text('get_order')")
    page.keyboard.press("Escape")
    page.wait_for_selector(".split:not(:has(.panel-body))")
    assert page.loads == 1 and "span=none" in page.url


def test_folding_and_finding_keep_the_panel(page):
    page.goto(f"/traces/{REFUND}")
    page.click("[aria-label='Steps below plan']")
    page.wait_for_selector("[aria-label='Steps below plan'][aria-expanded=false]")
    assert page.locator(".waterfall .l").count() == 10
    page.keyboard.press("/")
    page.keyboard.type("claude")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2 matches")
    assert page.locator(".waterfall .l:not(.dim)").count() == 2
    assert page.is_visible("#panel h2:has-text('connect ledger-replica-2')")
    assert page.loads == 1
    page.click("text=Problems only")
    page.wait_for_selector("text=1 match")  # it failed nothing and violated a rule


def test_further_lines_are_appended(page):
    page.goto(f"/traces/{BIG}")
    assert page.locator(".waterfall .l").count() == 500
    page.click("text=Show the next 500")
    expect(page.locator(".waterfall .l")).to_have_count(1000)
    assert page.loads == 1 and "from" not in page.url
    page.locator(".waterfall .l").nth(800).click(position={"x": 200, "y": 10})
    page.wait_for_url("**span=**")
    expect(page.locator(".waterfall [aria-current]")).to_have_count(1)


def test_filters_stand_in_the_url(page):
    page.goto("/traces")
    page.select_option("#f-status", "error")
    page.wait_for_url("**/traces?status=error")
    page.fill("#f-q", 'agent:refund-agent "refund"')
    page.keyboard.press("Enter")
    page.wait_for_url("**/traces?*agent%3A*")
    page.wait_for_selector(".chip:has-text('refund-agent')")
    assert page.input_value("#f-q") == "refund" and page.input_value("#f-agent") == "refund-agent"
    page.click(".chip:has-text('status')")
    page.wait_for_url("**/traces?q=refund&agent=refund-agent")
    page.click("#range-7d")
    page.wait_for_url("**range=7d**")
    assert page.loads == 1


def test_older_rows_are_appended(page):
    page.goto("/traces")
    page.click("text=Load older")
    expect(page.locator(".traces tbody tr")).to_have_count(100)
    expect(page.locator("#more")).to_have_count(0)
    assert page.loads == 1


def test_the_list_by_keyboard(page):
    page.goto("/traces")
    for _ in range(3):
        page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 3
    page.keyboard.press("Enter")
    page.wait_for_url("**/traces/*")
    page.goto("/look/keys")
    page.keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url("**/traces")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")


def test_theme_and_density_are_remembered_without_a_flash(page):
    page.goto("/traces")
    page.click(".person summary")
    page.click("[data-set-theme=dark]")
    page.click("[data-toggle-density]")
    page.goto("/look/keys")
    root = page.locator("html")
    assert (root.get_attribute("data-theme"), root.get_attribute("data-density")) == ("dark", "compact")
    assert {c["name"]: c["value"] for c in page.context.cookies()} == {"theme": "dark", "density": "compact"}


def test_copying_and_confirming(page):
    page.goto("/look/keys-made")
    page.click(".secret button")
    expect(page.locator("#said")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == samples.SECRET
    page.click(".code button")
    expect(page.locator(".code use")).to_have_attribute("href", re.compile("#check"))
    assert page.evaluate("navigator.clipboard.readText()").startswith("export OTEL_EXPORTER_OTLP_ENDPOINT=")
    page.click("button[aria-label='Revoke checkout agent, production']")
    assert page.is_visible("#confirm:has-text('is refused at once')")
    page.click("#confirm button:has-text('Cancel')")
    assert page.url.endswith("/look/keys-made")
    page.click("button[aria-label='Revoke checkout agent, production']")
    with page.expect_request("**/settings/keys/0/revoke") as sent:
        page.click("#confirm button:has-text('Revoke')")
    assert sent.value.method == "POST"


def test_times_are_local_with_utc_at_hand(page):
    page.goto("/look/keys")
    old = page.locator("tr:has-text('old laptop') time").first
    assert old.inner_text() == "15 Nov, 15:00"
    assert "2026-11-15 06:00:00" in old.get_attribute("title") and "UTC" in old.get_attribute("title")


def test_an_error_or_a_dead_server_leaves_the_page_standing(page):
    page.goto(f"/traces/{REFUND}")
    page.evaluate("document.querySelector('.waterfall a[data-row]').setAttribute('href', '/traces/unknown?span=x')")
    page.locator(".waterfall a[data-row]").first.evaluate("a => htmx.ajax('GET', '/traces/unknown', '#panel')")
    page.wait_for_selector("#problem:has-text('There is no such trace here.')")
    assert page.locator(".waterfall .l").count() == 14


def test_without_script(browser, base):
    context = browser.new_context(java_script_enabled=False, base_url=base, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto("/traces")
    page.fill("#f-q", "status:error")
    page.click("button:has-text('Filter')")
    assert page.locator(".chip:has-text('error')").count() == 1
    page.click(".traces tbody tr >> nth=0")
    assert "/traces/" in page.url
    page.goto(f"/traces/{REFUND}")
    page.click("text=ask a person")
    assert page.inner_text("#panel h2") == "ask a person"
    page.click("[data-close]")
    assert not page.is_visible("#panel")
    page.click("text=Problems only")
    assert page.locator(".waterfall .l").count() == 4
    context.close()


def test_on_a_phone_the_panel_covers_the_tree_and_closes(browser, base):
    context = browser.new_context(base_url=base, viewport={"width": 360, "height": 740}, has_touch=True)
    page = context.new_page()
    page.goto(f"/traces/{REFUND}")
    page.tap("text=ask a person")
    page.wait_for_selector("#panel h2:has-text('ask a person')")
    assert page.evaluate("getComputedStyle(document.querySelector('#panel')).position") == "fixed"
    page.tap("[data-close]")
    page.wait_for_selector(".split:not(:has(.panel-body))")
    assert page.is_visible(".waterfall")
    context.close()


@pytest.mark.parametrize(("width", "theme"), [(360, "dark"), (1280, "light")])
@pytest.mark.parametrize(
    "name",
    ["traces-filtered", "start", "login", "keys-made", "members", "trace-refund-talk", "trace-hostile-attributes"],
)
def test_accessible_and_nothing_wider_than_the_screen(browser, base, axe, name, width, theme):
    assert look(browser, base, name, addresses()[name], width, theme, None, axe) == []
