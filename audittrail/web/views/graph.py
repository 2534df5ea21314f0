"""View of a trace's graph: the drawing, what it folds away, and its edges as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from audittrail.attribution.graph import Graph
from audittrail.model import human
from audittrail.model.summary import TraceRow
from audittrail.model.tree import Line, Tree, end_of
from audittrail.report.folding import REST, Rest, Shown, fold
from audittrail.report.layered import Box, Layout, Place, arrange, place
from audittrail.report.lettering import fit
from audittrail.report.routing import Route, Tie
from audittrail.web.views.links import EDGE_TYPES, TraceAsk
from audittrail.web.views.waterfall import NO_MARK, UNSAID

WIDTH, HEIGHT = 188.0, 46.0
REST_WIDTH, REST_HEIGHT = 132.0, 30.0
ROWS = 400  # of the table of edges
ALWAYS = 8  # failed and marked steps that no fold hides
# A drawing much wider than a screen is worse than one much higher: pages scroll down.
SCREEN = (840.0, 640.0)
# The way of the data makes the lines; what contains it stands beside.
PULL = {"contains": 1.0, "calls": 12.0, "feeds": 12.0, "links": 2.0}
EDGE_WORDS = {"contains": "Contains", "calls": "Calls", "feeds": "Feeds", "links": "Links"}
EDGE_MEANINGS = {
    "contains": "The step ran inside the other: it is its parent.",
    "calls": "The model asked for this call, by its id.",
    "feeds": "What the one gave back stands in what the other was given.",
    "links": "The agent itself linked the two steps.",
}


class EdgeKind(msgspec.Struct, frozen=True):
    """A type of edges, which can be shown or hidden."""

    type: str
    word: str
    meaning: str
    count: int
    on: bool
    href: str


class Arrow(msgspec.Struct, frozen=True, kw_only=True):
    """An edge as drawn, or as a line of the table: there `source` and `target` are what was recorded."""

    type: str
    source: str
    target: str
    why: str = ""
    count: int = 1  # how many edges it stands for, where one end is folded
    path: str = ""
    x: float = 0
    y: float = 0
    label: str = ""
    on_path: bool = False
    backward: bool = False


class Knot(msgspec.Struct, frozen=True, kw_only=True):
    """A node as drawn; `kind` "rest" stands for what is folded, "missing" for a parent that never came."""

    place: Place
    kind: str
    name: str
    title: str
    detail: str = ""
    href: str = ""
    status: str = ""
    error: str = ""
    verdict: str = ""
    verdict_title: str = ""
    fold: str = ""  # where what was unfolded below it is folded again
    current: bool = False
    on_path: bool = False
    looped: bool = False
    arrows: tuple[Arrow, ...] = ()  # that begin here


class GraphView(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Template: pages/trace/graph.html, and graph.svg for the download."""

    tree: Tree
    graph: Graph
    ask: TraceAsk
    selected: str  # the open span; ""
    now_us: int
    marks: Mapping[str, tuple[str, str]] = {}
    complete: bool = True  # whether the ways of its data were looked for

    @cached_property
    def shown(self) -> Shown:
        """What the drawing shows, and what it folds."""
        grave = [line.span_id for line in self.tree.lines if _failed(line) or line.span_id in self.marks][:ALWAYS]
        return fold(self.tree, self.ask.open, [self.selected, *grave] if self.selected else grave)

    @cached_property
    def edges(self) -> tuple[Arrow, ...]:
        """Every edge there is, of every type, as recorded; also from the place of a parent that never came."""
        found = [Arrow(type=e.type, source=e.source, target=e.target, why=e.why) for e in self.graph.edges]
        above: list[Line] = []
        for line in self.tree.lines:
            del above[line.depth :]
            if above and above[-1].span is None:
                found.append(Arrow(type="contains", source=above[-1].span_id, target=line.span_id))
            above.append(line)
        return tuple(found)

    @cached_property
    def drawn(self) -> dict[Tie, Arrow]:
        """The edges between what is shown, of the types asked for. Those of one way are one."""
        found: dict[Tie, Arrow] = {}
        for edge in self.edges:
            if edge.type not in self.ask.edges:
                continue
            ends = self.shown.stands_for.get(edge.source), self.shown.stands_for.get(edge.target)
            if ends[0] is None or ends[1] is None or (ends[0] == ends[1] and edge.source != edge.target):
                continue
            tie = Tie(ends[0], ends[1], edge.type, PULL[edge.type])
            before = found.get(tie)
            found[tie] = msgspec.structs.replace(
                edge, source=ends[0], target=ends[1], count=before.count + 1 if before else 1
            )
        return found

    @cached_property
    def edges_inside(self) -> int:
        """How many edges of the types shown lie within what is folded."""
        there = self.shown.stands_for
        wanted = [e for e in self.edges if e.type in self.ask.edges and e.source in there and e.target in there]
        return len(wanted) - sum(arrow.count for arrow in self.drawn.values())

    @cached_property
    def on_path(self) -> tuple[set[str], set[Tie]]:
        """What leads to the open step and what follows from it: nodes and edges."""
        start = self.shown.stands_for.get(self.selected, "")
        if not start:
            return set(), set()
        nodes, ties = {start}, set[Tie]()
        for forward in (True, False):
            ways: dict[str, list[Tie]] = {}
            for tie in self.drawn:
                ways.setdefault(tie.source if forward else tie.target, []).append(tie)
            seen, todo = {start}, [start]
            while todo:
                for tie in ways.get(todo.pop(), ()):
                    ties.add(tie)
                    end = tie.target if forward else tie.source
                    if end not in seen:
                        seen.add(end)
                        todo.append(end)
            nodes |= seen
        return nodes, ties

    @cached_property
    def layout(self) -> Layout:
        """The drawing, down or to the right: whichever fits a screen better."""
        boxes = [Box(line.span_id, number, WIDTH, HEIGHT) for number, line in self.shown.lines]
        boxes += [Box(rest.id, rest.order, REST_WIDTH, REST_HEIGHT) for rest in self.shown.rests]
        graph = arrange(boxes, list(self.drawn))
        down, right = (place(graph, way, self.on_path[1]) for way in ("down", "right"))
        return down if _away(down) <= _away(right) else right

    @cached_property
    def knots(self) -> tuple[Knot, ...]:
        """The nodes, each with the edges that begin there, in the order of the trace."""
        arrows: dict[str, list[Arrow]] = {}
        for route in self.layout.routes:
            arrows.setdefault(route.tie.source, []).append(self._arrow(route))
        where = {p.id: p for p in self.layout.places}
        knots: list[tuple[float, Knot]] = []
        for number, line in self.shown.lines:
            knots.append((number, self._knot(line, where[line.span_id], tuple(arrows.get(line.span_id, ())))))
        for rest in self.shown.rests:
            knots.append((rest.order, self._rest(rest, where[rest.id], tuple(arrows.get(rest.id, ())))))
        return tuple(knot for _, knot in sorted(knots, key=lambda pair: pair[0]))

    def _arrow(self, route: Route) -> Arrow:
        arrow = self.drawn[route.tie]
        many = f"{human.plural(arrow.count, 'edge')}" if arrow.count > 1 else ""
        why = many or human.line(arrow.why, 200)
        label = EDGE_WORDS[arrow.type].lower() + (f": {why}" if why else "")
        return msgspec.structs.replace(
            arrow,
            why=why,
            path=route.path,
            x=route.x,
            y=route.y,
            label=fit(human.visible(label), 260, 11),
            on_path=route.tie in self.on_path[1],
            backward=route.backward or route.loop,
        )

    def _knot(self, line: Line, where: Place, arrows: tuple[Arrow, ...]) -> Knot:
        span = line.span
        refolded = tuple(one for one in self.ask.open if one != line.span_id)
        common: dict[str, Any] = {
            "place": where,
            "arrows": arrows,
            "on_path": line.span_id in self.on_path[0],
            "looped": line.looped,
            "fold": self.ask.params(open=",".join(refolded), span=line.span_id) if refolded != self.ask.open else "",
        }
        if span is None:
            return Knot(
                kind="missing", name="Not arrived", title=f"A parent that has not arrived: {line.span_id}", **common
            )
        running = span.ended_us is None
        took = human.duration(end_of(span, self.now_us) - span.started_us) + ("…" if running else "")
        what = span.tool if span.kind == "tool" else span.model
        name = human.visible(human.line(span.name, 200)) or "(unnamed)"
        detail = f"{took} · {human.line(what, 80)}" if what and what not in span.name else took
        verdict, said = self.marks.get(span.span_id, NO_MARK)
        marks = (span.status in ("error", "blocked")) + bool(verdict)
        return Knot(
            kind=span.kind,
            name=fit(name, WIDTH - 46 - 18 * marks),
            title=name,
            detail=fit(human.visible(detail), WIDTH - 46, 11),
            href=self.ask.params(span=span.span_id, tab=""),
            status="running" if running and span.status == "ok" else span.status,
            error=human.line(span.error or UNSAID.get(span.status, ""), 200),
            verdict=verdict,
            verdict_title=human.line(said, 200),
            current=span.span_id == self.selected,
            **common,
        )

    def _rest(self, rest: Rest, where: Place, arrows: tuple[Arrow, ...]) -> Knot:
        whose = "on top" if not rest.parent else "directly below"
        title = f"{human.plural(rest.spans, 'step')} not shown, {human.exact(rest.children)} of them {whose}"
        href = ""
        if rest.can_unfold:
            href = self.ask.params(open=",".join((*self.ask.open, rest.parent or REST)))
        return Knot(
            place=where,
            kind="rest",
            name=f"+{rest.spans:,} {'step' if rest.spans == 1 else 'steps'}",
            title=title + (f"; {rest.errors:,} failed" if rest.errors else ""),
            detail=f"{rest.errors:,} failed" if rest.errors else "",
            href=href,
            status="error" if rest.errors else "",
            on_path=rest.id in self.on_path[0],
            arrows=arrows,
        )

    @property
    def kinds(self) -> tuple[EdgeKind, ...]:
        """The types of edges, with how many there are of each in the whole trace."""
        found = []
        for kind in EDGE_TYPES:
            on = kind in self.ask.edges
            left = tuple(k for k in EDGE_TYPES if (k in self.ask.edges) != (k == kind))
            count = sum(edge.type == kind for edge in self.edges)
            href = self.ask.params(edges=left)
            found.append(EdgeKind(kind, EDGE_WORDS[kind], EDGE_MEANINGS[kind], count, on, href))
        return tuple(found)

    @property
    def names(self) -> dict[str, str]:
        """The name of each span."""
        lines = self.tree.lines
        return {n.span_id: human.line(n.span.name, 80) or "(unnamed)" if n.span else "Not arrived" for n in lines}

    @property
    def table(self) -> Sequence[Arrow]:
        """The first ROWS edges of the types shown, as recorded, folded or not."""
        return [edge for edge in self.edges if edge.type in self.ask.edges][:ROWS]

    @property
    def table_left(self) -> int:
        """How many edges the table does not have."""
        return max(0, sum(edge.type in self.ask.edges for edge in self.edges) - ROWS)


def _failed(line: Line) -> bool:
    return line.span is not None and line.span.status in ("error", "blocked")


def _away(layout: Layout) -> float:
    """How far the drawing reaches beyond a screen; to the side it counts twice."""
    return 2 * max(0.0, layout.width - SCREEN[0]) + max(0.0, layout.height - SCREEN[1])


class DownloadView(msgspec.Struct, frozen=True):
    """Template: pages/trace/graph.svg (GET /traces/{trace_id}/graph.svg)."""

    row: TraceRow
    graph: GraphView
