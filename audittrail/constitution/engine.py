"""Judging: what happened by verdicts, what is about to happen by a decision. Pure functions of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from audittrail.constitution.condition import Activation
from audittrail.constitution.facts import SpanFacts, TraceFacts, span_of
from audittrail.constitution.message import fill, shortened
from audittrail.constitution.ruleset import STUMBLES, Ready, RuleSet
from audittrail.model.human import line
from audittrail.model.span import Span
from audittrail.model.summary import SpanRow, TraceRow, tops
from audittrail.model.verdict import (
    ANSWERS,
    EFFECTS,
    SEVERITIES,
    Action,
    Answer,
    Approval,
    Decision,
    Stage,
    Verdict,
)

MAX_EVIDENCE = 10
_NO_TRACE = TraceRow(trace_id="", status="running")


def judge_span(span: Span, rules: RuleSet) -> tuple[Verdict, ...]:
    """One verdict of each rule of scope `span` and stage `after` that applies to it. Never raises."""
    candidates = rules.candidates("span", "after", span.kind)
    if not candidates:
        return ()
    return _judge("span", candidates, span, SpanFacts(span, "after"), rules, lambda _: (span.span_id,))


def judge_trace(trace: TraceRow, spans: Sequence[Span | SpanRow], rules: RuleSet) -> tuple[Verdict, ...]:
    """One verdict of each rule of scope `trace` and stage `after`. The spans are its evidence; they may be left out."""
    return _judge_trace(trace, spans, rules, "after")


def decide(action: Action, trace: TraceRow | None, rules: RuleSet, spans: Sequence[Span | SpanRow] = ()) -> Decision:
    """May it be done? The strongest effect of the rules of stage `before` wins: those of scope `span` see the action,
    those of scope `trace` what its trace has used so far. A blocking rule that cannot be judged denies."""
    span = span_of(action)
    candidates = rules.candidates("span", "before", action.kind)
    verdicts = list(_judge("span", candidates, span, SpanFacts(span, "before"), rules, lambda _: ()))
    verdicts += _judge_trace(trace or _NO_TRACE, spans, rules, "before")
    reasons = sorted((v for v in verdicts if v.outcome != "pass"), key=_strictest_first)
    answer: Answer = max((answer_of(v) for v in reasons), key=ANSWERS.index) if reasons else "allow"
    asking = [v for v in reasons if answer_of(v) == "require_approval"] if answer == "require_approval" else []
    return Decision(
        decision=answer,
        reasons=tuple(reasons),
        approval=_approval(asking, rules) if asking else None,
        versions=tuple((v.rule_id, v.version) for v in asking),
        rule_set=rules.hash,
    )


def answer_of(verdict: Verdict) -> Answer:
    """What one verdict before an action asks for. A rule in observe mode asks for nothing."""
    if verdict.mode == "observe" or verdict.outcome == "pass":
        return "allow"
    blocks = verdict.effect in ("deny", "require_approval")
    if verdict.outcome == "error":
        # Closed, for a rule that can close: one that could only have warned must not begin to block by breaking.
        return "deny" if blocks else "warn"
    return "allow" if verdict.effect == "log" else verdict.effect


def try_rule(ready: Ready, subject: Span | TraceRow | Action, stage: Stage) -> Verdict:
    """What one rule says of one example. A rule that does not apply passes."""
    rules = RuleSet((ready,))
    found: Sequence[Verdict]
    if isinstance(subject, Action):
        found = decide(subject, None, rules).reasons
    elif isinstance(subject, TraceRow):
        found = _judge_trace(subject, (), rules, stage)
    else:
        found = judge_span(subject, rules)
    return found[0] if found else ready.passed


def _judge_trace(trace: TraceRow, spans: Sequence[Span | SpanRow], rules: RuleSet, stage: Stage) -> tuple[Verdict, ...]:
    candidates = rules.candidates("trace", stage)
    if not candidates:
        return ()
    facts = TraceFacts(trace, spans, stage)
    return _judge("trace", candidates, trace, facts, rules, lambda ready: _weightiest(ready, facts))


def _judge(
    scope: Any,
    candidates: tuple[Ready, ...],
    subject: Any,
    facts: Any,
    rules: RuleSet,
    evidence: Callable[[Ready], tuple[str, ...]],
) -> tuple[Verdict, ...]:
    active = [ready for ready in candidates if ready.matches is None or ready.matches(subject)]
    if not active:
        return ()
    verdicts = []
    problem = ""
    activation: Activation | None = None
    try:
        activation = rules.activation(scope, active, facts)
    except STUMBLES as error:
        problem = str(error)
    for ready in active:
        holds = problem if activation is None else ready.condition.holds(activation)
        if holds is False:
            verdicts.append(ready.passed)
        elif holds is True:
            values = _values(ready, facts)
            message = fill(ready.rule.message, values)
            kept = {name: shortened(value) for name, value in values.items()}
            verdicts.append(
                ready.verdict(outcome=ready.rule.outcome, message=message, values=kept, evidence=evidence(ready))
            )
        else:
            message = f"The rule could not be judged: {line(str(holds), 200)}"
            verdicts.append(ready.verdict(outcome="error", message=message, evidence=evidence(ready)))
    return tuple(verdicts)


def _values(ready: Ready, facts: Any) -> dict[str, Any]:
    """What the condition and the message read, the condition's first."""
    values: dict[str, Any] = {}
    for variable in ready.shown:
        try:
            values[variable.name] = variable.get(facts)
        except STUMBLES:
            continue
    return values | ready.shown_params


def _weightiest(ready: Ready, facts: TraceFacts) -> tuple[str, ...]:
    """The spans that made the trace what the rule complains of: the dearest, largest, slowest or failed ones."""
    try:
        return tuple(span.span_id for span in _heaviest(ready, facts)[:MAX_EVIDENCE])
    except STUMBLES:
        return ()  # a verdict without evidence is better than none


def _heaviest(ready: Ready, facts: TraceFacts) -> list[SpanRow]:
    names = {variable.name for variable in ready.shown}
    if any(name.startswith("trace.cost") for name in names):
        chosen = sorted((s for s in facts.leaves if s.cost), key=lambda s: -(s.cost or 0))
    elif any(name.startswith("trace.tokens") for name in names):
        chosen = sorted(facts.leaves, key=lambda s: -((s.input_tokens or 0) + (s.output_tokens or 0)))
    elif "trace.errors" in names:
        chosen = [s for s in facts.rows if s.status == "error"]
    elif "trace.duration_ms" in names:
        ended = [s for s in facts.rows if s.ended_us is not None and s.parent_id is not None]
        chosen = sorted(ended, key=lambda s: s.started_us - (s.ended_us or 0))
    elif "trace.tool_calls" in names or "trace.tools" in names:
        chosen = [s for s in facts.rows if s.kind == "tool"]
    else:
        chosen = []
    return chosen or tops(facts.rows)[:1]


def _strictest_first(verdict: Verdict) -> tuple[int, int, int]:
    return (
        -ANSWERS.index(answer_of(verdict)),
        EFFECTS.index(verdict.effect),
        -SEVERITIES.index(verdict.severity),
    )


def _approval(asking: list[Verdict], rules: RuleSet) -> Approval:
    found = [rule.approval for v in asking if (rule := rules.rule(v.rule_id)) is not None and rule.approval is not None]
    strict = any(one.on_timeout == "deny" for one in found)
    return Approval(min(one.timeout for one in found), "deny" if strict else "allow")
