"""The ways of edges through a layered drawing, as SVG path data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec

from audittrail.report.ranking import Ranks

PORT = 14.0  # between the ends of edges at one node


class Tie(msgspec.Struct, frozen=True, order=True):
    """An edge. Those of one source and bundle leave it together and part where their ways part."""

    source: str
    target: str
    bundle: str = ""
    pull: float = 1.0  # how strongly its ends draw each other to one line


class Route(msgspec.Struct, frozen=True):
    """The way of an edge as SVG path data towards its target, and where a label may stand."""

    tie: Tie
    path: str
    x: float
    y: float
    backward: bool = False  # it leads up: without it there would be a cycle
    loop: bool = False


class Lines:
    """The ends of edges at a node stand side by side, in the order of where they come from or go to."""

    def __init__(
        self,
        ranks: Ranks,
        ties: Sequence[Tie],
        centre: Sequence[float],
        breadth: Sequence[float],
        depth: Sequence[float],
        starts: Sequence[float],
        ends: Sequence[float],
        down: bool,
    ) -> None:
        """`centre` and `breadth` are across the layers, `depth` along them; `starts` and `ends` are the layers'."""
        self.ranks, self.ties, self.centre, self.breadth, self.depth = ranks, ties, centre, breadth, depth
        self.starts, self.ends, self.down = starts, ends, down
        leaving: dict[int, dict[tuple[str, int], float]] = {}
        coming: dict[int, dict[tuple[int, str, int], float]] = {}
        self.longest: dict[int, int] = {}  # of each trunk the edge that draws it
        for at, way in enumerate(ranks.ways):
            if way.above == way.below:
                continue
            bundle = self._bundle(at)
            following = way.trunk[0] if way.passed else way.below
            leaving.setdefault(way.above, {}).setdefault(bundle, centre[following])
            coming.setdefault(way.below, {})[(way.before_last, *bundle)] = centre[way.before_last]
            best = self.longest.setdefault(id(way.trunk), at)
            if way.passed > ranks.ways[best].passed:
                self.longest[id(way.trunk)] = at
        self.out = {node: self._ports(node, ways) for node, ways in leaving.items()}
        self.into = {node: self._ports(node, ways) for node, ways in coming.items()}

    def _bundle(self, at: int) -> tuple[str, int]:
        return self.ties[at].bundle, at if self.ranks.backward[at] else -1

    def _ports(self, node: int, ways: dict[Any, float]) -> dict[Any, float]:
        step = min(PORT, (self.breadth[node] - 16) / max(1, len(ways)))
        first = self.centre[node] - step * (len(ways) - 1) / 2
        return {key: first + step * at for at, key in enumerate(sorted(ways, key=lambda k: (ways[k], k)))}

    def _xy(self, across: float, along: float) -> str:
        x, y = (across, along) if self.down else (along, across)
        return f"{x:.1f} {y:.1f}"

    def route(self, at: int, whole: bool) -> Route:
        """The way of an edge that is no loop: all of it, or from where it leaves its trunk."""
        way, layer = self.ranks.ways[at], self.ranks.layer
        back, bundle = self.ranks.backward[at], self._bundle(at)
        # Stations: (across, where the edge arrives, where it leaves on); between two of them it curves.
        begin = self.starts[layer[way.above]] + self.depth[way.above]
        last = self.starts[layer[way.below]]
        stations = [(self.out[way.above][bundle], begin, begin)]
        whole = whole or self.longest[id(way.trunk)] == at
        for e in way.trunk[: way.passed] if whole else way.trunk[max(0, way.passed - 1) : way.passed]:
            stations.append((self.centre[e], self.starts[layer[e]], self.ends[layer[e]]))
        if not whole and way.passed:
            del stations[0]
        stations.append((self.into[way.below][(way.before_last, *bundle)], last, last))
        (a, _, from_), (b, to, _) = stations[-2:]
        if back:
            stations = [(across, leaves, arrives) for across, arrives, leaves in reversed(stations)]
        pieces = ["M" + self._xy(stations[0][0], stations[0][2])]
        for (x0, _, y0), (x1, y1, y2) in pairwise(stations):
            middle = (y0 + y1) / 2
            if abs(x0 - x1) < 0.05:
                pieces.append("L" + self._xy(x1, y1))
            else:
                pieces.append(f"C{self._xy(x0, middle)} {self._xy(x1, middle)} {self._xy(x1, y1)}")
            if y1 != y2:
                pieces.append("L" + self._xy(x1, y2))
        x, y = ((a + b) / 2, (from_ + to) / 2) if self.down else ((from_ + to) / 2, (a + b) / 2)
        return Route(self.ties[at], "".join(pieces), x, y, back)

    def loop(self, tie: Tie, node: int) -> Route:
        """The way of an edge from a node to itself."""
        across, along = self.centre[node] + self.breadth[node] / 2, self.starts[self.ranks.layer[node]]
        a, b = along + self.depth[node] * 0.3, along + self.depth[node] * 0.7
        out = across + 22
        path = f"M{self._xy(across, a)}C{self._xy(out, a)} {self._xy(out, b)} {self._xy(across, b)}"
        x, y = (out, (a + b) / 2) if self.down else ((a + b) / 2, out)
        return Route(tie, path, x, y, loop=True)
