"""What the six default rules cost for each span."""

from __future__ import annotations

import time

from audittrail.constitution import RuleSet, judge_span, load_folder
from audittrail.ingest.normalise import normalise
from audittrail.ingest.otlp import decode_protobuf
from tests.live import ROOT

SPAN_US = 150


def run() -> bool:
    """Prints the figure; whether the bar holds."""
    import gen  # type: ignore[import-not-found]

    rules = load_folder(ROOT / "rules")
    assert isinstance(rules, RuleSet), rules
    spans = [normalise(record) for body in gen.bodies(1, 2_048, 512) for record in decode_protobuf(body.data).records]
    best = 9e9
    for _ in range(5):
        began = time.thread_time()
        for span in spans:
            judge_span(span, rules)
        best = min(best, time.thread_time() - began)
    each = best / len(spans) * 1e6
    print(f"six rules: {each:.0f} µs a span of 5 KB (at most {SPAN_US})")
    return each <= SPAN_US
