"""What a backup costs those who send spans: the time of each POST with and without one, over 200,000 spans."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from tests.bench.ingest import headers
from tests.live import Server

# What a backup may add: no POST is slower than this because of it.
BAR_MS = 1_000
SPANS, BATCH = 200_000, 512
CLIENTS, SENT = 4, 64  # spans of each POST while it is measured
PAUSE = 0.05
ALONE_SECONDS = 8.0


def _send(server: Server, bodies: deque[Any], stop: threading.Event, took: list[float]) -> None:
    """One client, a POST after the other, with a pause: a steady load, not as much as the server can take."""
    with httpx.Client(trust_env=False, verify=False, timeout=60) as client:
        while not stop.is_set() and bodies:
            body = bodies.popleft().data
            began = time.perf_counter()
            answer = client.post(server.url + "/v1/traces", content=body, headers=headers(server))
            took.append((time.perf_counter() - began) * 1e3)
            answer.raise_for_status()
            time.sleep(PAUSE)


@contextlib.contextmanager
def _under_load(server: Server, seed: int, took: list[float]) -> Iterator[None]:
    import gen  # type: ignore[import-not-found]

    bodies = deque(gen.bodies(seed, SENT * 1_500, SENT))
    stop = threading.Event()
    threads = [threading.Thread(target=_send, args=(server, bodies, stop, took)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield
        assert bodies, "the load ended before what was measured"
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def run(server: Server, folder: Path, name: str = "SQLite") -> bool:
    """Prints the figures; whether the bar holds. The server is started and stopped."""
    import gen
    import load  # type: ignore[import-not-found]

    with server:
        for seed in range(10):
            bodies = gen.bodies(7_000 + seed, SPANS // 10, BATCH)
            asyncio.run(load.run(server.url + "/v1/traces", bodies, headers(server), 8))
        alone: list[float] = []
        beside: list[float] = []
        with _under_load(server, 1_000_000, alone):
            time.sleep(ALONE_SECONDS)
        with _under_load(server, 2_000_000, beside):
            began = time.monotonic()
            done = subprocess.run(
                [*server.command, "backup", "--to", str(folder / "backups")],
                env=server.env,
                cwd=server.data,
                capture_output=True,
                text=True,
            )
            seconds = time.monotonic() - began
            time.sleep(2)  # the server's log shrinks after it: that is a cost of the backup too
        with _under_load(server, 3_000_000, alone):  # a machine that is busier by now is so for both
            time.sleep(ALONE_SECONDS)
        if done.returncode:
            raise SystemExit(done.stderr)
    size = sum(path.stat().st_size for path in Path(done.stdout.strip()).rglob("*") if path.is_file())
    print(
        f"\nbackup of {SPANS:,} spans, {name}: {size / 1e6:,.0f} MB in {seconds:.1f} s, {size / 1e6 / seconds:.0f} MB/s"
    )
    for what, took in (("POSTs alone", sorted(alone)), ("POSTs beside it", sorted(beside))):
        print(
            f"{what:30} p50 {took[len(took) // 2]:>6,.0f} ms, p99 {took[int(len(took) * 0.99)]:>6,.0f} ms,"
            f" max {took[-1]:>6,.0f} ms, {len(took):,} POSTs of {SENT} spans"
        )
    added = max(beside) - max(alone)
    print(f"a backup adds {added:,.0f} ms to the slowest (below {BAR_MS:,})")
    return added < BAR_MS
