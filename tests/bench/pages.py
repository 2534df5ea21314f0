"""How long the server takes for a list, the overview and a search when 200,000 spans are stored.

The spans are written through the store's own functions, with their words indexed, into a SQLite file that a server then
serves. Times are of whole requests over loopback, signed in, rendering included: the median of many.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from decimal import Decimal

import httpx
import psutil

from audittrail.model.summary import SpanRow, summarise
from audittrail.model.usage import Shift, part_of
from audittrail.store import search, spans, traces, usage
from audittrail.store.bulk import write_rows
from audittrail.store.database import Database
from audittrail.store.tables import spans as span_table
from tests.live import Server

BAR_MS = 100
TRACES, SPANS = 20_000, 10  # SPANS of each
DAYS = 30
ROUNDS = 15
WORDS = [a + b + c for a in "bdf" for b in "aeiou" for c in ("lan", "mer", "nis", "rok", "tuv")]
PAGES = {
    "list": "/traces",
    "list of errors": "/traces?status=error&range=30d",
    "list of a tool": "/traces?tool=tool_7&range=30d",
    "overview, 24h": "/?range=24h",
    "overview, 30d": "/?range=30d",
    "search, one word": "/traces?q=balan",
    "search, a phrase": "/traces?q=%22balan+bemer%22",
    "sessions": "/sessions",
    "agents, 30d": "/agents?range=30d",
}


def a_trace(dice: random.Random, now_us: int) -> list[SpanRow]:
    """An agent's run: four calls of models, five of tools."""
    trace, at = f"{dice.getrandbits(128):032x}", now_us - dice.randrange(DAYS * 86_400_000_000)
    agent, session = f"agent-{dice.randrange(12)}", f"session-{dice.randrange(5_000)}"
    status, took = ("error" if dice.random() < 0.05 else "ok"), dice.randrange(10**6, 10**8)
    found = [
        SpanRow(trace, f"{1:016x}", None, "agent", "run", status, at, at + took, agent, session)  # type: ignore[arg-type]
    ]
    for n in range(2, SPANS + 1):
        began = at + n * 1_000
        ended = began + int(dice.lognormvariate(13, 1))
        if n % 2:
            tokens, cost = (dice.randrange(5_000), dice.randrange(900)), Decimal(dice.randrange(10**6)).scaleb(-8)
            found.append(
                SpanRow(
                    trace,
                    f"{n:016x}",
                    f"{1:016x}",
                    "llm",
                    "chat",
                    "ok",
                    began,
                    ended,
                    model=f"model-{dice.randrange(8)}",
                    input_tokens=tokens[0],
                    output_tokens=tokens[1],
                    cost=cost,
                )
            )
        else:
            name = f"tool_{dice.randrange(30)}"
            found.append(SpanRow(trace, f"{n:016x}", f"{1:016x}", "tool", name, "ok", began, ended, tool=name))
    return found


async def fill(url: str) -> None:
    """Writes them all into the first project."""
    dice, now_us = random.Random(20), time.time_ns() // 1000
    async with Database(url) as db:
        for _ in range(0, TRACES, 500):
            some = [a_trace(dice, now_us) for _ in range(500)]
            received = now_us - 3_600_000_000
            summaries = [summarise(rows, received) for rows in some]
            shift = Shift()
            for summary, rows in zip(summaries, some, strict=True):
                shift.add(summary.row.started_us, part_of(summary.row, rows))
            keys = [(1, row.trace_id, row.span_id) for rows in some for row in rows]
            stored = [spans.Stored(row, 1, 1) for rows in some for row in rows]
            entries = [search.Entry(key, 1, " ".join(dice.choices(WORDS, k=60)), None, None) for key in keys]
            complete = [search.Waiting(1, rows[0].trace_id, received, SPANS) for rows in some]
            async with db.write() as conn:
                values = [spans.values_of(key, one) for key, one in zip(keys, stored, strict=True)]
                await write_rows(conn, span_table, values)
                await traces.save(conn, [(1, summary) for summary in summaries])
                await usage.shift(conn, {1: shift})
                await search.put(conn, entries, complete, received)
        tidying = True
        while tidying:
            async with db.write() as conn:
                tidying = await search.tidy(conn, 2_000)


def run(server: Server) -> bool:
    """Prints the times; whether every bar holds."""
    with server:
        pass  # makes the database, the project and the account
    asyncio.run(fill(f"sqlite+aiosqlite:///{server.data}/audittrail.db"))
    ok = True
    title = f"{TRACES * SPANS:,} spans in {TRACES:,} traces of {DAYS} days"
    print(f"\n{title}{'median':>14} {'p95':>9} {'below':>9} {'CPU':>9}")
    with server, server.browser() as person:
        for name, path in PAGES.items():
            _timed(person, path)  # the first is cold
            before = _cpu_ms(server)
            times = sorted(_timed(person, path) for _ in range(ROUNDS))
            cpu = (_cpu_ms(server) - before) / ROUNDS
            middle, p95 = statistics.median(times), times[int(len(times) * 0.95)]
            ok &= middle < BAR_MS
            print(f"{name:40} {middle:>11.0f} ms {p95:>6.0f} ms {BAR_MS:>6} ms {cpu:>6.0f} ms", flush=True)
    return ok


def _cpu_ms(server: Server) -> float:
    """What the server has computed so far: what a time would be if nothing else ran on the machine."""
    used = psutil.Process(server.pid).cpu_times()
    return float(used.user + used.system) * 1e3


def _timed(person: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    answer = person.get(path)
    took = (time.perf_counter() - began) * 1e3
    assert answer.status_code == 200, (path, answer.status_code)
    return took


if __name__ == "__main__":
    import shutil
    import sys
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="audittrail-pages-"))
    try:
        sys.exit(0 if run(Server(folder)) else 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
