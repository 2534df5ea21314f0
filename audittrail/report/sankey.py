"""The geometry of a Sankey diagram: nodes in columns, and between them flows as thick as they are large.

What is too small to be seen is drawn thicker than it is and marked `thin`: exact numbers belong into a table beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

import msgspec

Number = int | float | Decimal | Fraction
PER_COLUMN = 16
OTHER = "~other"
MIN = 1.5  # pixels: a thinner flow or lower node could not be seen
PITCH = 20.0  # from node to node at least, so that each has room for a line of text
GAP = 6.0
PADDING = 10.0


class Node(msgspec.Struct, frozen=True):
    """Something that a value flows through. Columns count from 0 on the left."""

    id: str
    label: str
    column: int
    kind: str = ""  # for whoever draws it


class Flow(msgspec.Struct, frozen=True):
    """A value that flows from one node to one of a later column; not below 0."""

    source: str
    target: str
    value: Number


class Bar(msgspec.Struct, frozen=True):
    """A node as drawn. Its value is the greater of what comes in and what goes out."""

    node: Node
    value: Number
    x: float
    y: float
    width: float
    height: float
    folded: int = 0  # how many nodes it stands for, where it is the rest of its column
    thin: bool = False  # drawn higher than its share


class Ribbon(msgspec.Struct, frozen=True):
    """A flow as drawn: an area as SVG path data."""

    source: str
    target: str
    value: Number
    path: str
    thickness: float
    thin: bool = False  # drawn thicker than its share


class Drawing(msgspec.Struct, frozen=True):
    """`width` by `height` pixels; the height is greater than asked for where there are many nodes."""

    bars: tuple[Bar, ...]
    ribbons: tuple[Ribbon, ...]
    width: float
    height: float
    scale: float  # pixels for a value of 1
    left_out: int = 0  # flows of 0, which are not drawn


def sankey(
    nodes: Sequence[Node],
    flows: Sequence[Flow],
    width: float,
    height: float,
    *,
    per_column: int = PER_COLUMN,
    bar: float = 12,
    room: float = 190,
) -> Drawing:
    """The diagram. In a column with more than `per_column` nodes the smallest become one, "other (n)".

    `room` is kept right of the last column for its labels. Flows of the same two nodes become one. Nodes that nothing
    flows through are left out. Raises ValueError for a flow below 0, or to a node that is not in a later column.
    """
    by_id = {n.id: n for n in nodes}
    for flow in flows:
        if flow.value < 0:
            raise ValueError(f"the flow from {flow.source} to {flow.target} is below 0")
        if by_id[flow.source].column >= by_id[flow.target].column:
            raise ValueError(f"the flow from {flow.source} to {flow.target} does not lead to a later column")
    worth = _worth(by_id, [(f.source, f.target, f.value) for f in flows])
    by_id, stands_for, folded = _folded(by_id, worth, per_column)
    merged: dict[tuple[str, str], Number] = {}
    for flow in flows:
        way = stands_for[flow.source], stands_for[flow.target]
        merged[way] = merged.get(way, 0) + flow.value  # type: ignore[operator]
    left_out = sum(not value for value in merged.values())
    kept = sorted((s, t, v) for (s, t), v in merged.items() if v)
    worth = {n: v for n, v in _worth(by_id, kept).items() if v}
    columns: dict[int, list[str]] = {}
    for n in worth:
        columns.setdefault(by_id[n].column, []).append(n)
    if not columns:
        return Drawing((), (), width, 0, 0, left_out)

    most = max(sum(float(worth[n]) for n in column) for column in columns.values())
    room_for_gaps = max((len(column) - 1) * GAP for column in columns.values())
    scale = max(height - 2 * PADDING - room_for_gaps, 40.0) / most
    size = {n: max(MIN, float(v) * scale) for n, v in worth.items()}
    place = _stacked(columns, kept, worth, size)
    last = max(columns)
    apart = (width - room - bar) / last if last else 0.0
    bars = tuple(
        Bar(
            by_id[n],
            worth[n],
            by_id[n].column * apart,
            place[n],
            bar,
            size[n],
            folded.get(n, 0),
            _small(worth[n], scale),
        )
        for column in sorted(columns)
        for n in columns[column]
    )
    bottom = max(b.y + max(b.height, PITCH - GAP) for b in bars) + PADDING
    at = {b.node.id: b for b in bars}
    return Drawing(bars, _ribbons(kept, at, scale), width, max(height, bottom), scale, left_out)


def _worth(by_id: dict[str, Node], flows: Sequence[tuple[str, str, Number]]) -> dict[str, Number]:
    came: dict[str, Number] = dict.fromkeys(by_id, 0)
    went: dict[str, Number] = dict.fromkeys(by_id, 0)
    for source, target, value in flows:
        went[source] += value  # type: ignore[operator]
        came[target] += value  # type: ignore[operator]
    return {n: max(came[n], went[n]) for n in by_id}


def _folded(
    by_id: dict[str, Node], worth: dict[str, Number], per_column: int
) -> tuple[dict[str, Node], dict[str, str], dict[str, int]]:
    kept: dict[str, Node] = {}
    stands_for: dict[str, str] = {}
    folded: dict[str, int] = {}
    columns: dict[int, list[Node]] = {}
    for node in by_id.values():
        columns.setdefault(node.column, []).append(node)
    for number, column in columns.items():
        column.sort(key=lambda n: (-worth[n.id], n.label, n.id))
        seen = [n for n in column if worth[n.id]]
        shown = column if len(seen) <= per_column else column[: per_column - 1]
        for node in shown:
            kept[node.id], stands_for[node.id] = node, node.id
        if rest := column[len(shown) :]:
            many = sum(bool(worth[n.id]) for n in rest)
            other = Node(f"{OTHER}{number}", f"other ({many:,})", number, "other")
            kept[other.id], folded[other.id] = other, many
            stands_for.update({n.id: other.id for n in rest})
    return kept, stands_for, folded


def _stacked(
    columns: dict[int, list[str]],
    flows: Sequence[tuple[str, str, Number]],
    worth: dict[str, Number],
    size: dict[str, float],
) -> dict[str, float]:
    # From left to right, each near what flows into it; the rest of a column stands last.
    coming: dict[str, list[tuple[str, float]]] = {}
    for source, target, value in flows:
        coming.setdefault(target, []).append((source, float(value)))
    heights = {number: sum(max(size[n] + GAP, PITCH) for n in column) - GAP for number, column in columns.items()}
    tallest = max(heights.values())
    y: dict[str, float] = {}

    def key(n: str) -> tuple[bool, float, float, str]:
        whence = coming.get(n, ())
        whole = sum(v for _, v in whence)
        middle = sum((y[s] + size[s] / 2) * v for s, v in whence) / whole if whole else 0.0
        return n.startswith(OTHER), round(middle, 3), -float(worth[n]), n

    for number in sorted(columns):
        columns[number].sort(key=key)
        at = PADDING + (tallest - heights[number]) / 2
        for n in columns[number]:
            y[n] = at
            at += max(size[n] + GAP, PITCH)
    return y


def _small(value: Number, scale: float) -> bool:
    return float(value) * scale < MIN


def _ribbons(flows: Sequence[tuple[str, str, Number]], at: dict[str, Bar], scale: float) -> tuple[Ribbon, ...]:
    leaving: dict[str, float] = {}
    coming: dict[str, float] = {}
    starts: dict[tuple[str, str], float] = {}
    for source, target, value in sorted(flows, key=lambda f: (at[f[0]].y, at[f[1]].y)):
        starts[source, target] = at[source].y + leaving.get(source, 0.0)
        leaving[source] = leaving.get(source, 0.0) + float(value) * scale
    found = []
    for source, target, value in sorted(flows, key=lambda f: (at[f[1]].y, at[f[0]].y)):
        true = float(value) * scale
        thick = max(true, MIN)
        x0, x1 = at[source].x + at[source].width, at[target].x
        y0, y1 = starts[source, target], at[target].y + coming.get(target, 0.0)
        coming[target] = coming.get(target, 0.0) + true
        middle = (x0 + x1) / 2
        path = (
            f"M{x0:.1f} {y0:.2f}C{middle:.1f} {y0:.2f} {middle:.1f} {y1:.2f} {x1:.1f} {y1:.2f}"
            f"V{y1 + thick:.2f}C{middle:.1f} {y1 + thick:.2f} {middle:.1f} {y0 + thick:.2f} {x0:.1f} {y0 + thick:.2f}Z"
        )
        found.append(Ribbon(source, target, value, path, thick, thick > true))
    return tuple(found)
