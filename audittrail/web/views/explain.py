"""Views of what caused an outcome."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec

from audittrail.attribution import Ablation, Outcome, Part
from audittrail.model import human
from audittrail.model.ablation import AblationRun
from audittrail.model.summary import TraceRow
from audittrail.report.sankey import Drawing, Flow, Node, sankey
from audittrail.web.views.links import query

SHOWN = 50  # steps with a share, the largest first
BARS = 12  # of them drawn as a flow
WIDTH, HEIGHT = 680.0, 220.0
METHODS = {
    "shapley": "Shapley values: a step’s share is its average part over all orders in which the steps could have come",
    "leave_one_out": "Each step removed alone",
    "minimal": "The smallest sets of steps without which it does not happen",
}
_ID = re.compile(r" \((?:span )?[0-9a-f]{16}\)| by span [0-9a-f]{16}")
SYMBOLS = {"cost": "coins", "duration": "hourglass", "tokens": "hash"}


def question(outcome: Mapping[str, Any], step: str = "") -> str:
    """An outcome, as one asks about it; `step`: what the one step is called, where it is about one."""
    if rule := outcome.get("rule"):
        where = f" by {step or 'step ' + str(outcome['span'])}" if outcome.get("span") else ""
        return f"Why is {human.line(str(rule), 120)} violated{where}?"
    if error := outcome.get("error"):
        return "Why did it end in an error?" if error is True else f"Why did {step or f'step {error}'} fail?"
    words = {"cost": "cost so much", "duration": "take so long", "tokens": "use so many tokens"}
    return f"Why did it {words.get(str(outcome.get('measure')), 'happen')}?"


def plainly(finding: str) -> str:
    """A finding without the ids of steps."""
    return _ID.sub("", finding)


class Asked(msgspec.Struct, frozen=True):
    """A run in a list."""

    run: AblationRun

    @property
    def question(self) -> str:
        """In words."""
        return question(self.run.outcome)

    @property
    def finding(self) -> str:
        """What came of it, as far as it has."""
        return plainly(self.run.finding) or self.run.error


class Choice(msgspec.Struct, frozen=True):
    """A question that can be asked of a trace; `value` is what the form sends as `outcome`."""

    value: str
    label: str
    symbol: str

    @classmethod
    def of(cls, outcome: Outcome) -> Choice:
        """For an outcome that the trace has."""
        symbol = SYMBOLS.get(outcome.measure or "", "shield-alert" if outcome.rule else "octagon-x")
        return cls(msgspec.json.encode(outcome).decode(), question(msgspec.to_builtins(outcome)), symbol)


class ExplainView(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked. Template: pages/explain.html (GET /explain, ?trace= for one trace). Blocks: runs, more.

    With a trace, a form that posts to /traces/{id}/explain: `outcome`, the value of a choice.
    """

    trace: TraceRow | None
    choices: tuple[Choice, ...]
    too_large: str  # why nothing can be asked of this trace
    runs: tuple[Asked, ...]
    next: str | None

    @property
    def older(self) -> str:
        """The next page; "" at the end."""
        return "/explain" + query(trace=self.trace.trace_id if self.trace else "", after=self.next) if self.next else ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step as a cause. `x` and `width` of its bar in percent."""

    id: str
    href: str
    name: str
    kind: str
    steps: int = 1
    share: str = ""
    exact: str = ""
    interval: str = ""
    alone: str = ""
    takes: int = 0
    x: float = 0.0
    width: float = 0.0
    less: bool = False  # with it, the outcome is smaller
    amount: float = 0.0


class CauseSetView(msgspec.Struct, frozen=True):
    """Steps that must all be gone, and those that led to them."""

    steps: tuple[Step, ...]
    upstream: tuple[Step, ...]


class AblationView(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One run. Template: pages/ablation.html (GET /explain/{id}). Block: ablation (all but the title)."""

    run: AblationRun
    answer: Ablation | None
    trace_name: str
    changed: bool  # more of the trace has arrived than was seen

    @property
    def path(self) -> str:
        """Its own address."""
        return f"/explain/{self.run.id}"

    @property
    def question(self) -> str:
        """In words."""
        one = self.run.outcome.get("span") or self.run.outcome.get("error")
        part = self._parts.get(one) if isinstance(one, str) else None
        return question(self.run.outcome, human.line(part.name, 80) if part else "")

    @property
    def finding(self) -> str:
        """In words; each step has a link below them."""
        return plainly(self.answer.finding) if self.answer else ""

    @property
    def method(self) -> str:
        """In words."""
        return METHODS.get(self.run.method, str(self.run.method))

    @property
    def percent(self) -> int:
        """How much of the work is done."""
        return min(99, 100 * self.run.done // self.run.total) if self.run.total else 0

    def amount(self, value: float | None) -> str:
        """A value in the outcome's unit, for people."""
        if value is None:
            return "—"
        unit = self.answer.unit if self.answer else ""
        if unit == "US dollars":
            return human.money(Decimal(repr(value)).quantize(Decimal("1e-12")))
        if unit == "seconds":
            return ("-" if value < 0 else "") + human.duration(round(abs(value) * 1e6))
        if unit == "tokens":
            return ("-" if value < 0 else "") + human.count(round(abs(value)))
        return f"{100 * value:.3g} %"

    @cached_property
    def _parts(self) -> dict[str, Part]:
        return {part.span_id: part for part in self.answer.parts} if self.answer else {}

    @cached_property
    def shares(self) -> list[Part]:
        """The parts that are not nothing, the largest first."""
        found = [part for part in self._parts.values() if part.value]
        return sorted(found, key=lambda part: (-abs(part.value or 0), part.span_id))

    @property
    def without_share(self) -> int:
        """How many steps have no part in it."""
        return len(self._parts) - len(self.shares)

    @cached_property
    def _scale(self) -> tuple[float, float]:
        """The least and the greatest value drawn."""
        values = [part.value or 0.0 for part in self.shares]
        return min([0.0, *values]), max([0.0, *values])

    @property
    def zero(self) -> float:
        """Where nothing is, in percent."""
        low, high = self._scale
        return round(100 * -low / (high - low), 2) if high > low else 0.0

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Those with a share."""
        return tuple(self._step(part.span_id) for part in self.shares[:SHOWN])

    @cached_property
    def sets(self) -> tuple[CauseSetView, ...]:
        """What must be gone for it not to happen: any one of these."""
        if self.answer is None:
            return ()
        return tuple(CauseSetView(self._steps(s.span_ids), self._steps(s.upstream)) for s in self.answer.sets)

    def _steps(self, ids: Sequence[str]) -> tuple[Step, ...]:
        return tuple(self._step(span_id) for span_id in ids)

    def _step(self, span_id: str) -> Step:
        part = self._parts[span_id]
        low, high = self._scale
        value, room = part.value or 0.0, (high - low) or 1.0
        shown = self.amount(value)
        between = f"{self.amount(part.low)} to {self.amount(part.high)}" if part.low is not None else ""
        return Step(
            id=span_id,
            href=f"/traces/{self.run.trace_id}" + query(span=span_id),
            name=part.name,
            kind=part.kind,
            steps=max(1, len(part.span_ids)),
            share=shown,
            exact=f"{value:.12g} {self.answer.unit if self.answer else ''}",
            interval=between,
            alone=self.amount(part.alone),
            takes=part.takes,
            x=round(100 * (min(value, 0.0) - low) / room, 2),
            width=round(max(0.4, 100 * abs(value) / room), 2),
            less=value < 0,
            amount=value,
        )

    @cached_property
    def drawing(self) -> Drawing | None:
        """The shares as a flow into the outcome; None where a share is below nothing, which no flow can show."""
        if not self.steps or any(step.less for step in self.steps):
            return None
        nodes = [Node(step.id, human.line(step.name, 60) or "(unnamed)", 0, step.kind) for step in self.steps[:BARS]]
        flows = [Flow(step.id, "outcome", step.amount) for step in self.steps[:BARS]]
        rest = sum(part.value or 0.0 for part in self.shares[BARS:])
        if rest > 0:
            nodes.append(Node("rest", f"{len(self.shares) - BARS} more", 0, "other"))
            flows.append(Flow("rest", "outcome", rest))
        outcome = self.run.outcome
        label = outcome.get("rule") or ("error" if outcome.get("error") else outcome.get("measure")) or "outcome"
        return sankey([*nodes, Node("outcome", human.line(str(label), 60), 1, "outcome")], flows, WIDTH, HEIGHT)
