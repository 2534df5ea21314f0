"""View of a trace in short: what it waited for, what it is made of, and which models it used."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import cached_property

import msgspec

from audittrail.model.summary import SpanRow, usage_leaves
from audittrail.model.tree import Tree

LONGEST = 5
MODELS = 12


class Wait(msgspec.Struct, frozen=True):
    """A step and how long the trace waited for it and for nothing below it."""

    span: SpanRow
    us: int
    share: float  # percent of the trace


class ModelUse(msgspec.Struct, frozen=True):
    """What was used of a model; None where no call reported it."""

    model: str
    calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None
    unpriced: int  # calls


class KindCount(msgspec.Struct, frozen=True):
    """How many steps of a kind there are."""

    kind: str
    count: int
    errors: int


class Gist(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Template: pages/trace/summary.html."""

    tree: Tree
    spans: tuple[SpanRow, ...]

    @cached_property
    def waits(self) -> tuple[Wait, ...]:
        """The longest of the critical path."""
        whole = max(1, self.tree.ended_us - self.tree.started_us)
        found = [(sum(b - a for a, b in line.critical), line.span) for line in self.tree.lines if line.critical]
        found.sort(key=lambda pair: -pair[0])
        return tuple(Wait(span, us, us * 100 / whole) for us, span in found[:LONGEST] if span is not None and us)

    @cached_property
    def kinds(self) -> tuple[KindCount, ...]:
        """The most frequent first."""
        counts = Counter(span.kind for span in self.spans)
        failed = Counter(span.kind for span in self.spans if span.status in ("error", "blocked"))
        return tuple(KindCount(kind, n, failed[kind]) for kind, n in counts.most_common())

    @cached_property
    def models(self) -> tuple[ModelUse, ...]:
        """The dearest first, then those that used the most tokens."""
        by_model: dict[str, list[SpanRow]] = {}
        for leaf in usage_leaves(self.spans):
            by_model.setdefault(leaf.model or "", []).append(leaf)
        uses = [_use(model, calls) for model, calls in by_model.items()]
        uses.sort(key=lambda u: (-(u.cost or 0), -(u.input_tokens or 0) - (u.output_tokens or 0), u.model))
        return tuple(uses)


def _use(model: str, calls: list[SpanRow]) -> ModelUse:
    given = [c.input_tokens for c in calls if c.input_tokens is not None]
    came = [c.output_tokens for c in calls if c.output_tokens is not None]
    costs = [c.cost for c in calls if c.cost is not None]
    return ModelUse(
        model,
        len(calls),
        sum(given) if given else None,
        sum(came) if came else None,
        sum(costs, Decimal()) if costs else None,
        len(calls) - len(costs),
    )
