"""Which steps of a large trace a drawing shows, and what stands for those it does not."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

import msgspec

from audittrail.model.tree import Line, Tree

LIMIT = 80  # steps that are shown without folding
MOST = 500  # steps that are shown at all, however much is unfolded
PORTION = 50  # more children for each time a step is unfolded
# Children shown of a folded step, by its depth; the tops of a trace are children of nothing.
FIRST_CHILDREN = (12, 10, 5)
REST = "+"  # begins the id of a rest; no span's id does


class Rest(msgspec.Struct, frozen=True):
    """The children of one step that are not shown, with all that stands below them."""

    id: str
    parent: str  # "": of the tops of the trace
    children: int  # directly below the parent
    spans: int  # in all
    errors: int  # of all
    order: float
    can_unfold: bool


class Shown(msgspec.Struct, frozen=True):
    """The lines that are shown in the tree's order, the rests, and for each span the id of what stands for it."""

    lines: tuple[tuple[int, Line], ...]  # with each line's number in the tree
    rests: tuple[Rest, ...]
    stands_for: dict[str, str]
    hidden: int  # spans that no line of their own shows


def fold(tree: Tree, unfolded: Sequence[str] = (), always: Iterable[str] = ()) -> Shown:
    """The top levels of a large tree, all of a small one.

    A step's id in `unfolded` shows PORTION more of its children, twice in it twice as many; "+" is the tops' own. What
    is in `always` is shown with all that stands above it.
    """
    parents, children = _family(tree)
    at = {line.span_id: number for number, line in enumerate(tree.lines)}
    must = set[int]()
    for wanted in always:
        number = at.get(wanted, -1)
        while number >= 0 and number not in must and len(must) < MOST:
            must.add(number)
            number = parents[number]
    everything = len(tree.lines) <= LIMIT
    times = Counter(unfolded)
    seen = set[int]()
    rests: list[Rest] = []
    queue = deque([(-1, 0)])  # with how much of what was unfolded above is left
    room = MOST if everything else LIMIT - len(must)
    extra = MOST - LIMIT
    while queue:
        number, more = queue.popleft()
        below = children.get(number, [])
        line = tree.lines[number] if number >= 0 else None
        chosen: list[int] = []
        more += times[line.span_id if line else REST] * PORTION
        first = FIRST_CHILDREN[min(2, line.depth + 1 if line else 0)]
        count = 0
        for child in below:
            if child in must:
                chosen.append(child)
            elif room > 0 and (everything or count < first):
                chosen.append(child)
                room, count = room - 1, count + 1
            elif more > 0 and extra > 0:
                chosen.append(child)
                extra, more = extra - 1, more - 1
        seen.update(chosen)
        queue.extend((child, more // len(chosen)) for child in chosen)
        kept = set(chosen)
        left = [child for child in below if child not in kept]
        if len(left) == 1 and not tree.lines[left[0]].below:
            seen.add(left[0])  # the box for a single step would take as much room
        elif left:
            rests.append(_rest(tree, line, left, can_unfold=extra > 0))
    return _shown(tree, seen, parents, rests)


def _family(tree: Tree) -> tuple[list[int], dict[int, list[int]]]:
    parents: list[int] = []
    children: dict[int, list[int]] = {}
    above: list[int] = []
    for number, line in enumerate(tree.lines):
        del above[line.depth :]
        parents.append(above[-1] if above else -1)
        children.setdefault(parents[-1], []).append(number)
        above.append(number)
    return parents, children


def _rest(tree: Tree, parent: Line | None, left: Sequence[int], *, can_unfold: bool) -> Rest:
    lines = [tree.lines[number] for number in left]
    failed = ("error", "blocked")
    return Rest(
        id=REST + (parent.span_id if parent else ""),
        parent=parent.span_id if parent else "",
        children=len(left),
        spans=sum(line.below + 1 for line in lines),
        errors=sum(line.errors_below + (line.span is not None and line.span.status in failed) for line in lines),
        order=left[0] + 0.5,
        can_unfold=can_unfold,
    )


def _shown(tree: Tree, seen: set[int], parents: Sequence[int], rests: Sequence[Rest]) -> Shown:
    stands_for: dict[str, str] = {}
    by_parent = {rest.parent: rest.id for rest in rests}
    for number, line in enumerate(tree.lines):
        if number in seen:
            stands_for[line.span_id] = line.span_id
            continue
        parent = tree.lines[parents[number]].span_id if parents[number] >= 0 else ""
        above = stands_for.get(parent, "")
        stands_for[line.span_id] = above if above.startswith(REST) else by_parent[parent]
    lines = tuple((number, tree.lines[number]) for number in sorted(seen))
    return Shown(lines, tuple(rests), stands_for, len(tree.lines) - len(seen))
