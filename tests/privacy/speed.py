"""What redaction costs: a span as the benchmark sends it, and texts made to be expensive. Run by `make bench`."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import NamedTuple

from audittrail.model.record import Event, Scope, SpanRecord
from audittrail.privacy.redactor import Redactor
from tests.live import ROOT
from tests.privacy.hostile import TEXTS

TOOLS = ROOT.parent / "shared" / "bench"
REDACTOR = Redactor(b"a key of the bench")
# What must hold.
SPAN_US, HOSTILE_MS, STALL_MS = 200, 200, 20


class Cost(NamedTuple):
    """Of a span of 5 KB, and the worst of the hostile texts with its name."""

    span_us: float
    hostile_ms: float
    hostile: str
    stall_ms: float
    stall: str


def measure() -> Cost:
    """The figures of this machine now. Each is the best of some runs: what others do on it is no cost of ours."""
    took = {name: min(_seconds(text) for _ in range(3)) * 1e3 for name, text in TEXTS.items()}
    stalls = {name: _least_stall(text) * 1e3 for name, text in TEXTS.items()}
    hostile, stall = max(took, key=took.__getitem__), max(stalls, key=stalls.__getitem__)
    return Cost(_span_us(), took[hostile], hostile, stalls[stall], stall)


def _span_us() -> float:
    sys.path.insert(0, str(TOOLS))
    import gen  # type: ignore[import-not-found]

    records = [
        SpanRecord(
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            name=span.name,
            status_message=span.error,
            attributes=span.attrs,
            resource=gen.RESOURCE,
            scope=Scope("bench.agent"),
            events=tuple(Event(name, at, attributes) for at, name, attributes in span.events),
        )
        for trace in gen.traces(1, 60, "both", 7.0)
        for span in trace
    ]
    best = 9e9
    for _ in range(5):
        started = time.thread_time()
        for record in records:
            REDACTOR.redact(record)
        best = min(best, time.thread_time() - started)
    return best / len(records) * 1e6


def _seconds(text: str) -> float:
    # Of this thread, which does everything: on a machine that is busy a clock on the wall measures the others. The
    # pauses that the detectors make are not in it, 3 ms at most.
    started = time.thread_time()
    REDACTOR.redact_text(text)
    return time.thread_time() - started


def _least_stall(text: str) -> float:
    """Of ten runs, or of fewer where one is good enough: the others' work on this machine stalls a loop as well."""
    least = 9e9
    for _ in range(10):
        least = min(least, asyncio.run(_stall(text)))
        if least < STALL_MS / 2000:
            break
    return least


async def _stall(text: str) -> float:
    """For how long an event loop did nothing at most, while a thread beside it redacted."""
    work = asyncio.create_task(asyncio.to_thread(REDACTOR.redact_text, text))
    worst, last = 0.0, time.perf_counter()
    while not work.done():
        await asyncio.sleep(0.001)
        now = time.perf_counter()
        worst, last = max(worst, now - last - 0.001), now
    await work
    return worst


if __name__ == "__main__":
    print(measure())
