"""Which failure a failed span stands for: its own, or that of a step inside it that nobody recovered from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

from audittrail.attribution.calls import key_of
from audittrail.attribution.steps import Steps
from audittrail.model.span import Span

FAILED = frozenset(("error", "blocked"))
# A message shorter than this is part of another by chance.
TELLING = 8
# Failures below one span that are looked at, the last ones.
MAX_BELOW = 200


class Failures:
    """`sources[id]`: for each failed span the failed steps that explain it, itself where none does. As long as one of
    them stands, it stands."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._begun: dict[str, list[int]] = defaultdict(list)  # by what contains them: the two latest starts
        self._well: dict[Hashable, int] = {}  # by container and try: the latest start of one that went well
        for span in steps.spans:
            parent = steps.parents.get(span.span_id, "")
            self._begun[parent] = [*self._begun[parent][-1:], span.started_us]
            if span.status == "ok":
                self._well[parent, _try(span)] = span.started_us
        self.sources: dict[str, frozenset[str]] = {}
        failed_below: dict[str, list[Span]] = defaultdict(list)  # through spans that ended well
        for span_id in reversed(steps.downward()):
            span = steps.by_id[span_id]
            below = sorted(failed_below.pop(span_id, ()), key=lambda s: (_end(s), steps.place[s.span_id]))[-MAX_BELOW:]
            if span.status in FAILED:
                chosen = self._explaining(span, below)
                inner = frozenset().union(*(self.sources[one.span_id] for one in chosen))
                self.sources[span_id] = inner or frozenset((span_id,))
                below = [span]
            if span_id in steps.parents:
                failed_below[steps.parents[span_id]] += below
        self.final = self._final()

    def _explaining(self, span: Span, below: list[Span]) -> list[Span]:
        """The failure that its message repeats, and failures after which it began nothing more. What was followed by
        other work was survived. Earlier tries of the same call failed for the same reason, and stand beside it."""
        told = {one.span_id for one in below if _tells(span, one) and not self._recovered(one)}
        last = {
            one.span_id
            for one in below
            if self._steps.parents.get(one.span_id) == span.span_id and self._nothing_after(span, one)
        }
        final = told & last or set([one.span_id for one in below if one.span_id in told][-1:]) or last
        tries = {_try(one) for one in below if one.span_id in final}
        return [one for one in below if one.span_id in final or (_try(one) in tries and not self._recovered(one))]

    def _nothing_after(self, span: Span, one: Span) -> bool:
        begun = list(self._begun[span.span_id])
        if one.started_us in begun:
            begun.remove(one.started_us)
        return all(start < _end(one) for start in begun)

    def _recovered(self, one: Span) -> bool:
        """Whether the same was tried again later beside it, and went well."""
        well = self._well.get((self._steps.parents.get(one.span_id, ""), _try(one)))
        return well is not None and well >= one.started_us

    def _final(self) -> frozenset[str]:
        """The failures that the trace ended with: of its root, or, where no root came, of what nothing contains."""
        tops = [span for span in self._steps.spans if span.span_id not in self._steps.parents]
        roots = [span for span in tops if span.parent_id is None][:1]
        found: frozenset[str] = frozenset()
        for span in roots or tops:
            if span.status in FAILED and (roots or not self._recovered(span)):
                found |= self.sources[span.span_id]
        if not found and not roots:
            for span in self._steps.spans:
                if span.status == "error":
                    found |= self.sources[span.span_id]
        return found


def _try(span: Span) -> Hashable:
    tool = span.tool
    return span.kind, key_of((tool.name if tool else None) or span.name, tool.args if tool else None)


def _end(span: Span) -> int:
    return span.started_us if span.ended_us is None else span.ended_us


def _tells(span: Span, one: Span) -> bool:
    outer = span.error.message if span.error else ""
    inner = one.error.message if one.error else ""
    short, long = sorted((outer[:2_000], inner[:2_000]), key=len)
    return len(short) >= TELLING and short in long
