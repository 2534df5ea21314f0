"""Every page fits its window, from a phone to a wall; targets can be hit; the theme stays and does not flash."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import FOLDER, Visit
from tests.browser.places import PLACES, every_place
from tests.browser.site import Site
from tests.browser.watch import Watch

SCREENS = FOLDER / "screens"
SIZES = {360: 740, 1280: 800, 2560: 1300}

# What can be hit, with the size it has to a finger: a row's link covers its row through ::after. Links inside a
# sentence are exempt (WCAG 2.5.8, inline); a check box is hit by its label as well.
_SMALL = """() => {
  const found = [];
  for (const el of document.querySelectorAll("a[href], button, input, select, textarea, summary")) {
    const shown = el.checkVisibility({visibilityProperty: true, opacityProperty: true});
    if (!shown || el.type === "hidden" || el.closest(".skip, .out, [inert]")) continue;
    let box = el.getBoundingClientRect();
    const after = getComputedStyle(el, "::after");
    if (after.position === "absolute" && after.inset === "0px" && after.display !== "none" && after.content !== "none")
      box = (el.closest("tr") ?? el.closest("li")).getBoundingClientRect();
    if (el.matches("input[type=checkbox], input[type=radio]") && el.closest("label"))
      box = el.closest("label").getBoundingClientRect();
    if (!box.width || !box.height) continue;
    const around = [...el.parentElement.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (getComputedStyle(el).display === "inline" && around) continue;
    if (box.width < 23.9 || box.height < 23.9)
      found.push(`${Math.round(box.width)}x${Math.round(box.height)} ${el.outerHTML.slice(0, 160)}`);
  }
  return found;
}"""

_WIDE = """() => {
  const root = document.documentElement, over = root.scrollWidth - root.clientWidth;
  if (over <= 0) return [];
  const clipped = (el) => { for (let at = el.parentElement; at; at = at.parentElement)
    if (/auto|scroll|hidden|clip/.test(getComputedStyle(at).overflowX)) return true; return false; };
  const wide = [...document.querySelectorAll("body *")].filter(
    (el) => el.getBoundingClientRect().right > root.clientWidth + 0.5 && !clipped(el));
  return [`${over} px too wide`, ...wide.slice(0, 5).map((el) => el.outerHTML.slice(0, 120))];
}"""

# Points all over the bottom bar, at the page's start and at its end: whatever lies on top there belongs to the bar.
_OVER_THE_BAR = """() => {
  const bar = document.querySelector(".rail");
  if (!bar || document.querySelector("dialog[open]")) return [];
  const box = bar.getBoundingClientRect(), found = [];
  if (Math.abs(box.bottom - innerHeight) > 1 || Math.abs(box.width - innerWidth) > 1)
    found.push(`the bar is at ${box.left} ${box.top} ${box.right} ${box.bottom} of ${innerWidth} x ${innerHeight}`);
  for (let x = box.left + 4; x < box.right; x += 12) for (let y = box.top + 3; y < box.bottom; y += 10) {
    const top = document.elementFromPoint(x, y);
    if (!bar.contains(top)) found.push(`${x},${y}: ${top?.outerHTML.slice(0, 120)}`);
  }
  return found;
}"""

# The end of the content can be brought above the bar.
_UNDER_THE_BAR = """() => {
  const bar = document.querySelector(".rail")?.getBoundingClientRect();
  if (!bar) return [];
  scrollTo(0, document.documentElement.scrollHeight);
  const panel = document.querySelector("#panel:has(> .over)");
  if (panel) panel.scrollTop = panel.scrollHeight;
  const found = [];
  for (const area of panel ? [panel] : [document.querySelector("main")])
    for (const el of area.querySelectorAll("a, button, input, select, summary, p, li, td, h2, h3, pre")) {
      if (!el.checkVisibility() || el.closest(".out, .float, dialog")) continue;
      const box = el.getBoundingClientRect();
      if (box.width && box.bottom > bar.top + 1 && box.top < innerHeight + 2000
        && !el.closest("pre, .scroll-x, .code, .canvas"))
        found.push(`${Math.round(box.bottom - bar.top)} px under the bar: ${el.outerHTML.slice(0, 120)}`);
    }
  return found.slice(0, 5);
}"""


@every_place
def test_it_fits_every_width(name: str, site: Site, visit: Visit, watch: Watch) -> None:
    page = PLACES[name](site, visit, watch, {"motion": "reduce"})
    SCREENS.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("document.fonts.ready.then(() => 0)")
        checks = [_WIDE, _SMALL] + ([_OVER_THE_BAR, _UNDER_THE_BAR, _OVER_THE_BAR] if width == 360 else [])
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            page.screenshot(path=SCREENS / f"{name}-{width}-{theme}.jpg", type="jpeg", quality=70)
        for check in checks:
            faults += [f"{width}: {line}" for line in page.evaluate(check)]
    assert not faults, "\n".join(dict.fromkeys(faults))


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
