"""axe-core finds nothing on any page, in both themes, on a desk and on a phone."""

from __future__ import annotations

from typing import Any

from tests.browser.conftest import Visit
from tests.browser.places import PLACES, every_place
from tests.browser.site import Site
from tests.browser.watch import Watch

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [(width, theme) for width in (1280, 360) for theme in ("light", "dark")]


@every_place
def test_axe_finds_nothing(name: str, site: Site, visit: Visit, watch: Watch, axe: str) -> None:
    # Reduced motion: a colour that is still changing has no contrast to speak of.
    page = PLACES[name](site, visit, watch, {"motion": "reduce"})
    page.evaluate(axe)  # through the debugger, so that the page's own policy stays in force
    found: dict[str, list[str]] = {}
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        result: Any = page.evaluate(
            """async (tags) => {
              const run = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
              return run.violations.map((v) => ({id: v.id, impact: v.impact, nodes: v.nodes.map(
                (n) => ({html: n.html, target: String(n.target), why: n.failureSummary}))}));
            }""",
            TAGS,
        )
        for violation in result:
            for node in violation["nodes"]:
                line = f"{violation['id']} ({violation['impact']}) {node['target']}: {node['html'][:200]} {node['why']}"
                found.setdefault(line, []).append(f"{width} {theme}")
    assert not found, "\n\n".join(f"[{', '.join(looks)}] {line}" for line, looks in found.items())
