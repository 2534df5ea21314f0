"""Whom an outcome is divided among."""

from __future__ import annotations

import msgspec

from audittrail.attribution.steps import Steps
from audittrail.model.ablation import Players
from audittrail.model.span import Kind, Span


class Player(msgspec.Struct, frozen=True):
    """A step, or steps that are taken away together. `span_id` is the earliest of them."""

    span_id: str
    name: str
    kind: Kind
    places: tuple[int, ...]


def players_of(steps: Steps, by: Players) -> list[Player]:
    """`spans`: each step that acts. `agents`: all steps of an agent together, by its name. `names`: all calls of one
    tool, model or other step of one kind and name together. What only holds others is never a player of its own."""
    groups: dict[tuple[str, str], list[Span]] = {}
    for span in _acting(steps):
        if by == "agents":
            agent = _agent(steps, span)
            key = ("agent", agent) if agent else ("", span.span_id)
        else:
            key = ("", span.span_id) if by == "spans" else (span.kind, name_of(span))
        groups.setdefault(key, []).append(span)
    found = []
    for (kind, name), spans in groups.items():
        first = spans[0]
        shown = name if kind else name_of(first)
        places = tuple(steps.place[span.span_id] for span in spans)
        found.append(Player(first.span_id, shown, "agent" if kind == "agent" else first.kind, places))
    return found


def name_of(span: Span) -> str:
    """What people call the step: a tool by its name, a model by its own, else the span's name."""
    if span.kind == "tool" and span.tool is not None and span.tool.name:
        return span.tool.name
    return span.name or span.model or span.kind


def _acting(steps: Steps) -> list[Span]:
    """Without the second record of a call that another instrumentation wrote inside the first."""
    inner: dict[str, list[Span]] = {}
    for child, parent in steps.parents.items():
        if steps.by_id[child].kind in ("llm", "embedding") and steps.by_id[parent].kind in ("llm", "embedding"):
            inner.setdefault(parent, []).append(steps.by_id[child])
    again = {found[0].span_id for found in inner.values() if len(found) == 1}
    return [span for span in steps.spans if steps.acts(span) and span.span_id not in again]


def _agent(steps: Steps, span: Span) -> str:
    """Of the nearest span around it that says so."""
    for one in (span, *(steps.by_id[up] for up in steps.above(span.span_id))):
        name = one.agent or (one.name if one.kind == "agent" else None)
        if name:
            return name
    return ""
