"""Durable ingest as a ratio to the floor: what one process does that only decodes and inserts the same bodies.

Floor and server run in turn, in the same minutes on the same disk, so that a machine that is slower today is slower for
both. Medians of the rounds are printed. The load generator and the floor stand beside the checkout, in ../shared/bench.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.live import ROOT, Server

TOOLS = ROOT.parent / "shared" / "bench"
# What must hold: at least (ratio) or at most (milliseconds, MB).
BARS = {"512 spans a POST": 0.35, "one trace a POST": 0.15}
P99_MS, IDLE_MB = 1000, 350


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    return float(psutil.Process(pid).memory_info().rss) / 1e6


def run(rounds: int, spans: int, folder: Path) -> int:
    """Prints the table; the exit status says whether every bar holds."""
    import floor  # type: ignore[import-not-found]
    import gen  # type: ignore[import-not-found]
    import load  # type: ignore[import-not-found]

    found: dict[str, list[dict[str, float]]] = {name: [] for name in BARS}
    server = Server(folder / "server")
    with server:
        time.sleep(1)
        idle = memory_mb(server.pid)
        headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/x-protobuf"}
        count = load.make_counter(f"sqlite:{server.data}/audittrail.db:SELECT count(*) FROM spans", {})
        seed = int(time.time())
        for number in range(rounds):
            for name, batch in zip(BARS, (512, 0), strict=True):
                seed += 1
                bodies = gen.bodies(seed, spans, batch)
                floor_rate, _ = floor.end_to_end(bodies, str(folder), "FULL", group=1 if batch else 16)
                base = count()
                result: dict[str, Any] = asyncio.run(load.run(server.url + "/v1/traces", bodies, headers, 8))
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
    ok = True
    print(f"\n{'':20} {'floor':>10} {'server':>10} {'ratio':>7} {'at least':>9} {'p99 of a POST':>14}")
    for name, bar in BARS.items():
        middle = {key: statistics.median(one[key] for one in found[name]) for key in found[name][0]}
        ok &= middle["ratio"] >= bar and middle["p99"] < P99_MS
        print(
            f"{name:20} {middle['floor']:>8,.0f}/s {middle['rate']:>8,.0f}/s {middle['ratio']:>7.2f} {bar:>9.2f}"
            f" {middle['p99']:>11,.0f} ms"
        )
    ok &= idle < IDLE_MB
    print(
        f"memory: {idle:.0f} MB idle (below {IDLE_MB}), {loaded:.0f} MB after {total:,} spans; "
        f"{size / total:,.0f} bytes a span"
    )
    print("every bar holds" if ok else "A BAR DOES NOT HOLD")
    return 0 if ok else 1


def main() -> int:
    """The command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--spans", type=int, default=20_480)
    asked = ask.parse_args()
    if not TOOLS.is_dir():
        print(
            f"The load generator is not there: {TOOLS.relative_to(ROOT.parent)} beside the checkout.", file=sys.stderr
        )
        return 2
    sys.path.insert(0, str(TOOLS))
    folder = Path(tempfile.mkdtemp(prefix="audittrail-bench-"))
    try:
        return run(asked.rounds, asked.spans, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
