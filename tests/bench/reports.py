"""How long an audit report over 30 days and 200,000 spans takes, and what ingest loses while reports are made."""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx

from tests.bench import live, pages
from tests.live import Server

SECONDS = 60
RATIO = 0.80


def _audit(client: httpx.Client) -> tuple[float, int]:
    """Seconds until an audit of the last 30 days is made, and its pages."""
    now = datetime.now(UTC)
    began = time.perf_counter()
    asked = {"kind": "audit", "from": (now - timedelta(days=30)).isoformat(), "to": now.isoformat()}
    made = client.post("/api/v1/reports", json=asked).raise_for_status().json()
    while made["status"] in ("queued", "running"):
        made = client.get(f"/api/v1/reports/{made['id']}", params={"wait": 20}).raise_for_status().json()
    if made["status"] != "done":
        raise SystemExit(f"the report {made['status']}: {made['error']}")
    return time.perf_counter() - began, int(made["pages"])


def _make(server: Server, stop: threading.Event, took: list[float]) -> None:
    """Audits, one after the other."""
    with server.client() as client:
        while not stop.is_set():
            took.append(_audit(client)[0])


def run(server: Server, rounds: int, spans: int) -> bool:
    """Prints the figures; whether both bars hold. The server is started and stopped."""
    with server:
        pass  # makes the database, the project and the account
    asyncio.run(pages.fill(f"sqlite+aiosqlite:///{server.data}/audittrail.db"))
    alone: list[float] = []
    beside: list[float] = []
    took: list[float] = []
    with server, server.client() as client:
        seconds, count = _audit(client)
        seed = int(time.time())
        for number in range(rounds):
            for rates in (alone, beside)[:: 1 if number % 2 else -1]:
                # What was sent before is indexed first: else the second of two would pay for the first.
                while client.get("/api/v1/instance").json()["search_lag_seconds"]:
                    time.sleep(0.2)
                stop = threading.Event()
                maker = threading.Thread(target=_make, args=(server, stop, took))
                if rates is beside:
                    maker.start()
                    time.sleep(0.5)
                rates.append(asyncio.run(live.rate(server, seed := seed + 1, spans, 0)))
                stop.set()
                if rates is beside:
                    maker.join()
    ratio = statistics.median(beside) / statistics.median(alone)
    print(
        f"audit of 30 days, {pages.TRACES * pages.SPANS:,} spans: {count} pages in {seconds:.1f} s (below {SECONDS});"
        f" ingest {statistics.median(beside):,.0f} spans/s while {len(took)} more were made (the longest in"
        f" {max(took):.1f} s), {statistics.median(alone):,.0f} without: {ratio:.2f} (at least {RATIO:.2f})"
    )
    return max(seconds, *took) < SECONDS and ratio >= RATIO
