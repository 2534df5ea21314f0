"""What is asked about: a rule's violation, an error, or a measure of a trace."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import msgspec

from audittrail.attribution.counterfactual import Game
from audittrail.attribution.failures import Failures
from audittrail.attribution.measures import Standing, Time, cost_of, tokens_of
from audittrail.attribution.remainder import JudgeTrace, Remainder, Rows, TraceRule
from audittrail.attribution.steps import Steps
from audittrail.model.errors import Invalid
from audittrail.model.human import line, listed, visible
from audittrail.model.span import Span
from audittrail.model.summary import TraceRow
from audittrail.model.verdict import Verdict

MeasureName = Literal["cost", "duration", "tokens"]
MEASURES: tuple[MeasureName, ...] = get_args(MeasureName)
UNITS: dict[str, str] = {"cost": "US dollars", "duration": "seconds", "tokens": "tokens"}
JudgeSpan = Callable[[Span], Sequence[Verdict]]
_SPAN_ID = re.compile("[0-9a-f]{16}")
_MAX_RULE = 200
_FORMS = (
    'An outcome is one of {"rule": "<rule id>"} (with "span": "<span id>" for one step alone), {"error": true}, '
    '{"error": "<span id>"} and {"measure": "cost" | "duration" | "tokens"}'
)


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the three, as `parse` reads it and JSON says it."""

    rule: str | None = None  # a rule's id
    span: str | None = None  # of one step alone
    error: Literal[True] | str | None = None  # the trace's final error, or a failed span's
    measure: MeasureName | None = None

    @property
    def unit(self) -> str:
        """What a value counts: 1 is the outcome, 0 its absence, unless it is a measure."""
        return UNITS[self.measure] if self.measure else "violation" if self.rule else "error"


def parse(value: Any) -> Outcome:
    """An outcome from its JSON. Invalid says what an outcome looks like."""
    if isinstance(value, dict):
        match value:
            case {"rule": str(rule), **rest} if rule and len(rule) <= _MAX_RULE and set(rest) <= {"span"}:
                span = rest.get("span")
                if span is None or _is_id(span):
                    return Outcome(rule=rule, span=span)
            case {"error": True, **rest} if not rest and value["error"] is True:
                return Outcome(error=True)
            case {"error": str(span), **rest} if not rest and _is_id(span):
                return Outcome(error=span)
            case {"measure": str(name), **rest} if not rest and name in MEASURES:
                return Outcome(measure=name)
    raise Invalid(f"{_FORMS}.")


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _SPAN_ID.fullmatch(value) is not None


def said(outcome: Outcome) -> str:
    """The outcome as it is written in a request."""
    return visible(msgspec.json.encode(outcome).decode())


class Question:
    """A trace about whose outcomes one can ask. Rules about single spans are asked once for each span."""

    def __init__(self, trace: TraceRow, steps: Steps, judge_span: JudgeSpan, judge_trace: JudgeTrace) -> None:
        self._trace = trace
        self._steps = steps
        self._judge_trace = judge_trace
        self._broken: dict[str, list[str]] = {}  # by rule: the spans that break it
        for span in steps.spans:
            for verdict in judge_span(span):
                if verdict.outcome in ("warning", "violation"):
                    self._broken.setdefault(verdict.rule_id, []).append(span.span_id)
        self._failures = Failures(steps)

    def _by_trace(self) -> list[str]:
        """The rules about whole traces that the trace breaks."""
        left = Remainder(self._steps, self._trace.received_us)
        row = left.trace()
        verdicts = self._judge_trace(row, Rows(left.left)) if row is not None else ()
        return list(dict.fromkeys(v.rule_id for v in verdicts if v.outcome in ("warning", "violation")))

    def outcomes(self) -> list[Outcome]:
        """What this trace has that one can ask about."""
        rules = dict.fromkeys(self._broken)
        # Where too many steps ran beside each other, nothing can be said of time; of the rest it can.
        with contextlib.suppress(Invalid):
            rules |= dict.fromkeys(self._by_trace())
        found = [Outcome(rule=rule) for rule in rules]
        if self._failures.final:
            found.append(Outcome(error=True))
        for name in MEASURES:
            with contextlib.suppress(Invalid):
                found += [Outcome(measure=name)] if self._measured(name) is not None else []
        return found

    def _measured(self, name: MeasureName) -> Game | None:
        if name == "duration":
            time = Time(self._steps)
            return time if time.value() else None
        usage = cost_of(self._steps) if name == "cost" else tokens_of(self._steps)
        return usage if usage.known and usage.value() else None

    def game(self, outcome: Outcome) -> Game:
        """The outcome as a number of what is left. Invalid where the trace does not have it, naming those it has."""
        count = len(self._steps.spans)
        place = self._steps.place
        if outcome.rule is not None:
            spans = self._broken.get(outcome.rule, [])
            if outcome.span is not None:
                spans = [span for span in spans if span == outcome.span]
            if spans:
                return Standing([place[span] for span in spans], count)
            if outcome.span is None and outcome.rule in self._by_trace():
                return TraceRule(self._steps, self._trace.received_us, self._judge_trace, outcome.rule)
            whom = "this trace" if outcome.span is None else f"span {outcome.span}"
            raise self._absent(f"The rule {line(visible(outcome.rule), 80)} is not violated by {whom}")
        if outcome.error is not None:
            final = outcome.error is True
            sources = self._failures.final if final else self._failures.sources.get(str(outcome.error), frozenset())
            if sources:
                return Standing([place[span] for span in sources], count)
            raise self._absent("This trace did not end in an error" if final else f"Span {outcome.error} did not fail")
        measured = self._measured(outcome.measure) if outcome.measure else None
        if measured is None:
            lacks = {
                "cost": "No call of it has a known price",
                "tokens": "No call of it reports tokens",
            }
            raise self._absent(lacks.get(outcome.measure or "", "It took no time that was recorded"))
        return measured

    def _absent(self, sentence: str) -> Invalid:
        there = [said(one) for one in self.outcomes()]
        more = f" (and {len(there) - 20} more)" if len(there) > 20 else ""
        rest = f"What can be asked of this trace: {listed(there[:20], 'or')}{more}" if there else "It has none"
        return Invalid(f"{sentence}. {rest}.")


def outcomes_of(
    trace: TraceRow, spans: Sequence[Span], *, judge_span: JudgeSpan, judge_trace: JudgeTrace
) -> list[Outcome]:
    """What can be asked of a trace: the rules it breaks, the error it ended in, and what was measured of it."""
    return Question(trace, Steps(spans), judge_span, judge_trace).outcomes() if spans else []
