"""From any directed graph to layers: cycles opened, every node below what leads to it, long edges cut into pieces."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

MAX_DUMMIES = 20_000


class Way(msgspec.Struct):
    """An edge from above to below, and the first `passed` dummies of its trunk that it passes on the way."""

    above: int
    below: int
    trunk: list[int]
    passed: int

    @property
    def before_last(self) -> int:
        """The entry that its last piece comes from."""
        return self.trunk[self.passed - 1] if self.passed else self.above


class Ranks(msgspec.Struct):
    """Entries 0 to n-1 are the nodes; what follows are dummies, where an edge passes a layer."""

    layer: list[int]
    up: list[list[int]]  # of each entry its neighbours in the layer above
    down: list[list[int]]
    ways: list[Way]  # of each edge; a loop's begins and ends at the same node
    pull: dict[tuple[int, int], float]  # how strongly two neighbours, above and below, draw each other
    backward: list[bool]  # edges that had to be turned round: their source is below


def rank(count: int, edges: Sequence[tuple[int, int, str, float]]) -> Ranks:
    """Edges are (source, target, bundle, pull). Those of one source and bundle share their dummies: one trunk with many
    branches.

    Where the dummies would be more than MAX_DUMMIES, the longest edges get none and are drawn straight.
    """
    backward = _backward(count, edges)
    turned = [(v, u) if back else (u, v) for (u, v, _, _), back in zip(edges, backward, strict=True)]
    layer = _layers(count, turned)
    up: list[list[int]] = [[] for _ in range(count)]
    down: list[list[int]] = [[] for _ in range(count)]
    ways = [Way(u, v, [], 0) for u, v in turned]
    pull: dict[tuple[int, int], float] = {}
    trunks: dict[tuple[int, str, int], list[int]] = {}

    def join(above: int, below: int, strength: float) -> None:
        if (above, below) not in pull:
            down[above].append(below)
            up[below].append(above)
        pull[above, below] = max(strength, pull.get((above, below), 0.0))

    made = 0
    for at in sorted(range(len(edges)), key=lambda i: (layer[turned[i][1]] - layer[turned[i][0]], i)):
        u, v = turned[at]
        if u == v:
            continue
        need = layer[v] - layer[u] - 1
        # An edge that was turned round has a trunk of its own: its arrow is at the other end.
        trunk = trunks.setdefault((u, edges[at][2], at if backward[at] else -1), [])
        missing = max(0, need - len(trunk))
        if made + missing > MAX_DUMMIES:
            continue
        made += missing
        for _ in range(missing):
            entry = len(layer)
            layer.append(layer[u] + len(trunk) + 1)
            up.append([])
            down.append([])
            join(trunk[-1] if trunk else u, entry, edges[at][3])
            trunk.append(entry)
        ways[at] = way = Way(u, v, trunk, need)
        join(way.before_last, v, edges[at][3])
    return Ranks(layer, up, down, ways, pull, backward)


def _backward(count: int, edges: Sequence[tuple[int, int, str, float]]) -> list[bool]:
    # Depth first, from where nothing leads to: an edge to a node that is still open closes a cycle.
    following: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    entered = [0] * count
    for at, (u, v, _, _) in enumerate(edges):
        if u != v:
            following[u].append((v, at))
            entered[v] += 1
    for ways in following:
        ways.sort(reverse=True)
    backward = [False] * len(edges)
    state = bytearray(count)  # 1: open, 2: done
    for start in sorted(range(count), key=lambda n: (entered[n] > 0, n)):
        if state[start]:
            continue
        state[start] = 1
        stack = [start]
        while stack:
            ways = following[stack[-1]]
            if not ways:
                state[stack.pop()] = 2
                continue
            node, at = ways.pop()
            if state[node] == 1:
                backward[at] = True
            elif not state[node]:
                state[node] = 1
                stack.append(node)
    return backward


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    # The longest way from above; then, from below, what has no more edges in than out comes down to just above what it
    # leads to: no edge becomes longer in sum, and what wraps a step stands beside it.
    following: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for u, v in edges:
        if u != v:
            following[u].append(v)
            waiting[v] += 1
    into = waiting[:]
    layer = [0] * count
    ready = deque(n for n in range(count) if not waiting[n])
    order: list[int] = []
    while ready:
        node = ready.popleft()
        order.append(node)
        for below in following[node]:
            layer[below] = max(layer[below], layer[node] + 1)
            waiting[below] -= 1
            if not waiting[below]:
                ready.append(below)
    for node in reversed(order):
        if following[node] and into[node] <= len(following[node]):
            layer[node] = min(layer[below] for below in following[node]) - 1
    return layer
