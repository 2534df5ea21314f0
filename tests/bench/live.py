"""What open streams cost: ingest with a hundred of them and with none, in turn; and how soon an event is there."""

from __future__ import annotations

import asyncio
import statistics
import time

import aiohttp

from tests.bench.ingest import headers
from tests.http.otlp import request, span
from tests.live import Server

STREAMS = 100
RATIO = 0.90
P95_MS = 1_000
EVENTS = 60


async def _listen(server: Server, http: aiohttp.ClientSession, seen: dict[str, float] | None = None) -> None:
    auth = {"Authorization": f"Bearer {server.key}"}
    # As a page that is open: what it is told of traces is which list to fetch, not their ids.
    params = {} if seen is not None else {"trace": ""}
    async with http.get(server.url + "/events", headers=auth, params=params) as answer:
        async for line in answer.content:
            if seen is not None:
                for trace in seen:
                    if seen[trace] == 0 and trace.encode() in line:
                        seen[trace] = time.perf_counter()


async def rate(server: Server, seed: int, spans: int, streams: int) -> float:
    """Spans a second that are taken while so many streams are open."""
    import gen  # type: ignore[import-not-found]
    import load  # type: ignore[import-not-found]

    bodies = gen.bodies(seed, spans, 512)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(None), read_bufsize=1 << 20
    ) as http:
        open_now = [asyncio.create_task(_listen(server, http)) for _ in range(streams)]
        await asyncio.sleep(1)
        sent = await load.run(server.url + "/v1/traces", bodies, headers(server), 8)
        for one in open_now:
            one.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)
    if sent["lost"]:
        raise SystemExit(f"spans were lost: {sent}")
    return float(sent["accepted_per_s"])


async def _delays(server: Server) -> list[float]:
    """Milliseconds from a POST's answer to its event in an open stream."""
    found = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None)) as http:
        seen: dict[str, float] = {}
        listening = asyncio.create_task(_listen(server, http, seen))
        await asyncio.sleep(0.5)
        for n in range(EVENTS):
            trace = f"{0xBE00000 + n:032x}"
            seen[trace] = 0.0
            async with http.post(
                server.url + "/v1/traces", data=request(span(trace)), headers=headers(server)
            ) as answer:
                await answer.read()
            answered = time.perf_counter()
            while not seen[trace]:
                await asyncio.sleep(0.002)
            found.append(max(0.0, (seen.pop(trace) - answered) * 1e3))
            await asyncio.sleep(0.03 * (n % 10))
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return sorted(found)


def run(server: Server, rounds: int, spans: int) -> bool:
    """Prints the figures; whether both bars hold."""
    without, with_streams = [], []
    with server:
        seed = int(time.time())
        for number in range(rounds):
            for streams, rates in ((0, without), (STREAMS, with_streams))[:: 1 if number % 2 else -1]:
                seed += 1
                rates.append(asyncio.run(rate(server, seed, spans, streams)))
        delays = asyncio.run(_delays(server))
    ratio = statistics.median(with_streams) / statistics.median(without)
    p50, p95 = delays[len(delays) // 2], delays[int(len(delays) * 0.95)]
    print(
        f"live: {statistics.median(with_streams):,.0f} spans/s with {STREAMS} streams open,"
        f" {statistics.median(without):,.0f} with none: {ratio:.2f} (at least {RATIO:.2f});"
        f" event after the answer p50 {p50:.0f} ms, p95 {p95:.0f} ms (below {P95_MS})"
    )
    return ratio >= RATIO and p95 < P95_MS
