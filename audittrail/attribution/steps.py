"""The spans of a trace by id, in order, with what stands above each."""

from __future__ import annotations

from collections.abc import Sequence

from audittrail.model.span import Kind, Span
from audittrail.model.summary import SpanRow, tops

# They hold the steps of others. One that holds nothing is a step itself: an agent whose inside was not recorded.
CONTAINERS: frozenset[Kind] = frozenset(("agent", "chain", "other"))
# How far up one looks for a step that another is part of; deeper nesting is an attack, not an agent.
MAX_DEPTH = 64


class Steps:
    """A trace's spans: `spans` by start then id, `place` in that order, `parents` without orphans and loops."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.by_id = {span.span_id: span for span in sorted(spans, key=lambda s: (s.started_us, s.span_id))}
        self.spans = list(self.by_id.values())
        self.place = {span_id: at for at, span_id in enumerate(self.by_id)}
        top = {row.span_id for row in tops(map(SpanRow.of, self.spans))}
        self.parents = {s.span_id: s.parent_id for s in self.spans if s.parent_id is not None and s.span_id not in top}
        self._holders = set(self.parents.values())

    def acts(self, span: Span) -> bool:
        """Whether it did something itself, and did not only hold what others did."""
        return span.kind not in CONTAINERS or span.span_id not in self._holders

    def above(self, span_id: str) -> list[str]:
        """What contains it, the nearest first, at most MAX_DEPTH of them."""
        found: list[str] = []
        at = self.parents.get(span_id)
        while at is not None and len(found) < MAX_DEPTH:
            found.append(at)
            at = self.parents.get(at)
        return found

    def apart(self, one: str, other: str) -> bool:
        """Whether they are two spans of which neither contains the other."""
        return one != other and one not in self.above(other) and other not in self.above(one)
