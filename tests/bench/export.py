"""How fast 200,000 spans leave the server as a file, and how much its memory grows meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
import time

import psutil

from audittrail.model.record import SpanRecord, encode
from audittrail.model.summary import SpanRow, summarise
from audittrail.store import search, spans, traces
from audittrail.store.bulk import write_rows
from audittrail.store.database import Database
from audittrail.store.tables import spans as span_table
from tests.bench.pages import WORDS, a_trace
from tests.live import Server

TRACES = 20_000  # of ten spans
LARGE = 33_000  # spans of one trace more
SPANS_A_SECOND = 1_500  # of the server's processor time: the machine may be shared
GROWTH_MB = 60  # of a file of 1.3 GB


def record_of(row: SpanRow, dice: random.Random) -> bytes:
    """About 3 KB, as an instrumented call sends it."""
    asked = [{"role": "user", "content": " ".join(dice.choices(WORDS, k=200))}]
    said = [{"role": "assistant", "content": " ".join(dice.choices(WORDS, k=200))}]
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps(asked),
        "gen_ai.output.messages": json.dumps(said),
    }
    ended = None if row.ended_us is None else row.ended_us * 1000
    record = SpanRecord(
        trace_id=row.trace_id,
        span_id=row.span_id,
        parent_id=row.parent_id,
        name=row.name,
        started_ns=row.started_us * 1000,
        ended_ns=ended,
        attributes=attributes,
    )
    return encode(record)


async def fill(url: str) -> int:
    """Writes them all, with their records, into the first project; how many."""
    dice, now_us = random.Random(20), time.time_ns() // 1000
    large = [SpanRow("f" * 32, f"{n:016x}", started_us=now_us + n, ended_us=now_us + n) for n in range(LARGE)]
    total = 0
    async with Database(url) as db:
        for n in range(0, TRACES + 500, 500):
            some = [a_trace(dice, now_us) for _ in range(500)] if n < TRACES else [large]
            rows = [row for one in some for row in one]
            total += len(rows)
            keys = [(1, row.trace_id, row.span_id) for row in rows]
            values = [spans.values_of(key, spans.Stored(row, 1, 1)) for key, row in zip(keys, rows, strict=True)]
            new = [(key, 1, record_of(row, dice)) for key, row in zip(keys, rows, strict=True)]
            # As if search knew them all: the memory of indexing them would be measured with that of the export.
            known = [search.Waiting(1, one[0].trace_id, now_us, len(one)) for one in some]
            async with db.write() as conn:
                await write_rows(conn, span_table, values)
                await spans._add_records(conn, new, now_us)
                await traces.save(conn, [(1, summarise(one, now_us)) for one in some])
                await search.put(conn, [], known, now_us)
    return total


def run(server: Server) -> bool:
    """Prints the figures; whether the bars hold."""
    with server:
        pass  # makes the database, the project and the key
    total = asyncio.run(fill(f"sqlite+aiosqlite:///{server.data}/audittrail.db"))
    ok = True
    with server:
        process = psutil.Process(server.pid)
        _taken(server, f"traces/{'f' * 32}/export?format=csv")  # warms up what is loaded once
        for form, path, many in (
            ("csv", f"traces/{'f' * 32}/export?", LARGE),
            ("ndjson", "traces/export?level=spans&", total),
        ):
            before, cpu = process.memory_info().rss, _cpu(process)
            began, last, size, most = time.perf_counter(), b"", 0, 0
            asked = f"/api/v1/{path}format={form}"
            with server.client() as client, client.stream("GET", asked) as answer:
                for n, chunk in enumerate(answer.iter_raw(1 << 20)):
                    last, size = (last + chunk)[-2_000:], size + len(chunk)
                    if n % 20 == 0:
                        most = max(most, process.memory_info().rss)
            took, used = time.perf_counter() - began, _cpu(process) - cpu
            grown = (most - before) / 1e6
            assert str(many).encode() in last.rstrip().splitlines()[-1], last[-300:]
            ok &= many / used >= SPANS_A_SECOND and grown <= GROWTH_MB
            print(
                f"export: {many:,} spans as {form}, {size / 1e6:,.0f} MB, in {took:.0f} s: {many / took:,.0f} spans/s,"
                f" {many / used:,.0f} a second of processor time (at least {SPANS_A_SECOND:,});"
                f" the server grew by {grown:.0f} MB (at most {GROWTH_MB})",
                flush=True,
            )
    return ok


def _taken(server: Server, path: str) -> None:
    with server.client() as client:
        assert client.get(f"/api/v1/{path}").status_code == 200


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return float(used.user + used.system)


if __name__ == "__main__":
    import shutil
    import sys
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="audittrail-export-"))
    try:
        sys.exit(0 if run(Server(folder)) else 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
