"""The order within each layer: first as a tree would be drawn, then with fewer crossings where that is possible."""

from __future__ import annotations

from collections.abc import Sequence

Rows = list[list[int]]
Ways = Sequence[Sequence[int]]


def ordered(layer: Sequence[int], up: Ways, down: Ways, real: int) -> Rows:
    """The entries of each layer from left to right. Those below `real` are nodes, numbered in the order of reading."""
    rows = _as_a_tree(layer, up, down, real)
    # Bounded work: a sweep over 20,000 entries takes 40 ms.
    many = len(layer)
    return _fewer_crossings(rows, up, down, 12 if many <= 1_000 else 4 if many <= 8_000 else 1, many <= 600)


def _as_a_tree(layer: Sequence[int], up: Ways, down: Ways, real: int) -> Rows:
    rows: Rows = [[] for _ in range(max(layer, default=-1) + 1)]
    seen = bytearray(len(layer))
    for start in range(real):
        if seen[start] or up[start]:
            continue
        stack = [start]
        while stack:
            at = stack.pop()
            if seen[at]:
                continue
            seen[at] = 1
            rows[layer[at]].append(at)
            # A trunk before the nodes: it then runs along the edge of what it leads to.
            stack.extend(sorted(down[at], key=lambda e: (e < real, e), reverse=True))
    return rows


def crossings(rows: Rows, down: Ways) -> int:
    """How many pairs of edges between neighbouring layers cross."""
    return sum(_between(rows[i], rows[i + 1], down) for i in range(len(rows) - 1))


def _between(upper: Sequence[int], lower: Sequence[int], down: Ways) -> int:
    place = {entry: at for at, entry in enumerate(lower)}
    ends = [at for entry in upper for at in sorted(place[e] for e in down[entry])]
    # Inversions, by a Fenwick tree over the places of the lower layer
    tree = [0] * (len(lower) + 1)
    found = 0
    for seen, end in enumerate(ends):
        at, not_after = end + 1, 0
        while at:
            not_after += tree[at]
            at &= at - 1
        found += seen - not_after
        at = end + 1
        while at <= len(lower):
            tree[at] += 1
            at += at & -at
    return found


def _fewer_crossings(rows: Rows, up: Ways, down: Ways, sweeps: int, exchange: bool) -> Rows:
    best, fewest = [row[:] for row in rows], crossings(rows, down)
    unchanged = 0
    for sweep in range(sweeps):
        if not fewest or unchanged == 3:
            break
        if sweep % 2:
            for i in range(len(rows) - 2, -1, -1):
                rows[i] = _by_barycentre(rows[i], rows[i + 1], down)
        else:
            for i in range(1, len(rows)):
                rows[i] = _by_barycentre(rows[i], rows[i - 1], up)
        if exchange:
            _exchanged(rows, up, down)
        now = crossings(rows, down)
        unchanged += 1
        if now < fewest:
            best, fewest, unchanged = [row[:] for row in rows], now, 0
    return best


def _by_barycentre(row: list[int], beside: Sequence[int], ways: Ways) -> list[int]:
    # Entries without a neighbour there keep their places; the others share the rest.
    place = {entry: at for at, entry in enumerate(beside)}
    weight = {e: sum(place[n] for n in ways[e]) / len(ways[e]) for e in row if ways[e]}
    moving = iter(sorted(weight, key=weight.__getitem__))
    return [next(moving) if entry in weight else entry for entry in row]


def _exchanged(rows: Rows, up: Ways, down: Ways) -> None:
    for _ in range(2):
        better = False
        for i, row in enumerate(rows):
            sides = [(rows[i - 1], up)] if i else []
            sides += [(rows[i + 1], down)] if i + 1 < len(rows) else []
            near = [
                {entry: sorted(place[n] for n in ways[entry]) for entry in row}
                for beside, ways in sides
                for place in [{entry: at for at, entry in enumerate(beside)}]
            ]
            for at in range(len(row) - 1):
                a, b = row[at], row[at + 1]
                kept = sum(_pairs(side[a], side[b]) for side in near)
                if kept and sum(_pairs(side[b], side[a]) for side in near) < kept:
                    row[at], row[at + 1] = b, a
                    better = True
        if not better:
            break


def _pairs(left: Sequence[int], right: Sequence[int]) -> int:
    """Crossings of two entries' edges to one layer, the first standing left of the second."""
    found, at = 0, 0
    for end in left:
        while at < len(right) and right[at] < end:
            at += 1
        found += at
    return found
