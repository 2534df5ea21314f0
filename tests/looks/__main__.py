"""Looks at every page: `python -m tests.looks [--out FOLDER] [--axe axe.min.js] [--only NAME] [--serve]`.

Screenshots at 360, 1280 and 2560 px in both themes; reports policy violations, console errors, horizontal
overflow and what axe-core finds. Exits 1 if there was anything.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from tests.looks import governed, samples, site

WIDTHS = {360: 740, 1280: 800, 2560: 1300}
ARGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
TRACE_NAMES = ("small", "refund", "hostile", "big")


def addresses() -> dict[str, str]:
    found = {name: f"/look/{name}" for name in site.PAGES}
    for name, (trace_id, spans) in zip(TRACE_NAMES, samples.TRACES.items(), strict=True):
        found[f"trace-{name}"] = f"/traces/{trace_id}"
        if name in ("refund", "hostile"):
            found[f"trace-{name}-attributes"] = f"/traces/{trace_id}?span={spans[8].span_id}&tab=attributes"
            found[f"trace-{name}-io"] = f"/traces/{trace_id}?span={spans[-1 if name == 'refund' else 0].span_id}&tab=io"
            found[f"trace-{name}-record"] = f"/traces/{trace_id}?span={spans[8].span_id}&tab=record"
    refund = list(samples.TRACES)[1]
    found["trace-refund-talk"] = f"/traces/{refund}?span={samples.TRACES[refund][11].span_id}"
    for name in ("refund", "hostile", "small"):
        trace_id = list(samples.TRACES)[TRACE_NAMES.index(name)]
        span = governed.OF_TRACE[trace_id][0].span_id
        found[f"trace-{name}-verdicts"] = f"/traces/{trace_id}?span={span}&tab=verdicts"
    for name, trace_id in zip(TRACE_NAMES, samples.TRACES, strict=True):
        for view in ("summary", "graph", "flow", "verdicts", "raw"):
            found[f"trace-{name}-view-{view}"] = f"/traces/{trace_id}?view={view}"
    found["trace-refund-closed"] = f"/traces/{refund}?span=none"
    found["trace-refund-errors"] = f"/traces/{refund}?only=errors"
    found["trace-big-page-4"] = f"/traces/{list(samples.TRACES)[3]}?from=1500"
    return found


class Site:
    """The sample site on a loopback port of its own."""

    def __enter__(self) -> str:
        self.server = uvicorn.Server(uvicorn.Config(site.make(), port=0, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(5)


def look(
    browser: Browser, base: str, name: str, path: str, width: int, theme: str, out: Path | None, axe: str
) -> list[str]:
    found: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": WIDTHS[width]}, color_scheme=theme, bypass_csp=False
    )  # type: ignore[arg-type]
    page = context.new_page()
    page.on(
        "console",
        lambda m: (
            found.append(f"console: {m.text}")
            if m.type == "error" and "status of 4" not in m.text and "status of 5" not in m.text
            else None
        ),
    )
    page.on("pageerror", lambda e: found.append(f"script: {e}"))
    page.on("dialog", lambda d: (found.append(f"dialog: {d.message}"), d.dismiss()))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('policy', e.violatedDirective, e.blockedURI))"
    )
    page.goto(base + path, wait_until="load")
    page.wait_for_timeout(80)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        found.append(f"page scrolls sideways by {wide} px")
    # On a wide screen the tree and the panel scroll, each for itself, and the page does not.
    tall = "document.querySelector('main.trace') ? document.documentElement.scrollHeight - innerHeight : 0"
    if width > 720 and page.evaluate(tall) > 0:
        found.append("the page of the trace scrolls as well as its tree")
    # On 500 lines axe needs minutes; they are the lines of the smaller traces.
    if axe and "big" not in name:
        # Through the debugger, so that the page's own policy stays in force.
        page.evaluate(axe)
        result: Any = page.evaluate(
            "axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']})"
        )
        for v in result["violations"]:
            nodes = v["nodes"]
            found.append(
                f"axe {v['id']} ({v['impact']}) x{len(nodes)}: {nodes[0]['html'][:160]} "
                f"{nodes[0]['failureSummary'][:200]!r}"
            )
    if out:
        page.screenshot(path=out / f"{name}-{width}-{theme}.png")
    context.close()
    return found


def main() -> int:
    cli = argparse.ArgumentParser()
    cli.add_argument("--out", type=Path)
    cli.add_argument("--axe", type=Path)
    cli.add_argument("--only", default="")
    cli.add_argument("--width", type=int, default=0)
    cli.add_argument("--theme", default="")
    cli.add_argument("--serve", action="store_true")
    cli.add_argument("--chromium", default="/usr/bin/chromium")
    args = cli.parse_args()
    with Site() as base:
        if args.serve:
            print("\n".join(f"{base}{path}" for path in addresses().values()))
            threading.Event().wait()
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
        axe = args.axe.read_text() if args.axe else ""
        seen, bad = 0, 0
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=args.chromium, args=ARGS)
            for name, path in addresses().items():
                if args.only and args.only not in name:
                    continue
                for width in WIDTHS:
                    for theme in ("light", "dark"):
                        if (args.width and width != args.width) or (args.theme and theme != args.theme):
                            continue
                        seen += 1
                        for line in look(browser, base, name, path, width, theme, args.out, axe):
                            bad += 1
                            print(f"{name} {width} {theme}: {line}")
            browser.close()
    print(f"{seen} looks, {bad} findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
