"""How long an agent waits for `POST /api/v1/check` while others send traces at half of what the server can take."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp

from tests.bench.ingest import headers
from tests.live import Server

P99_MS = 50
SECONDS = 20
PAUSE = 0.02  # between two questions
ACTION = {"agent": "bench", "action": {"kind": "tool", "name": "search_docs", "args": {"q": "how long", "top_k": 4}}}


async def _ask(server: Server, http: aiohttp.ClientSession, until: float) -> list[float]:
    waits = []
    while time.perf_counter() < until:
        began = time.perf_counter()
        async with http.post(
            server.url + "/api/v1/check", json=ACTION, headers={"Authorization": f"Bearer {server.key}"}
        ) as answer:
            said: dict[str, Any] = await answer.json()
            assert said["decision"] == "allow", said
        waits.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(PAUSE)
    return sorted(waits)


async def _both(server: Server, rate: float) -> tuple[float, list[float]]:
    import gen  # type: ignore[import-not-found]
    import load  # type: ignore[import-not-found]

    bodies = gen.bodies(int(time.time()), int(rate * SECONDS), 512)
    async with aiohttp.ClientSession() as http:
        await _ask(server, http, time.perf_counter() + 0.5)  # the key is known from here on
        sending = load.run(server.url + "/v1/traces", bodies, headers(server), 8, rate=rate)
        sent, waits = await asyncio.gather(sending, _ask(server, http, time.perf_counter() + SECONDS))
    return sent["accepted_per_s"], waits


def run(server: Server, full: float) -> bool:
    """Prints the figures; whether the bar holds. `full` is what the server takes, in spans/s."""
    with server:
        taken, waits = asyncio.run(_both(server, full / 2))
    p50, p99 = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    print(
        f"POST /api/v1/check: p50 {p50:.1f} ms, p99 {p99:.1f} ms (below {P99_MS}) over {len(waits)} questions, while "
        f"{taken:,.0f} spans/s came in (half of {full:,.0f})"
    )
    return p99 < P99_MS
