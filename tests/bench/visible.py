"""How soon a person sees it: a new trace in an open list, and a trace of 5,000 spans in its page; in a real browser."""

from __future__ import annotations

import time

from playwright.sync_api import Page, sync_playwright

from tests.bench.ingest import headers
from tests.browser.conftest import ARGUMENTS
from tests.http.otlp import request, span
from tests.live import Server
from tests.prepare import find_browser

SEEN_MS, OPENED_MS = 1_000, 1_000
TRACES, SPANS, OPENINGS = 40, 5_000, 5


def _seen(server: Server, page: Page) -> list[float]:
    """Milliseconds from a POST's answer to the new row in the open list."""
    found = []
    with server.client() as client:
        for n in range(TRACES):
            trace = f"{0x5EE00 + n:032x}"
            client.post("/v1/traces", content=request(span(trace)), headers=headers(server)).raise_for_status()
            answered = time.perf_counter()
            page.wait_for_selector(f"#t-{trace}", state="attached")
            found.append((time.perf_counter() - answered) * 1e3)
            page.wait_for_timeout(100 * (n % 12))
    return sorted(found)


def _opened(server: Server, page: Page) -> float:
    """The best of some openings of a large trace, in milliseconds until its lines are drawn."""
    trace, parent = f"{0xB16:032x}", bytes.fromhex(f"{1:016x}")
    with server.client() as client:
        for first in range(1, SPANS + 1, 1_000):
            numbers = range(first, first + 1_000)
            steps = [span(trace, n, **({"parent_span_id": parent} if n > 1 else {})) for n in numbers]
            client.post("/v1/traces", content=request(*steps), headers=headers(server)).raise_for_status()
    best = 9e9
    for _ in range(OPENINGS):
        began = time.perf_counter()
        page.goto(f"{server.url}/traces/{trace}", wait_until="commit")
        page.wait_for_selector(".waterfall > li:nth-child(500)")
        best = min(best, (time.perf_counter() - began) * 1e3)
    return best


def run(server: Server) -> bool:
    """Prints the figures; whether both bars hold."""
    with server, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(server.url + "/login")
        page.fill("[name=email]", server.email)
        page.fill("[name=password]", server.password)
        page.keyboard.press("Enter")
        page.wait_for_url(server.url + "/")
        with server.client() as client:
            client.post("/v1/traces", content=request(span("f" * 32)), headers=headers(server)).raise_for_status()
        page.goto(server.url + "/traces")
        page.wait_for_selector("[data-stream=live]")
        seen = _seen(server, page)
        opened = _opened(server, page)
        browser.close()
    p50, p95 = seen[len(seen) // 2], seen[int(len(seen) * 0.95)]
    print(
        f"visible in an open list after the answer: p50 {p50:.0f} ms, p95 {p95:.0f} ms (below {SEEN_MS:,});"
        f" a trace of {SPANS:,} spans opens in {opened:.0f} ms (below {OPENED_MS:,})"
    )
    return p95 < SEEN_MS and opened < OPENED_MS
