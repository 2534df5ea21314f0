"""The bottom bar hides nothing, the tree scrolls beside the panel, the theme stays and does not flash."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.places import PLACES
from tests.browser.site import Site
from tests.browser.watch import Watch


@pytest.mark.parametrize("name", ["traces", "trace-broken", "settings-keys", "settings-members"])
def test_what_has_the_focus_is_not_under_the_bottom_bar(name: str, site: Site, visit: Visit, watch: Watch) -> None:
    page = PLACES[name](site, visit, watch, {"width": 360, "height": 640})
    hidden = []
    for _ in range(40):
        page.keyboard.press("Tab")
        if line := page.evaluate(
            """() => {
              const el = document.activeElement, bar = document.querySelector(".rail");
              if (el === document.body || bar.contains(el) || el.matches(".skip")) return "";
              const box = el.getBoundingClientRect(), edge = bar.getBoundingClientRect().top;
              const hidden = box.top >= edge || box.bottom <= 0;
              return hidden ? `${box.top} to ${box.bottom}: ${el.outerHTML.slice(0, 160)}` : "";
            }"""
        ):
            hidden.append(line)
    assert not hidden, "\n".join(hidden)


@pytest.mark.parametrize("width", [1000, 1280, 2560])
def test_the_tree_scrolls_beside_the_open_span(width: int, visit: Visit, site: Site) -> None:
    page = visit(site.server, site.people["owner"], width=width)
    page.goto(site.trace("big", span=1))
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "the page itself scrolls"
    assert page.evaluate("(el => el.scrollHeight > el.clientHeight)(document.querySelector('.tree'))")
    page.locator(".waterfall a[data-row]").nth(300).click()
    expect(page.locator("#panel h2")).to_have_text("fetch page 301")
    for shown in ("#panel h2", ".ruler", ".trace-head", ".waterfall [aria-current]"):
        expect(page.locator(shown)).to_be_in_viewport()


def _theme(page: Page) -> Any:
    return page.evaluate(
        "[document.documentElement.dataset.theme, getComputedStyle(document.body.parentElement).backgroundColor]"
    )


def test_a_chosen_theme_stays_and_does_not_flash(page: Page) -> None:
    # Nothing can be painted before there is a body.
    page.add_init_script("""
      new MutationObserver((_, observer) => {
        if (!document.body) return;
        observer.disconnect();
        window.__atBody = document.documentElement.dataset.theme;
      }).observe(document, {childList: true, subtree: true});
      addEventListener("DOMContentLoaded", () => { window.__atReady = document.documentElement.dataset.theme; });
    """)
    page.goto("/traces")
    theme, light = _theme(page)
    assert theme == "system"
    for choice, label in (("dark", "Dark theme"), ("light", "Light theme"), ("system", "System theme")):
        page.locator("details.person > summary").click()
        page.get_by_role("button", name=label).click()
        assert page.get_by_role("button", name=label).get_attribute("aria-pressed") == "true"
        now = _theme(page)
        assert (now[0], now[1] == light) == (choice, choice != "dark")
        for path in ("/traces", "/settings"):
            page.goto(path)
            assert _theme(page) == now
            assert page.evaluate("[window.__atBody, window.__atReady]") == [choice, choice]


def test_the_system_theme_is_followed(visit: Visit, site: Site) -> None:
    page = visit(site.server, site.people["owner"], theme="dark")
    page.goto("/traces")
    dark = _theme(page)
    page.emulate_media(color_scheme="light")
    assert _theme(page)[1] != dark[1]


def test_compact_rows_stay(page: Page) -> None:
    page.goto("/traces")
    height = "document.querySelector('tbody tr').getBoundingClientRect().height"
    tall = page.evaluate(height)
    page.locator("details.person > summary").click()
    page.get_by_role("button", name="Compact rows").click()
    expect(page.get_by_role("button", name="Compact rows")).to_have_attribute("aria-pressed", "true")
    page.reload()
    assert page.evaluate(height) < tall


def test_reduced_motion_moves_nothing(visit: Visit, site: Site) -> None:
    moving = """() => [...document.querySelectorAll("*")].filter((el) => {
      const s = getComputedStyle(el);
      return parseFloat(s.transitionDuration) > 0 || s.animationName !== "none" || s.scrollBehavior === "smooth";
    }).map((el) => el.outerHTML.slice(0, 100))"""
    for motion in ("reduce", "no-preference"):
        page = visit(site.server, site.people["owner"], motion=motion)
        for path in ("/traces", site.trace("broken"), "/settings/keys"):
            page.goto(path)
            assert bool(page.evaluate(moving)) == (motion == "no-preference")
