"""Pictures of a running demo: `python -m tests.demo.pictures` writes those of the README, `--all FOLDER` all pages.

The README's are of a demo without the trickle, just started: make demo ARGS=--no-trickle
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.demo.__main__ import EMAIL, PASSWORD, PORT
from tests.live import ROOT
from tests.looks.__main__ import ARGS
from tests.prepare import find_browser

SIZES = {1280: 800, 360: 740}
VIEWS = ("summary", "timeline", "graph", "flow", "verdicts", "raw")


def signed_in(url: str) -> httpx.Client:
    """A session of the demo's account."""
    client = httpx.Client(base_url=url, timeout=30, trust_env=False)
    try:
        client.post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
    except httpx.TransportError:
        raise SystemExit(f"No demo answers at {url}; start one with `make demo`, or name it with --url.") from None
    return client


def _first(client: httpx.Client, path: str, **params: str) -> dict[str, Any]:
    found = client.get(path, params={"limit": "1", **params}).raise_for_status().json()["data"]
    if not found:
        raise SystemExit(f"nothing is at {path} with {params}: is this the demo, and complete?")
    return dict(found[0])


def pages(client: httpx.Client) -> dict[str, str]:
    """Every page by name, with traces that have something to show."""
    lost = _first(client, "/api/v1/traces", q='status:error agent:support-clerk "payments.nordfell.example"')[
        "trace_id"
    ]
    large = _first(client, "/api/v1/traces", q="agent:code-smith httpx")["trace_id"]
    finding = _first(client, "/api/v1/violations", rule="bulk-delete-prevention")
    approval = _first(client, "/api/v1/approvals", status="pending")["id"]
    session = _first(client, "/api/v1/traces", q='agent:support-clerk "A refund please"')["session_id"]
    talk = _first(client, "/api/v1/traces", q="agent:research-analyst")["trace_id"]
    run = _first(client, "/api/v1/ablations")["id"]
    found = {
        "overview": "/?range=7d",
        "overview-day": "/?range=24h",
        "traces": "/traces",
        "sessions": "/sessions",
        "session": f"/sessions/{session}",
        "agents": "/agents?range=7d",
        "violations": "/violations",
        "violation": f"/violations/{finding['id']}",
        "approvals": "/approvals",
        "approval": f"/approvals/{approval}",
        "constitution": "/constitution",
        "rule": "/constitution/bulk-delete-prevention",
        "explain": "/explain",
        "ablation": f"/explain/{run}",
        "ingest": "/settings/ingest",
        "trace": f"/traces/{lost}",
    }
    found |= {f"refund-{view}": f"/traces/{lost}?view={view}" for view in VIEWS}
    found |= {f"large-{view}": f"/traces/{large}?view={view}" for view in VIEWS}
    found |= {f"research-{view}": f"/traces/{talk}?view={view}" for view in VIEWS}
    return found | {"unasked-verdicts": f"/traces/{finding['trace_id']}?view=verdicts"}


def take(context: BrowserContext, url: str, path: str, to: Path) -> None:
    """One picture, without what moves."""
    page = context.new_page()
    answer = page.goto(url + path, wait_until="load")
    if answer is None or answer.status >= 400:
        print(f"{path}: {answer and answer.status}")
    page.wait_for_timeout(250)
    page.screenshot(path=to)
    page.close()


def context_of(browser: Browser, client: httpx.Client, url: str, width: int, theme: str) -> BrowserContext:
    """A window of that width, signed in."""
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]},
        color_scheme=theme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    context.add_cookies([{"name": c.name, "value": c.value or "", "url": url} for c in client.cookies.jar])
    return context


def main() -> int:
    """The command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--url", default=f"http://127.0.0.1:{PORT}")
    ask.add_argument("--all", type=Path, help="a folder for every page, wide and narrow, light and dark")
    ask.add_argument("--only", default="", help="pages with that in their name")
    asked = ask.parse_args()
    with contextlib.closing(signed_in(asked.url)) as client, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_browser(), args=ARGS)
        known = pages(client)
        if asked.all:
            asked.all.mkdir(parents=True, exist_ok=True)
            for width in SIZES:
                for theme in ("light", "dark"):
                    context = context_of(browser, client, asked.url, width, theme)
                    for name, path in known.items():
                        if asked.only in name:
                            take(context, asked.url, path, asked.all / f"{name}-{width}-{theme}.png")
                    context.close()
        else:
            context = context_of(browser, client, asked.url, 1280, "light")
            for name in ("trace", "overview"):
                take(context, asked.url, known[name], ROOT / "docs" / "images" / f"{name}.png")
            context.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
