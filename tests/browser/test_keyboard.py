"""The main path with the keyboard alone; where the focus is can always be seen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.site import PASSWORD, Site

# What shows the focus: an outline or shadow of the element itself, or of the ::after by which a link covers its row.
_FOCUS = """() => {
  const el = document.activeElement;
  if (!el || el === document.body) return null;
  const shows = (s) => (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== "none";
  const box = el.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), y = box.top + box.height / 2;
  const over = document.elementFromPoint(x, y);
  return {
    html: el.outerHTML.slice(0, 160),
    shown: shows(getComputedStyle(el)) || shows(getComputedStyle(el, "::after")),
    inWindow: box.bottom > 0 && box.top < innerHeight,
    covered: !over || !(el.contains(over) || over.contains(el) || el.parentElement.contains(over)),
    over: over?.outerHTML.slice(0, 100),
    main: !!el.closest("main"),
    top: box.top, left: box.left,
  };
}"""


def focus(page: Page) -> dict[str, Any]:
    """Where the focus is; it can be seen there."""
    at: dict[str, Any] | None = page.evaluate(_FOCUS)
    assert at is not None, "nothing has the focus"
    assert at["shown"], f"the focus does not show on {at['html']}"
    assert at["inWindow"], f"outside the window: {at}"
    assert not at["covered"], f"covered by {at['over']}: {at['html']}"
    return at


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_the_main_path(visit: Visit, site: Site) -> None:
    page = visit(site.server)
    page.goto("/traces")

    # Sign in: the first field has the focus, the form is sent with Enter
    expect(page.get_by_label("E-mail")).to_be_focused()
    focus(page)
    page.keyboard.type("colleague@example.org")
    press(page, "Tab")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    expect(page).to_have_url(re.compile("/traces$"))

    # The query line, by /
    press(page, "/")
    expect(page.get_by_label("Query")).to_be_focused()
    focus(page)
    page.keyboard.type("agent:refund-agent")
    press(page, "Enter")
    expect(page.locator("a.whole")).to_have_count(1)
    expect(page).to_have_url(re.compile("agent"))
    press(page, "/", "Escape")
    expect(page.get_by_label("Query")).not_to_be_focused()

    # All of them again; j and k move, and stop at the ends
    press(page, "g", "t")
    expect(page).to_have_url(re.compile("/traces$"))
    rows = page.locator("a[data-row]")
    press(page, "j")
    expect(rows.nth(0)).to_be_focused()
    focus(page)
    press(page, "j", "j", "k")
    expect(rows.nth(1)).to_be_focused()
    press(page, "k", "k", "k")
    expect(rows.nth(0)).to_be_focused()
    press(page, "j")
    focus(page)
    press(page, "Enter")
    expect(page).to_have_url(re.compile(f"/traces/{site.traces['broken']}$"))

    # In the trace it starts from the step that is open
    heading = page.locator("#panel h2")
    lines = page.locator(".waterfall a[data-row]")
    expect(heading).to_have_text("execute_tool query_ledger")
    press(page, "j")
    expect(lines.nth(4)).to_be_focused()
    focus(page)
    press(page, "Enter")
    expect(heading).to_have_text("execute_tool notify")
    expect(page.locator(".waterfall [aria-current]")).to_have_text("execute_tool notify")
    press(page, "[")
    expect(heading).to_have_text("execute_tool query_ledger")
    press(page, "[")
    expect(heading).to_have_text("execute_tool get_order")
    expect(page).to_have_url(re.compile("span=0{15}3"))
    press(page, "]", "k")
    expect(heading).to_have_text("execute_tool query_ledger")

    # Esc closes the panel and leaves the focus on the row it was of
    press(page, "Escape")
    expect(page.locator("#panel h2")).to_have_count(0)
    expect(page).to_have_url(re.compile("span=none"))
    expect(page.locator(".waterfall a[data-row]:focus")).to_have_text("execute_tool query_ledger")
    focus(page)
    press(page, "Enter")
    expect(heading).to_have_text("execute_tool query_ledger")

    # / in a trace finds a step
    press(page, "/")
    expect(page.get_by_label("Find in this trace")).to_be_focused()
    page.keyboard.type("notify")
    press(page, "Enter")
    expect(page.locator(".tree-bar")).to_contain_text("1 match")


def test_keys_typed_into_a_field_are_text(page: Page) -> None:
    page.goto("/traces")
    press(page, "/")
    page.keyboard.type("jk?[]/gs")
    expect(page.get_by_label("Query")).to_have_value("jk?[]/gs")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_help_opens_and_closes(page: Page) -> None:
    page.goto("/traces")
    press(page, "j", "?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog).to_be_visible()
    focus(page)
    press(page, "j")
    expect(dialog).to_be_visible()
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    # Back where one was
    expect(page.locator("a[data-row]").nth(0)).to_be_focused()
    press(page, "?")
    expect(dialog).to_be_visible()
    press(page, "Enter")
    expect(dialog).to_be_hidden()


def test_going_back_up_a_long_list_the_row_is_not_under_the_head(page: Page) -> None:
    page.goto("/traces")
    rows = page.locator("a[data-row]")
    press(page, *["j"] * 45)
    expect(rows.nth(44)).to_be_focused()
    focus(page)
    for n in range(43, -1, -1):
        press(page, "k")
        expect(rows.nth(n)).to_be_focused()
        focus(page)


def test_going_up_and_down_a_long_trace_the_line_is_seen(site: Site, page: Page) -> None:
    page.goto(site.trace("big", span=1))
    lines = page.locator(".waterfall a[data-row]")
    for key, numbers in (("j", range(1, 60)), ("k", range(58, 0, -1))):
        for n in numbers:
            press(page, key)
            if n % 5 == 0:
                expect(lines.nth(n)).to_be_focused()
                focus(page)


def test_the_skip_link_leads_past_the_rail(page: Page) -> None:
    page.goto("/traces")
    press(page, "Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    focus(page)
    press(page, "Enter")
    expect(page.locator("main")).to_be_focused()
    press(page, "Tab")
    assert focus(page)["main"]


def test_a_menu_opens_and_closes(page: Page) -> None:
    page.goto("/traces")
    summary = page.locator("details.person > summary")
    for _ in range(16):
        press(page, "Tab")
        if summary.evaluate("el => el === document.activeElement"):
            break
    focus(page)
    press(page, "Enter")
    expect(page.locator("details.person .float")).to_be_visible()
    press(page, "Tab")
    focus(page)
    press(page, "Escape")
    expect(page.locator("details.person .float")).to_be_hidden()
    expect(summary).to_be_focused()


def test_a_question_before_a_key_is_revoked(visit: Visit, site: Site) -> None:
    page = visit(site.server, site.people["empty"])
    page.goto("/settings/keys")
    page.get_by_label("Name", exact=True).fill("to be revoked")
    press(page, "Enter")
    expect(page.get_by_role("heading", name="Copy the secret now")).to_be_visible()
    page.get_by_role("button", name="Revoke to be revoked").focus()
    press(page, "Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Revoke the key “to be revoked”?")
    focus(page)
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Revoke to be revoked")).to_be_focused()
    press(page, "Enter", "Tab", "Enter")
    expect(page.get_by_role("row", name=re.compile("to be revoked"))).to_contain_text("Revoked")


@pytest.mark.parametrize("where", ["/traces?q=ping+1", "/settings/keys", "/settings/members", "trace"])
def test_the_order_of_the_focus(where: str, site: Site, page: Page) -> None:
    page.goto(site.trace("broken") if where == "trace" else where)
    seen: list[str] = []
    positions: list[int] = []
    for _ in range(80):
        press(page, "Tab")
        number = page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        if page.evaluate("document.activeElement === document.body"):
            break
        at = focus(page)
        positions.append(number)
        seen.append(at["html"])
    else:
        raise AssertionError("the focus never came round")
    assert "Skip to content" in seen[0]
    assert positions == sorted(set(positions)), "the order differs from the document's"
    assert page.locator("[tabindex]:not([tabindex='0'], [tabindex='-1'])").count() == 0
    # Everything that can be used was on the way.
    usable = page.locator("main :is(a[href], button, input, select, summary):visible").count()
    assert sum("summary" in h or "href" in h or h.startswith(("<button", "<input", "<select")) for h in seen) >= usable
