"""The graph of a trace: what contains, calls and feeds what, and what is linked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from audittrail.attribution.calls import calls_of
from audittrail.attribution.feeds import feeds_of
from audittrail.attribution.steps import Steps
from audittrail.model.span import Span

EdgeType = Literal["contains", "calls", "feeds", "links"]


class Edge(msgspec.Struct, frozen=True):
    """One way in which a span came to be or what it worked with. Both ends are span ids."""

    source: str
    target: str
    type: EdgeType
    why: str = ""  # in a few words: a call's id, or what of the source was found in the target


class Graph(msgspec.Struct, frozen=True):
    """Every span, by start, and every edge, by the order of its spans."""

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]


def graph_of(spans: Sequence[Span]) -> Graph:
    """The graph of one trace's spans, the same whatever order they came in. Work grows with the trace's size, and no
    more than 8 MB of its texts are compared."""
    steps = Steps(spans)
    calls = calls_of(steps)
    found: list[Edge] = []
    found += (Edge(parent, child, "contains") for child, parent in steps.parents.items())
    found += (Edge(call.asker, tool, "calls", call.why) for tool, call in calls.by_tool.items())
    found += (Edge(source, target, "feeds", why) for (source, target), why in feeds_of(steps, calls).items())
    found += (Edge(source, target, "links", "a link between spans") for source, target in _links(steps))
    place = steps.place
    found.sort(key=lambda e: (place[e.source], place[e.target], e.type))
    return Graph(tuple(place), tuple(found))


def _links(steps: Steps) -> Iterable[tuple[str, str]]:
    """A link points back at what led to the span, so the edge leads from there to here."""
    return dict.fromkeys(
        (link.span_id, span.span_id)
        for span in steps.spans
        for link in span.links
        if link.trace_id == span.trace_id and link.span_id in steps.place and link.span_id != span.span_id
    )
