"""What it costs to lay out and to draw a large trace."""

from __future__ import annotations

import time
from collections.abc import Callable

from audittrail.model.summary import SpanRow
from audittrail.model.tree import lay
from audittrail.web.render import Renderer
from audittrail.web.views.links import TraceAsk
from audittrail.web.views.trace import trace_view
from tests.live import ROOT
from tests.looks import samples

LAID_MS = 1_000
DRAWN_MS = 240


def run() -> bool:
    """Prints the figures; whether the bars hold."""
    chain = [
        SpanRow(trace_id="t", span_id=str(i), parent_id=str(i - 1) if i else None, started_us=i, ended_us=10**6 - i)
        for i in range(33_000)
    ]
    laid = _best_ms(lambda: lay(chain, samples.NOW))
    drawn = _best_ms(_draw)
    print(
        f"waterfall: 33,000 spans in one chain laid out in {laid:.0f} ms (at most {LAID_MS:,});"
        f" 500 lines drawn in {drawn:.0f} ms (at most {DRAWN_MS})"
    )
    return laid <= LAID_MS and drawn <= DRAWN_MS


def _draw() -> str:
    view = trace_view(
        samples.ROWS[0],
        samples.rows_of(list(samples.TRACES.values())[3]),
        TraceAsk(),
        selected=None,
        record=b"",
        versions=1,
        root=None,
        project="p",
        now_us=samples.NOW,
    )
    return _RENDERER.render("pages/trace.html", samples.chrome("/traces"), view)


_RENDERER = Renderer(ROOT / "templates", ROOT / "static")


def _best_ms(work: Callable[[], object]) -> float:
    best = 9e9
    for _ in range(5):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best * 1e3
