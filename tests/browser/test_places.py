"""Every page, on a desk, on a phone and on a wall, in both themes: axe-core finds nothing, it fits, and can be hit.

Each is opened once, in a context that all tests of a person share, and looked at in every way: opening one in a new
context takes a second of a processor, and looking at it again a quarter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Visit, closed, open_page
from tests.browser.places import PLACES, every_place
from tests.browser.site import Cookies, Site
from tests.browser.watch import Watch
from tests.live import Server

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# (width, height), and the themes in which axe looks.
SIZES: dict[tuple[int, int], tuple[str, ...]] = {
    (1280, 800): ("light", "dark"),
    (360, 740): ("dark", "light"),
    (2560, 1300): (),
}

_AXE = """async (only) => {
  const run = await axe.run(document, {runOnly: only, resultTypes: ["violations"]});
  return run.violations.map((v) => ({id: v.id, impact: v.impact, nodes: v.nodes.map(
    (n) => ({html: n.html, target: String(n.target), why: n.failureSummary}))}));
}"""

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


class People:
    """One watched page for each person; coming to it again, it is as wide and as light as a new one."""

    def __init__(self, browser: Browser) -> None:
        self.watch = Watch()
        self.pages: dict[str, Page] = {}
        self.used: list[Page] = []  # by the test that runs
        self._browser = browser

    def visit(self, server: Server, cookies: Cookies | None = None, **options: Any) -> Page:
        """As the fixture of that name."""
        key = repr((server.url, cookies, options))
        if key not in self.pages:
            self.pages[key] = open_page(self._browser, self.watch, server, cookies, **options)
        page = self.pages[key]
        page.context.clear_cookies()
        page.context.add_cookies(cookies or [])  # type: ignore[arg-type]
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(color_scheme="light")
        self.used.append(page)
        return page


@pytest.fixture(scope="module")
def people(browser: Browser) -> Iterator[People]:
    """Their pages, for the module."""
    all_of_them = People(browser)
    yield all_of_them
    for page in all_of_them.pages.values():
        page.context.close()


@pytest.fixture
def watch(people: People) -> Watch:
    """Of all these pages, for this test."""
    people.watch.begin()
    return people.watch


@pytest.fixture
def visit(people: People, watch: Watch, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """The page of that person."""
    people.used.clear()
    yield people.visit
    faults = closed(request, watch, people.used)
    for page in people.used:
        page.goto("about:blank")  # its stream ends
    assert not faults, "\n".join(faults)


@every_place
def test_every_place(name: str, site: Site, visit: Visit, watch: Watch, axe: str) -> None:
    # Reduced motion: a colour that is still changing has no contrast to speak of.
    page = PLACES[name](site, visit, watch, {"motion": "reduce"})
    page.evaluate(axe)  # through the debugger, so that the page's own policy stays in force
    faults: dict[str, list[str]] = {}
    for (width, height), themes in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("document.fonts.ready.then(() => 0)")
        for theme in themes:
            page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
            for violation in page.evaluate(_AXE, TAGS):
                for node in violation["nodes"]:
                    why = f"{node['target']}: {node['html'][:200]} {node['why']}"
                    faults.setdefault(f"{violation['id']} ({violation['impact']}) {why}", []).append(f"{width} {theme}")
        for check in [_WIDE, _SMALL] + ([_OVER_THE_BAR, _UNDER_THE_BAR, _OVER_THE_BAR] if width == 360 else []):
            for line in page.evaluate(check):
                faults.setdefault(line, []).append(str(width))
    assert not faults, "\n\n".join(f"[{', '.join(dict.fromkeys(where))}] {line}" for line, where in faults.items())
