"""The layered drawing of a directed graph (Sugiyama): nodes in layers, edges from layer to layer, few crossings.

Cycles are opened, layers assigned and long edges cut into pieces (report.ranking), each layer is ordered
(report.ordering), and here come the coordinates: each node as near to its neighbours as its layer allows. The same
graph always gives the same drawing, whatever order its nodes and edges come in. No recursion: a chain may be as long as
it likes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from audittrail.report.ordering import Rows, crossings, ordered
from audittrail.report.ranking import Ranks, rank
from audittrail.report.routing import Lines, Route, Tie

Direction = Literal["down", "right"]
MARGIN = 12.0


class Box(msgspec.Struct, frozen=True):
    """A node to be placed. Nodes are read by `order`, then by id; the sizes are in pixels."""

    id: str
    order: float = 0
    width: float = 184
    height: float = 44


class Place(msgspec.Struct, frozen=True):
    """Where a node is: its upper left corner, its size, and its place in the order of its layer."""

    id: str
    x: float
    y: float
    width: float
    height: float
    layer: int
    rank: int


class Layout(msgspec.Struct, frozen=True):
    """A drawing, `width` by `height` pixels from the origin. Places by layer and rank, routes in the order of ties."""

    places: tuple[Place, ...]
    routes: tuple[Route, ...]
    width: float
    height: float
    crossings: int
    direction: Direction


class Arrangement(msgspec.Struct):
    """A graph with its layers and their order, before it has coordinates."""

    boxes: list[Box]
    ties: list[Tie]
    ranks: Ranks
    rows: Rows


def arrange(boxes: Sequence[Box], ties: Sequence[Tie]) -> Arrangement:
    """Layers and their order. Of nodes with one id the last counts; edges to nodes that are not there are left out."""
    nodes = sorted({box.id: box for box in boxes}.values(), key=lambda b: (b.order, b.id))
    index = {box.id: at for at, box in enumerate(nodes)}
    edges = sorted({t for t in ties if t.source in index and t.target in index})
    ranks = rank(len(nodes), [(index[t.source], index[t.target], t.bundle, t.pull) for t in edges])
    return Arrangement(nodes, edges, ranks, ordered(ranks.layer, ranks.up, ranks.down, len(nodes)))


def layered(boxes: Sequence[Box], ties: Sequence[Tie], direction: Direction = "down") -> Layout:
    """The drawing of a graph."""
    return place(arrange(boxes, ties), direction)


def place(graph: Arrangement, direction: Direction = "down", whole: Collection[Tie] = ()) -> Layout:
    """Coordinates for an arrangement; `right` has its layers side by side, the first on the left.

    The ties of a bundle share a trunk, which the longest of them draws; those in `whole` draw all of their way.
    """
    down = direction == "down"
    boxes, ranks, rows = graph.boxes, graph.ranks, graph.rows
    breadth = [b.width if down else b.height for b in boxes] + [2.0] * (len(ranks.layer) - len(boxes))
    depth = [b.height if down else b.width for b in boxes]
    centre = _centres(rows, ranks, breadth, len(boxes), 20.0 if down else 12.0)
    low = min((c - b / 2 for c, b in zip(centre, breadth, strict=True)), default=0.0)
    high = max((c + b / 2 for c, b in zip(centre, breadth, strict=True)), default=0.0)
    centre = [c - low + MARGIN for c in centre]

    starts: list[float] = []
    ends: list[float] = []
    at = MARGIN
    for row in rows:
        thick = max((depth[e] for e in row if e < len(boxes)), default=0.0)
        starts.append(at)
        ends.append(at + thick)
        at += thick + (44.0 if down else 56.0)
    length = (ends[-1] if ends else MARGIN) + MARGIN

    places = []
    for number, row in enumerate(rows):
        for ordinal, e in enumerate(e for e in row if e < len(boxes)):
            across = centre[e] - breadth[e] / 2
            x, y = (across, starts[number]) if down else (starts[number], across)
            places.append(Place(boxes[e].id, x, y, boxes[e].width, boxes[e].height, number, ordinal))
    lines = Lines(ranks, graph.ties, centre, breadth, depth, starts, ends, down)
    index = {box.id: at for at, box in enumerate(boxes)}
    wanted = set(whole)
    routes = tuple(
        lines.loop(tie, index[tie.source]) if tie.source == tie.target else lines.route(at, tie in wanted)
        for at, tie in enumerate(graph.ties)
    )
    # A loop stands out beyond its node.
    beyond = 26.0 if any(r.loop for r in routes) else 0.0
    span = high - low + 2 * MARGIN + beyond
    size = (span, length) if down else (length, span)
    return Layout(tuple(places), routes, *size, crossings(rows, ranks.down), direction)


def _centres(rows: Rows, ranks: Ranks, breadth: Sequence[float], real: int, gap: float) -> list[float]:
    centre = [0.0] * len(breadth)
    offsets: list[list[float]] = []
    for row in rows:
        at, found = 0.0, list[float]()
        for i, e in enumerate(row):
            if i:
                before = row[i - 1]
                at += (breadth[before] + breadth[e]) / 2 + (gap if before < real and e < real else 12.0)
            found.append(at)
        offsets.append(found)
        for e, o in zip(row, found, strict=True):
            centre[e] = o - at / 2
    # Down, up, and at last with both neighbours in view; a trunk weighs more, so that long edges become straight.
    passes = 6 if len(breadth) <= 4_000 else 2
    for turn in range(passes * 2 + 1):
        last = turn == passes * 2
        for number in range(len(rows)) if turn % 2 == 0 else range(len(rows) - 1, -1, -1):
            row = rows[number]
            wanted, weights = [], []
            for e in row:
                beside = (*ranks.up[e], *ranks.down[e]) if last else ranks.up[e] if turn % 2 == 0 else ranks.down[e]
                # Like to like: a trunk and the chain beside it would else draw each other aside, layer by layer.
                alike = [n for n in beside if (n < real) == (e < real)]
                near = alike or beside
                pulls = [ranks.pull[(n, e) if ranks.layer[n] < ranks.layer[e] else (e, n)] for n in near]
                drawn = sum(centre[n] * p for n, p in zip(near, pulls, strict=True))
                wanted.append(drawn / sum(pulls) if near else centre[e])
                weights.append(sum(pulls) * (1 if e < real else 4) if alike else 0.05)
            for e, c in zip(row, _apart(wanted, weights, offsets[number]), strict=True):
                centre[e] = c
    return centre


def _apart(wanted: Sequence[float], weights: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """As near to the wanted places as the least distances allow: isotonic regression by pooling, in linear time."""
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for want, own, offset in zip(wanted, weights, offsets, strict=True):
        mean, weight, many = want - offset, own, 1
        while blocks and blocks[-1][0] > mean:
            before, heavy, more = blocks.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight)
            weight, many = weight + heavy, many + more
        blocks.append((mean, weight, many))
    means = (mean for mean, _, many in blocks for _ in range(many))
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
