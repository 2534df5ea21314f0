"""The spans of a trace as a tree: its lines from top to bottom, and the path that determined how long it took."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec

from audittrail.model.summary import SpanRow, tops


class Line(msgspec.Struct, frozen=True):
    """One line of the tree. Without a span it stands for a parent that never came."""

    span_id: str
    span: SpanRow | None
    depth: int
    children: int  # directly below
    below: int  # in all: the lines that follow this one in the tree and belong to it
    errors_below: int
    critical: tuple[tuple[int, int], ...] = ()  # the times, in µs, at which the trace waited for this very span
    looped: bool = False  # its own ancestor; shown as a top


class Tree(msgspec.Struct, frozen=True):
    """All lines, and the time from the first start to the last end (or now, where something still runs)."""

    lines: tuple[Line, ...]
    started_us: int
    ended_us: int


def end_of(span: SpanRow, now_us: int) -> int:
    """When it ended; a running span reaches to now."""
    return max(span.started_us, now_us if span.ended_us is None else span.ended_us)


def lay(rows: Iterable[SpanRow], now_us: int) -> Tree:
    """The tree of any set of rows: siblings by start, spans whose parent never came under a placeholder for it, a loop
    cut at its earliest span."""
    by_id = {row.span_id: row for row in rows}
    if not by_id:
        return Tree((), now_us, now_us)
    spans = sorted(by_id.values(), key=lambda s: (s.started_us, s.span_id))
    top = tops(spans)
    top_ids = {s.span_id for s in top}
    children: dict[str, list[str]] = {}
    for span in spans:
        if span.parent_id is not None and span.span_id not in top_ids:
            children.setdefault(span.parent_id, []).append(span.span_id)
    roots: list[str] = []
    looped: set[str] = set()
    for span in top:
        if span.parent_id is None:
            roots.append(span.span_id)
        elif span.parent_id in by_id:
            looped.add(span.span_id)
            roots.append(span.span_id)
        else:
            if span.parent_id not in children:
                roots.append(span.parent_id)
            children.setdefault(span.parent_id, []).append(span.span_id)

    order: list[tuple[str, int]] = []
    stack = [(root, 0) for root in reversed(roots)]
    while stack:
        at, depth = stack.pop()
        order.append((at, depth))
        stack.extend((child, depth + 1) for child in reversed(children.get(at, ())))

    below: dict[str, int] = {}
    errors: dict[str, int] = {}
    for at, _ in reversed(order):
        under = children.get(at, ())
        below[at] = sum(below[c] + 1 for c in under)
        errors[at] = sum(errors[c] + (by_id[c].status == "error") for c in under)
    critical = critical_path(roots, children, by_id, now_us)
    lines = tuple(
        Line(
            span_id=at,
            span=by_id.get(at),
            depth=depth,
            children=len(children.get(at, ())),
            below=below[at],
            errors_below=errors[at],
            critical=tuple(critical.get(at, ())),
            looped=at in looped,
        )
        for at, depth in order
    )
    return Tree(lines, spans[0].started_us, max(end_of(s, now_us) for s in spans))


def critical_path(
    roots: list[str], children: dict[str, list[str]], by_id: dict[str, SpanRow], now_us: int
) -> dict[str, list[tuple[int, int]]]:
    """For each span the intervals in which the whole had to wait for it.

    Going backwards from the end, always into the child that ended last; what no child covers is the span's own. A child
    that outlives its parent counts to the parent's end.
    """
    placed = [(at, by_id[at]) for at in roots if at in by_id]
    placed += [(c, by_id[c]) for at in roots if at not in by_id for c in children.get(at, ())]
    found: dict[str, list[tuple[int, int]]] = {}

    def by_end(ids: Iterable[str]) -> list[tuple[int, int, str]]:
        return sorted((end_of(by_id[i], now_us), by_id[i].started_us, i) for i in ids)

    # A frame: the span ("" holds the tops), its start, its children with the last to end on top, and the time reached.
    tops_by_end = by_end(i for i, _ in placed)
    frames: list[tuple[str, int, list[tuple[int, int, str]]]] = [("", 0, tops_by_end)]
    limit = max((end for end, _, _ in tops_by_end), default=0)
    while frames:
        at, start, waiting = frames[-1]
        while waiting and (waiting[-1][1] >= limit or waiting[-1][0] <= start):
            waiting.pop()
        if waiting:
            end, child_start, child = waiting.pop()
            end = min(end, limit)
            if at and limit > end:
                found.setdefault(at, []).append((end, limit))
            limit = end
            frames.append((child, child_start, by_end(children.get(child, ()))))
            continue
        if at and limit > start:
            found.setdefault(at, []).append((start, limit))
            limit = start
        frames.pop()
    return found


def unfolded(lines: Collection[Line], folded: Collection[str]) -> list[Line]:
    """Without what stands below the folded lines."""
    if not folded:
        return list(lines)
    kept: list[Line] = []
    skip = 0
    for line in lines:
        if skip:
            skip -= 1
            continue
        kept.append(line)
        if line.span_id in folded:
            skip = line.below
    return kept


def narrowed(lines: Collection[Line], wanted: Callable[[SpanRow], bool]) -> list[tuple[Line, bool]]:
    """The wanted lines and, so that each can be placed, the lines above them; with whether it was wanted itself."""
    kept: list[tuple[Line, bool]] = []
    above = -1  # the depth of the next ancestor that a kept line needs
    for line in reversed(tuple(lines)):
        hit = line.span is not None and wanted(line.span)
        if hit or line.depth == above:
            kept.append((line, hit))
            above = line.depth - 1
    kept.reverse()
    return kept


def first_failure(rows: Iterable[SpanRow]) -> SpanRow | None:
    """The earliest failed or blocked span that no other failed span below it explains."""
    by_id = {row.span_id: row for row in rows}
    failed = [s for s in by_id.values() if s.status in ("error", "blocked")]
    explained: set[str] = set()
    for span in failed:
        seen = {span.span_id}
        at = span.parent_id
        while at is not None and at not in seen and at not in explained:
            seen.add(at)
            explained.add(at)
            above = by_id.get(at)
            at = above.parent_id if above else None
    deepest = [s for s in failed if s.span_id not in explained] or failed
    return min(deepest, key=lambda s: (s.started_us, s.span_id), default=None)


def root_of(rows: Iterable[SpanRow]) -> SpanRow | None:
    """The span that the trace is named for: the earliest without a parent, else the earliest top."""
    top = tops(rows)
    return next((s for s in top if s.parent_id is None), top[0] if top else None)
