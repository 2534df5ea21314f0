"""The lines of a trace's waterfall, ready to print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from audittrail.model import human
from audittrail.model.summary import SpanRow
from audittrail.model.tree import Line, Tree, end_of
from audittrail.web.views.links import TraceAsk

MAX_DEPTH_CLASS = 24  # deeper lines are indented no further
ID = "~id~"
UNSAID = {"error": "Failed without a message", "blocked": "Blocked"}
NO_MARK = ("", "")
MIN_BAR = 0.3  # percent of the ruler; a shorter bar could not be seen


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line. Geometry is in percent of the ruler."""

    id: str
    depth: int
    kind: str  # "missing" for a parent that never came: it has no link and no bar
    name: str
    detail: str = ""  # model or tool
    href: str = ""
    status: str = ""
    error: str = ""
    verdict: str = ""  # violation, warning or error: the gravest that a rule said of it
    verdict_title: str = ""
    toggle: str = ""  # where its fold changes; "" without children
    folded: bool = False
    hidden: int = 0  # lines that the fold hides
    x: str = ""
    width: str = ""
    critical: tuple[tuple[str, str], ...] = ()
    title: str = ""
    duration: str = ""
    tokens: str = ""
    tokens_title: str = ""
    current: bool = False
    looped: bool = False
    context: bool = False  # shown only because something below it was looked for


def rows(
    lines: Iterable[tuple[Line, bool]],
    tree: Tree,
    ask: TraceAsk,
    current: str,
    now_us: int,
    marks: Mapping[str, tuple[str, str]] = {},
) -> list[Row]:
    """The lines with their bars on the trace's ruler; the second of each pair: it was looked for itself. `marks` are
    the gravest verdict and its message, by span."""
    start, whole = tree.started_us, max(1, tree.ended_us - tree.started_us)
    folded = set(ask.fold)
    # One query string with a place for the id: urlencode for each of 500 lines costs 10 ms.
    href, can_fold = ask.params(span=ID, tab=""), not (ask.only or ask.find)
    toggles = ask.params(fold=",".join((*ask.fold, ID)), start=None)
    made = []
    for line, hit in lines:
        toggle = ""
        if line.children and can_fold:
            if line.span_id in folded:
                toggle = ask.params(fold=",".join(f for f in ask.fold if f != line.span_id), start=None)
            else:
                toggle = toggles.replace(ID, line.span_id, 1)
        hidden = line.below if line.span_id in folded and can_fold else 0
        depth = min(line.depth, MAX_DEPTH_CLASS)
        if line.span is None:
            made.append(
                Row(
                    id=line.span_id,
                    depth=depth,
                    kind="missing",
                    name="A parent that has not arrived",
                    detail=line.span_id,
                    toggle=toggle,
                    folded=bool(hidden),
                    hidden=hidden,
                )
            )
            continue
        span = line.span
        running = span.ended_us is None
        end = end_of(span, now_us)
        took, offset = end - span.started_us, span.started_us - start
        x, width = bar(span.started_us, end, start, whole)
        tokens = _tokens(span)
        error = span.error or UNSAID.get(span.status, "")
        if hidden and line.errors_below and not error:
            error = human.plural(line.errors_below, "error") + " below"
        detail = span.tool if span.kind == "tool" else span.model
        made.append(
            Row(
                id=span.span_id,
                depth=depth,
                kind=span.kind,
                name=human.line(span.name, 200) or "(unnamed)",
                detail=human.line(detail, 100) if detail and detail not in span.name else "",
                href=href.replace(ID, span.span_id, 1),
                status="running" if running and span.status == "ok" else span.status,
                error=human.line(error, 200),
                verdict=marks.get(span.span_id, NO_MARK)[0],
                verdict_title=human.line(marks.get(span.span_id, NO_MARK)[1], 200),
                toggle=toggle,
                folded=bool(hidden),
                hidden=hidden,
                x=x,
                width=width,
                critical=tuple(bar(a, b, start, whole) for a, b in line.critical if (b - a) * 200 > whole),
                title=f"{'running' if running else human.duration_exact(took)}, at +{human.duration(offset)}",
                duration=human.duration(took) + "…" if running else human.duration(took) if took else "",
                tokens="" if tokens is None else human.count(tokens),
                tokens_title=f"{human.exact(span.input_tokens)} in, {human.exact(span.output_tokens)} out",
                current=span.span_id == current,
                looped=line.looped,
                context=not hit,
            )
        )
    return made


def bar(began: int, ended: int, start: int, whole: int) -> tuple[str, str]:
    """Left edge and width in percent; never too thin to see, never beyond the right edge."""
    width = max(MIN_BAR, (ended - began) * 100 / whole)
    return f"{min((began - start) * 100 / whole, 100 - width):.3f}%", f"{width:.3f}%"


def _tokens(span: SpanRow) -> int | None:
    # Agents and chains repeat the sum of their children; shown on every line it would read as spent twice.
    if span.kind in ("agent", "chain") or (span.input_tokens is None and span.output_tokens is None):
        return None
    return (span.input_tokens or 0) + (span.output_tokens or 0)
