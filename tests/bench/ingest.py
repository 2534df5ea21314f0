"""Durable ingest as a ratio to the floor: what one process does that only decodes and inserts the same bodies.

Floor and server run in turn, in the same minutes on the same disk, so that a machine that is slower today is slower for
both. Medians of the rounds are printed.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path
from typing import Any

import psutil

from tests.live import Server

P99_MS, IDLE_MB = 1000, 350
SHAPES = {"512 spans a POST": 512, "one trace a POST": 0}


def memory_mb(pid: int) -> float:
    """Resident memory of a process and of those it started."""
    server = psutil.Process(pid)
    return sum(float(each.memory_info().rss) for each in (server, *server.children(recursive=True))) / 1e6


def headers(server: Server) -> dict[str, str]:
    """As an exporter sends them."""
    return {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-protobuf"}


def run(
    title: str, server: Server, bars: dict[str, float], rounds: int, spans: int, folder: Path, *, latency: bool
) -> tuple[bool, float]:
    """Prints the table; whether every bar holds, with `latency` that of P99_MS too, and the spans/s at 512 a POST.

    The server is started and stopped.
    """
    import floor  # type: ignore[import-not-found]
    import gen  # type: ignore[import-not-found]
    import load  # type: ignore[import-not-found]

    found: dict[str, list[dict[str, float]]] = {name: [] for name in SHAPES}
    with server:
        time.sleep(1)
        idle = memory_mb(server.pid)
        count = load.make_counter(f"sqlite:{server.data}/audittrail.db:SELECT count(*) FROM spans", {})
        seed = int(time.time())
        for number in range(rounds):
            for name, batch in SHAPES.items():
                seed += 1
                bodies = gen.bodies(seed, spans, batch)
                floor_rate, _ = floor.end_to_end(bodies, str(folder), "FULL", group=1 if batch else 16)
                base = count()
                result: dict[str, Any] = asyncio.run(load.run(server.url + "/v1/traces", bodies, headers(server), 8))
                stored = count() - base
                if stored != spans or result["lost"]:
                    raise SystemExit(f"{name}: {stored} of {spans} spans are stored; {result}")
                rate = result["accepted_per_s"]
                found[name].append(
                    {"floor": floor_rate, "rate": rate, "ratio": rate / floor_rate, "p99": result["p99_ms"]}
                )
                print(f"  round {number + 1}, {name}: floor {floor_rate:,.0f}, server {rate:,.0f} spans/s", flush=True)
        loaded = memory_mb(server.pid)
        size = sum(f.stat().st_size for f in server.data.glob("audittrail.db*"))
        total = count()
    ok = idle < IDLE_MB
    print(f"\n{title:30} {'floor':>10} {'server':>10} {'ratio':>7} {'at least':>9} {'p99 of a POST':>14}")
    for name in SHAPES:
        middle = {key: statistics.median(one[key] for one in found[name]) for key in found[name][0]}
        bar = bars.get(name, 0.0)
        ok &= middle["ratio"] >= bar and (middle["p99"] < P99_MS or not latency)
        print(
            f"{name:30} {middle['floor']:>8,.0f}/s {middle['rate']:>8,.0f}/s {middle['ratio']:>7.2f} {bar:>9.2f}"
            f" {middle['p99']:>11,.0f} ms"
        )
    print(
        f"memory: {idle:.0f} MB idle (below {IDLE_MB}), {loaded:.0f} MB after {total:,} spans; "
        f"{size / total:,.0f} bytes a span\n"
    )
    return ok, statistics.median(one["rate"] for one in found["512 spans a POST"])
