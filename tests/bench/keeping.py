"""What agents feel of it while retention purges 200,000 spans: each POST's time, beside that of a server that purges
nothing."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import httpx

from tests.bench.ingest import headers
from tests.http.test_keeping import DAY_US, wiped
from tests.live import Server

SPANS, LONGEST_MS = 200_000, 1_000
LONG_ENOUGH = 1_800  # seconds
FRESH = 400  # POSTs, without a purge


def _post(client: httpx.Client, server: Server, body: bytes) -> float:
    began = time.perf_counter()
    client.post("/v1/traces", content=body, headers=headers(server)).raise_for_status()
    return (time.perf_counter() - began) * 1e3


def _spread(times: list[float]) -> str:
    ordered = sorted(times)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {ordered[-1]:.0f} ms of {len(ordered):,}"


def _old(file: Path) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
        old = int((time.time() - 50 * 86_400) * 1e6)
        waits = db.execute("SELECT count(*) FROM traces WHERE received_us < ?", (old,)).fetchone()[0]
        return int(waits + db.execute("SELECT count(*) FROM tombstones").fetchone()[0])


def run(server: Server, spans: int = SPANS) -> bool:
    """Prints the figures; whether the bar holds. The server is started and stopped."""
    import gen  # type: ignore[import-not-found]

    file = server.data / "audittrail.db"
    server.env["AUDITTRAIL_RETENTION_DAYS"] = "0"
    with server, server.client() as client:
        for body in gen.bodies(11, spans, 512):
            _post(client, server, body.data)
        fresh = [body.data for body in gen.bodies(12, 40 * FRESH, 16)]
        while client.get("/api/v1/instance").json()["search_lag_seconds"]:
            time.sleep(1)
        without = []
        for body in fresh[:FRESH]:
            without.append(_post(client, server, body))
            time.sleep(0.02)
    now_us = int(time.time() * 1e6)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE traces SET received_us = received_us - ?", (100 * DAY_US,))
        db.execute("DELETE FROM erasure_progress")
        db.execute("INSERT INTO erasure_progress VALUES (1, 0, 0, ?)", (now_us,))
    before = file.stat().st_size
    server.env["AUDITTRAIL_RETENTION_DAYS"] = "90"
    with server, server.client() as client:
        purging, began = [], time.monotonic()
        while _old(file) and time.monotonic() - began < LONG_ENOUGH:
            for body in gen.bodies(13 + len(purging), 800, 16):
                purging.append(_post(client, server, body.data))
                time.sleep(0.02)
        took = time.monotonic() - began
        ended = not _old(file)
        deadline = time.monotonic() + 120
        while not wiped(file) and time.monotonic() < deadline:
            time.sleep(0.5)
    after = file.stat().st_size
    print(
        f"while {spans:,} spans are purged ({took:.0f} s): {_spread(purging)}; without: {_spread(without)}"
        f" (longest below {LONGEST_MS:,} ms); the file went from {before / 1e6:.0f} to {after / 1e6:.0f} MB"
    )
    return ended and max(purging) < LONGEST_MS
