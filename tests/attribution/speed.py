"""What an exact Shapley run costs: twelve steps of a trace of 200 spans, for every kind of outcome."""

from __future__ import annotations

import time
from decimal import Decimal

from audittrail.attribution import ablate, parse
from audittrail.constitution import RuleSet, judge_span, judge_trace, load
from audittrail.model.span import Span, SpanError, Tokens, Tool
from audittrail.model.summary import SpanRow, summarise
from tests.attribution.test_graph import asks, step

LIMIT_S = 2.0
TRACE_RULE = """
id: too-many-tokens
title: Too many tokens
severity: high
stages: [after]
scope: trace
when: trace.tokens.input > 1500
effect: warn
mode: enforce
message: "{trace.tokens.input} tokens"
tests:
  - {trace: {tokens: {input: 2000}}, expect: warning}
  - {trace: {tokens: {input: 10}}, expect: pass}
"""
SPAN_RULE = """
id: no-harm
title: No harm
severity: high
stages: [after]
scope: span
match: {kind: tool}
when: span.tool.name == 'act'
effect: deny
mode: enforce
message: "{span.tool.name}"
tests:
  - {span: {kind: tool, tool: {name: act}}, expect: violation}
  - {span: {kind: tool, tool: {name: look}}, expect: pass}
"""


def trace() -> list[Span]:
    """Six models' calls that ask for six tools, in and among 188 spans that hold each other."""
    spans = [step(1, "agent", status="error", error=SpanError("disk full"), ended_us=900_000_000)]
    for turn in range(6):
        base = 2 + turn * 33
        for depth in range(31):  # a deep nest of chains around each pair
            parent = (1 if turn else 200) if depth == 0 else base + depth - 1
            spans.append(step(base + depth, "chain", parent=parent, ended_us=(base + 33) * 1_000_000))
        inner, last = base + 30, turn == 5
        tool = Tool("act" if turn == 2 else "look", f"c{turn}", {"n": turn}, None if last else "found")
        spans.append(
            step(
                base + 31,
                "llm",
                parent=inner,
                output=asks((f"c{turn}", tool.name or "", {"n": turn})),
                tokens=Tokens(input=400, output=20),
                cost=Decimal("0.0123"),
            )
        )
        error = SpanError("disk full") if last else None
        spans.append(step(base + 32, parent=inner, tool=tool, status="error" if last else "ok", error=error))
    return [*spans, step(200, "chain", parent=1)]


def run() -> bool:
    """Prints the seconds of each kind of outcome; whether all stay below the limit."""
    rules = load({"tokens.yaml": TRACE_RULE, "harm.yaml": SPAN_RULE})
    assert isinstance(rules, RuleSet), rules
    spans = trace()
    row = summarise([SpanRow.of(span) for span in spans], 1).now
    good = True
    asked = [{"rule": "too-many-tokens"}, {"rule": "no-harm"}, {"error": True}]
    asked += [{"measure": name} for name in ("cost", "duration", "tokens")]
    for outcome in asked:
        began = time.perf_counter()
        found = ablate(
            row,
            spans,
            parse(outcome),
            judge_span=lambda span: judge_span(span, rules),
            judge_trace=lambda trace, left: judge_trace(trace, left, rules),
        )
        took = time.perf_counter() - began
        assert found.exact and found.asked >= 4_096, (len(found.parts), found.asked)
        good &= took < LIMIT_S
        name = " ".join(str(word) for pair in outcome.items() for word in pair)
        print(f"exact Shapley, 12 steps of {len(spans)} spans, {name}: {took:.2f} s (at most {LIMIT_S} s)")
    return good


if __name__ == "__main__":
    run()
